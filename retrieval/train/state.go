package train

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"locbench/kapture"
	"locbench/retrieval/nets"
	"locbench/retrieval/weights"
)

// Files of an output directory.
const (
	configFile = "config.yaml"
	modelFile  = "model.safetensors"
	logFile    = "log.csv"
	lastDir    = "last"
	stateName  = "state.safetensors"
)

// ConfigFile is the file of a training's settings.
func ConfigFile(dir string) string { return filepath.Join(dir, configFile) }

// LogFile is the log of a training.
func LogFile(dir string) string { return filepath.Join(dir, logFile) }

func (t *Trainer) stateFile() string { return filepath.Join(t.dir, lastDir, stateName) }

// Notes of a checkpoint.
const (
	noteStep     = "step"
	noteMAP      = "val_map"
	noteBest     = "best_val_map"
	noteBestStep = "best_step"
	noteMined    = "mined"
)

// checkpoint describes the network as it is.
func (t *Trainer) checkpoint(tensors []nets.Tensor) *weights.Checkpoint {
	cfg := t.network
	c := &weights.Checkpoint{Arch: cfg.Arch, Pooling: cfg.Pooling, GemP: cfg.GemP, OutDim: t.learner.Dim(), WithoutFC: cfg.WithoutFC,
		NormFeatures: cfg.NormFeatures, Mean: cfg.Mean, Std: cfg.Std, InputSize: t.cfg.Augment.Size, Notes: map[string]string{}}
	for _, tensor := range tensors {
		if tensor.Name == "adpool.p" {
			c.GemP = float64(tensor.Data[0])
		}
		c.Tensors = append(c.Tensors, weights.NewTensor(tensor.Name, tensor.Shape, tensor.Data))
	}
	return c
}

// readTensors reads all tensors of a checkpoint.
func readTensors(c *weights.Checkpoint) ([]nets.Tensor, error) {
	list := make([]nets.Tensor, len(c.Tensors))
	for i, tensor := range c.Tensors {
		data, err := tensor.Float32()
		if err != nil {
			return nil, err
		}
		list[i] = nets.Tensor{Name: tensor.Name, Shape: tensor.Shape, Data: data}
	}
	return list, nil
}

// finite returns an error for weights that are none.
func finite(tensors []nets.Tensor) error {
	for _, tensor := range tensors {
		for _, v := range tensor.Data {
			if v-v != 0 {
				return fmt.Errorf("tensor %s: want finite weights, found %g", tensor.Name, v)
			}
		}
	}
	return nil
}

// save writes all that a resumed training needs, after the given number of
// steps. What was there before stays if it fails.
func (t *Trainer) save(steps int) error {
	state, err := t.learner.State()
	if err != nil {
		return err
	}
	if err := finite(state); err != nil {
		return fmt.Errorf("after step %d: %w; the last good checkpoint is of step %d; try a lower learning rate", steps, err, t.savedAt)
	}
	c := t.checkpoint(state)
	c.Notes[noteStep] = strconv.Itoa(steps)
	c.Notes[noteBestStep] = strconv.Itoa(t.best.step)
	c.Notes[noteBest] = strconv.FormatFloat(t.best.mAP, 'g', -1, 64)
	if t.mined != nil {
		text, err := json.Marshal(t.mined)
		if err != nil {
			return err
		}
		c.Notes[noteMined] = string(text)
	}
	if err := os.MkdirAll(filepath.Join(t.dir, lastDir), 0o777); err != nil {
		return err
	}
	// The log first: it may be ahead of the checkpoint, but not behind.
	if err := t.writeLog(); err != nil {
		return fmt.Errorf("save step %d: %w", steps, err)
	}
	if err := weights.WriteSafetensors(t.stateFile(), c); err != nil {
		return fmt.Errorf("save step %d: %w", steps, err)
	}
	t.savedAt = steps
	return nil
}

// restore takes over what save wrote, and returns the steps that are done.
func (t *Trainer) restore() (steps int, err error) {
	path := t.stateFile()
	c, err := weights.Open(path)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	state, err := readTensors(c)
	if err != nil {
		return 0, err
	}
	if err := t.learner.Restore(state); err != nil {
		return 0, &kapture.InputError{Path: path, Msg: err.Error()}
	}
	if steps, err = strconv.Atoi(c.Notes[noteStep]); err != nil || steps < 0 {
		return 0, &kapture.InputError{Path: path, Msg: fmt.Sprintf("want the number of steps in note.step, found %q", c.Notes[noteStep])}
	}
	if t.best.step, err = strconv.Atoi(c.Notes[noteBestStep]); err != nil {
		return 0, &kapture.InputError{Path: path, Msg: fmt.Sprintf("want a step in note.best_step, found %q", c.Notes[noteBestStep])}
	}
	if t.best.mAP, err = strconv.ParseFloat(c.Notes[noteBest], 64); err != nil {
		return 0, &kapture.InputError{Path: path, Msg: fmt.Sprintf("want a number in note.best_val_map, found %q", c.Notes[noteBest])}
	}
	if text := c.Notes[noteMined]; text != "" {
		if err := json.Unmarshal([]byte(text), &t.mined); err != nil {
			return 0, &kapture.InputError{Path: path, Msg: "want the mined draws in note.mined: " + err.Error()}
		}
	}
	t.savedAt = steps
	return steps, nil
}

// writeModel writes the network as it is for others to use.
func (t *Trainer) writeModel(steps int, mAP float64, pca map[string]*weights.PCA) error {
	tensors, err := t.learner.Tensors()
	if err != nil {
		return err
	}
	if err := finite(tensors); err != nil {
		return fmt.Errorf("after step %d: %w; try a lower learning rate", steps, err)
	}
	c := t.checkpoint(tensors)
	c.PCA = pca
	c.Notes[noteStep] = strconv.Itoa(steps)
	if !math.IsNaN(mAP) {
		c.Notes[noteMAP] = strconv.FormatFloat(mAP, 'g', -1, 64)
	}
	return weights.WriteSafetensors(filepath.Join(t.dir, modelFile), c)
}
