package train

import (
	"context"
	"errors"
	"math"
	"path/filepath"

	"locbench/retrieval"
	"locbench/retrieval/nets"
	"locbench/retrieval/weights"
)

// finish writes the model: the best network, with its whitening.
func (t *Trainer) finish(ctx context.Context) (*Result, error) {
	if t.val == nil {
		t.best = best{t.cfg.Steps, math.NaN()}
	} else if t.best.step != t.cfg.Steps {
		if err := t.openBest(); err != nil {
			return nil, err
		}
	}
	sets, err := t.whiten(ctx)
	if err != nil {
		return nil, err
	}
	if err := t.writeModel(t.best.step, t.best.mAP, sets); err != nil {
		return nil, err
	}
	return &Result{Model: filepath.Join(t.dir, modelFile), BestStep: t.best.step, BestMAP: t.best.mAP}, t.writeLog()
}

// openBest puts the best network in place of the last one.
func (t *Trainer) openBest() error {
	path := filepath.Join(t.dir, modelFile)
	c, err := weights.Open(path)
	if err != nil {
		return err
	}
	defer c.Close()
	list, err := readTensors(c)
	if err != nil {
		return err
	}
	t.learner, err = nets.NewLearner(t.backend, t.network, lookup(list), nets.LearnerOptions{Norms: t.cfg.Model.LearnNorms, Half: t.cfg.MixedPrecision})
	return err
}

// whiten learns a PCA of descriptors of training images, as they are without
// augmentation.
func (t *Trainer) whiten(ctx context.Context) (map[string]*weights.PCA, error) {
	w := t.cfg.Whitening
	if w.Set == "" {
		return nil, nil
	}
	n := min(w.Images, t.set.Len())
	list := make([]int, n)
	for i := range list {
		list[i] = i * t.set.Len() / n
	}
	t.log.Info("learn whitening", "images", n, "set", w.Set)
	rows, _, err := t.describePlain(ctx, t.set, list, w.MaxSize)
	if err != nil {
		return nil, err
	}
	p, err := retrieval.LearnPCA(ctx, rows.Rows, rows.Cols, func(from int, dst []float64) error {
		for i := range dst {
			dst[i] = float64(rows.Data[from*rows.Cols+i])
		}
		return nil
	})
	if errors.Is(err, retrieval.ErrSame) {
		return nil, t.dataError("whitening: %v", err)
	}
	if err != nil {
		return nil, err
	}
	return map[string]*weights.PCA{w.Set: {Mean: p.Mean, Components: p.Components, Variance: p.Variance, Whiten: p.Whiten, DType: weights.Float32}}, nil
}
