package train

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"locbench/bench/record"
	"locbench/kapture"
	"locbench/retrieval/backend"
	"locbench/retrieval/imgio"
	"locbench/retrieval/nets"
	"locbench/retrieval/weights"
	"locbench/scenes/synth"
)

// landmarks generates a small training set, once a test.
func landmarks(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	o := synth.LandmarkOptions{Classes: 16, Views: 6, Size: 40, Seed: 3}
	if err := synth.GenerateLandmarks(context.Background(), dir, o); err != nil {
		t.Fatal(err)
	}
	return dir
}

// small are settings of a training of seconds.
func small(data string) Config {
	c := DefaultConfig()
	c.Model = Model{Arch: "resnet10_w8", OutDim: 16}
	c.Data.Path = filepath.Join(data, "train")
	c.Validation.Data.Path = filepath.Join(data, "val")
	c.Validation.Every = 2
	c.Augment.Size, c.Augment.ScaleMin, c.Augment.ScaleMax = 32, 32, 40
	c.Sampler.Batch, c.Sampler.PerClass = 24, 3
	c.Optimizer.LearningRate = 1e-3
	c.Steps, c.Checkpoint, c.Whitening.Images = 6, 2, 40
	return c
}

func openTrainer(t testing.TB, c Config, dir string, o Options) *Trainer {
	t.Helper()
	if o.Backend == nil {
		b, err := backend.Open("go")
		if err != nil {
			t.Fatal(err)
		}
		o.Backend = b
	}
	trainer, err := New(context.Background(), c, dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return trainer
}

// trained runs a training to its end and returns its files.
func trained(t testing.TB, c Config, dir string, o Options) (model, state []byte) {
	t.Helper()
	if _, err := openTrainer(t, c, dir, o).Run(context.Background(), false); err != nil {
		t.Fatal(err)
	}
	return files(t, dir)
}

func files(t testing.TB, dir string) (model, state []byte) {
	t.Helper()
	model, err1 := os.ReadFile(filepath.Join(dir, modelFile))
	state, err2 := os.ReadFile(filepath.Join(dir, lastDir, stateName))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return model, state
}

// TestSameBytes: the weights depend neither on the jobs, nor on the chunks, nor
// on what is kept of a batch.
func TestSameBytes(t *testing.T) {
	c := small(landmarks(t))
	model, state := trained(t, c, t.TempDir(), Options{Jobs: 1})
	c.Chunk, c.CacheMB = 5, 0
	other, otherState := trained(t, c, t.TempDir(), Options{Jobs: 3})
	if !bytes.Equal(model, other) || !bytes.Equal(state, otherState) {
		t.Error("other jobs, chunks and cache give other weights")
	}
	c.Seed = 1
	if other, _ = trained(t, c, t.TempDir(), Options{Jobs: 2}); bytes.Equal(model, other) {
		t.Error("another seed gives the same weights")
	}
}

// stopAfter ends a context when so many images were computed.
type stopAfter struct {
	left int
	stop func()
}

func (*stopAfter) Start(string, int) {}
func (*stopAfter) Done()             {}
func (s *stopAfter) Add(n int) {
	if s.left -= n; s.left <= 0 {
		s.stop()
	}
}

// TestResume interrupts trainings of all kinds again and again: the weights are
// those of an undisturbed one.
func TestResume(t *testing.T) {
	data := landmarks(t)
	for name, change := range map[string]func(*Config){
		"ap":         func(*Config) {},
		"accumulate": func(c *Config) { c.Accumulate = 2 },
		"mining": func(c *Config) {
			c.Loss.Name, c.Loss.SemiHard = "triplet", true
			c.Mining = Mining{Every: 3, Queries: 12, Images: 40, Negatives: 2}
		},
		"norms, no validation": func(c *Config) { c.Model.LearnNorms, c.Validation.Data.Path = true, "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := small(data)
			change(&c)
			model, state := trained(t, c, t.TempDir(), Options{Jobs: 2})
			dir := t.TempDir()
			interrupted := 0
			for images := 30; ; images += 25 {
				ctx, stop := context.WithCancel(context.Background())
				trainer := openTrainer(t, c, dir, Options{Jobs: 2, Progress: &stopAfter{images, stop}})
				trainer.overlap = true
				_, err := trainer.Run(ctx, interrupted > 0)
				stop()
				if err == nil {
					break
				}
				if !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				interrupted++
			}
			if interrupted < 2 {
				t.Errorf("it was interrupted %d times only", interrupted)
			}
			again, againState := files(t, dir)
			if !bytes.Equal(model, again) || !bytes.Equal(state, againState) {
				t.Error("the interrupted training has other weights")
			}
			checkLog(t, dir, c)
		})
	}
}

// checkLog holds the log against the settings.
func checkLog(t *testing.T, dir string, c Config) {
	t.Helper()
	in, err := os.Open(LogFile(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	rows, err := record.ReadTraining(in, LogFile(dir))
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != c.Steps+1 {
		t.Fatalf("the log has %d rows, want one for each of %d steps and one before them", len(rows), c.Steps)
	}
	for i, r := range rows {
		due := c.Validation.Data.Path != "" && (i%c.Validation.Every == 0 || i == c.Steps)
		if r.Step != i || due == math.IsNaN(r.ValMAP) || (i > 0) == math.IsNaN(r.Loss) {
			t.Errorf("row %d of the log is %+v", i, r)
		}
	}
}

func stateOf(t *testing.T, trainer *Trainer) []nets.Tensor {
	t.Helper()
	state, err := trainer.learner.State()
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// TestMultiStage: the gradient of a step is that of one pass over the batch.
func TestMultiStage(t *testing.T) {
	c := small(landmarks(t))
	c.Chunk, c.CacheMB = 5, 0
	trainer := openTrainer(t, c, t.TempDir(), Options{Jobs: 2})
	ctx := context.Background()
	draws, err := trainer.batch(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	before := stateOf(t, trainer)
	if _, err := trainer.step(ctx, 0); err != nil {
		t.Fatal(err)
	}
	multi := moments(stateOf(t, trainer))

	var whole []*imgio.Image
	pics := newPictures(trainer.loader, draws, 1<<30)
	for part, err := range pics.chunks(ctx, places(len(draws)), len(draws)) {
		if err != nil {
			t.Fatal(err)
		}
		whole = part.images
	}
	if err := trainer.learner.Restore(before); err != nil {
		t.Fatal(err)
	}
	rows, err := trainer.learner.Describe(ctx, whole)
	if err != nil {
		t.Fatal(err)
	}
	grad := make([]float32, len(rows))
	if _, err := trainer.loss.Of(ctx, trainer.lossBatch(pics.shown, rows), grad); err != nil {
		t.Fatal(err)
	}
	if err := trainer.learner.Accumulate(ctx, whole, grad); err != nil {
		t.Fatal(err)
	}
	adam := c.adam()
	adam.Rate = c.rate(0)
	if err := trainer.learner.Step(adam); err != nil {
		t.Fatal(err)
	}
	one := moments(stateOf(t, trainer))
	if len(one) == 0 || len(one) != len(multi) {
		t.Fatalf("%d and %d moments", len(one), len(multi))
	}
	var off, size float64
	for i := range one {
		off += (one[i] - multi[i]) * (one[i] - multi[i])
		size += one[i] * one[i]
	}
	if size == 0 || math.Sqrt(off/size) > 1e-4 {
		t.Errorf("the gradients differ by %.2g of their length, want at most 1e-4", math.Sqrt(off/size))
	}
}

// moments are Adam's first moments: after one step a tenth of the gradient.
func moments(state []nets.Tensor) (all []float64) {
	for _, tensor := range state {
		if strings.HasPrefix(tensor.Name, "adam.m.") {
			for _, v := range tensor.Data {
				all = append(all, float64(v))
			}
		}
	}
	return all
}

// TestLearns: some steps make the mAP of the training images go up, whatever the
// loss. What it is worth on others docs/training.md measures.
func TestLearns(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds: skipped with -short")
	}
	data := landmarks(t)
	for _, name := range []string{"ap", "triplet"} {
		c := small(data)
		c.Loss.Name, c.Loss.SemiHard = name, true
		c.Steps, c.Validation.Every, c.Optimizer.LearningRate = 40, 20, 3e-3
		c.Validation.Data.Path = c.Data.Path
		dir := t.TempDir()
		trained(t, c, dir, Options{Jobs: 2})
		in, err := os.ReadFile(LogFile(dir))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := record.ReadTraining(bytes.NewReader(in), "log.csv")
		if err != nil {
			t.Fatal(err)
		}
		if before, after := rows[0].ValMAP, rows[len(rows)-1].ValMAP; !(after > before+0.5) {
			t.Errorf("%s: mAP %.2f before and %.2f after 40 steps", name, before, after)
		}
	}
}

// TestModel: what is written is a checkpoint with the best weights and a
// whitening.
func TestModel(t *testing.T) {
	c := small(landmarks(t))
	c.Model.WithoutFC, c.Validation.Data.Path = true, ""
	c.Augment.Size = 64 // or the last feature map has one pixel, and p no effect
	dir := t.TempDir()
	result, err := openTrainer(t, c, dir, Options{Jobs: 2}).Run(context.Background(), false)
	if err != nil {
		t.Fatal(err)
	}
	m, err := weights.Open(result.Model)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	differences, err := m.Check()
	if err != nil {
		t.Fatal(err)
	}
	if err := differences.Err(result.Model); err != nil || len(differences.Surplus) > 0 {
		t.Errorf("model: %v, surplus %v", err, differences.Surplus)
	}
	pca, ok := m.PCA["train"]
	if !ok || len(pca.Mean) != 64 || !pca.Whiten {
		t.Errorf("model holds the PCA sets %v, want train over 64 values", m.PCA)
	}
	if m.Arch != "resnet10_w8" || m.Pooling != "gem" || m.GemP == 3 || m.InputSize != 64 {
		t.Errorf("model is %s, %s with p %v for %d pixels, want a learned p", m.Arch, m.Pooling, m.GemP, m.InputSize)
	}
}

// TestFromCheckpoint starts from what another training has left, with another
// linear layer.
func TestFromCheckpoint(t *testing.T) {
	c := small(landmarks(t))
	c.Steps = 2
	dir := t.TempDir()
	trained(t, c, dir, Options{Jobs: 2})
	next := c
	next.Model = Model{From: filepath.Join(dir, modelFile), OutDim: 24}
	trainer := openTrainer(t, next, t.TempDir(), Options{Jobs: 2})
	if trainer.learner.Dim() != 24 || trainer.cfg.Model.Arch != "resnet10_w8" {
		t.Errorf("started %s with %d values, want resnet10_w8 with 24", trainer.cfg.Model.Arch, trainer.learner.Dim())
	}
	next.Model = Model{From: filepath.Join(dir, modelFile), Arch: "resnet18"}
	b, err := backend.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	_, err = New(context.Background(), next, t.TempDir(), Options{Backend: b})
	if bad, ok := errors.AsType[*kapture.InputError](err); !ok || !strings.Contains(bad.Msg, "want the weights of resnet18, as model.arch says, found resnet10_w8") {
		t.Errorf("weights of another architecture: %v", err)
	}
}

// TestBadImage: an image that breaks in the middle of an epoch is replaced and
// named, or ends the training.
func TestBadImage(t *testing.T) {
	data := landmarks(t)
	c := small(data)
	c.Validation.Data.Path, c.Steps = "", 4
	bad, err := filepath.Glob(filepath.Join(c.Data.Path, "*", "*"))
	if err != nil || len(bad) < 10 {
		t.Fatal(err, bad)
	}
	if err := os.WriteFile(bad[7], []byte("no image"), 0o666); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	trained(t, c, t.TempDir(), Options{Jobs: 2, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if n := strings.Count(log.String(), "replaced by another one of its class"); n != 1 || !strings.Contains(log.String(), bad[7]) {
		t.Errorf("it was named %d times as replaced, want once:\n%s", n, &log)
	}
	c.BadImages = BadError
	b, err := backend.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	trainer, err := New(context.Background(), c, t.TempDir(), Options{Jobs: 2, Backend: b})
	if err == nil {
		_, err = trainer.Run(context.Background(), false)
	}
	if err == nil || !strings.Contains(err.Error(), bad[7]) {
		t.Errorf("error %v, want one that names %s", err, bad[7])
	}
}

// breakAt makes the weights useless when a step starts.
type breakAt struct {
	noProgress
	step    string
	trainer *Trainer
}

func (b *breakAt) Start(name string, _ int) {
	if strings.HasPrefix(name, b.step) {
		state, err := b.trainer.learner.State()
		if err != nil {
			panic(err)
		}
		for _, tensor := range state {
			if tensor.Name == "fc.bias" {
				tensor.Data[0] = float32(math.NaN())
			}
		}
		if err := b.trainer.learner.Restore(state); err != nil {
			panic(err)
		}
	}
}

// TestNotANumber: the error names the step, the images and the last good
// checkpoint, which stays.
func TestNotANumber(t *testing.T) {
	c := small(landmarks(t))
	c.Validation.Data.Path, c.Checkpoint = "", 1
	hook := &breakAt{step: "step 4 "}
	hook.trainer = openTrainer(t, c, t.TempDir(), Options{Jobs: 2, Progress: hook})
	_, err := hook.trainer.Run(context.Background(), false)
	bad, ok := errors.AsType[*LossError](err)
	if !ok {
		t.Fatalf("error %v, want a LossError", err)
	}
	if len(bad.Images) != c.Sampler.Batch || bad.Step != 4 || bad.CheckpointStep != 3 || bad.Checkpoint == "" {
		t.Errorf("it names %d images, step %d, checkpoint %s of step %d", len(bad.Images), bad.Step, bad.Checkpoint, bad.CheckpointStep)
	}
	state, err := weights.Open(bad.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	defer state.Close()
	for _, tensor := range state.Tensors {
		data, err := tensor.Float32()
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(data, func(v float32) bool { return v-v != 0 }) {
			t.Errorf("the last good checkpoint has %s not finite", tensor.Name)
		}
	}
}

// TestClassWeights: every class has the same weight, and the mean is 1.
func TestClassWeights(t *testing.T) {
	c := small(landmarks(t))
	trainer := openTrainer(t, c, t.TempDir(), Options{})
	members := func(class, n int) (out []int) {
		for _, i := range trainer.set.Members(class)[:n] {
			out = append(out, int(i))
		}
		return out
	}
	w := classWeights(trainer.set, slices.Concat(members(0, 2), members(1, 6), members(2, 4)))
	var sums [3]float64
	for i, v := range w {
		switch {
		case i < 2:
			sums[0] += v
		case i < 8:
			sums[1] += v
		default:
			sums[2] += v
		}
	}
	for _, s := range sums {
		if math.Abs(s-4) > 1e-12 {
			t.Errorf("the weights of the classes sum to %v, want 4 each", sums)
			break
		}
	}
}

// TestOverlap: a batch that is loaded during the step before it is the same one.
func TestOverlap(t *testing.T) {
	data := landmarks(t)
	for _, accumulate := range []int{1, 2} {
		c := small(data)
		c.Accumulate, c.Steps = accumulate, 3
		c.Sampler.Batch, c.Chunk = 12, 5
		model, state := trained(t, c, t.TempDir(), Options{Jobs: 2})
		dir := t.TempDir()
		trainer := openTrainer(t, c, dir, Options{Jobs: 2})
		trainer.overlap = true
		if _, err := trainer.Run(context.Background(), false); err != nil {
			t.Fatal(err)
		}
		if m, s := files(t, dir); !bytes.Equal(m, model) || !bytes.Equal(s, state) {
			t.Errorf("%d batches a step: the training differs", accumulate)
		}
		if trainer.next != nil {
			t.Error("a batch beyond the last one is in work")
		}
	}
}

// TestOverlapBegins: the next batch is in work after a step if the images of this
// one are kept, and given up with the training.
func TestOverlapBegins(t *testing.T) {
	c := small(landmarks(t))
	for _, keep := range []int{0, 64} {
		c.CacheMB = keep
		trainer := openTrainer(t, c, t.TempDir(), Options{Jobs: 2})
		trainer.overlap = true
		before := runtime.NumGoroutine()
		if _, err := trainer.step(context.Background(), 0); err != nil {
			t.Fatal(err)
		}
		if begun := trainer.next != nil; begun != (keep > 0) {
			t.Errorf("%d MB of images: the next batch is in work: %v", keep, begun)
		}
		if keep > 0 {
			if _, err := trainer.step(context.Background(), 1); err != nil {
				t.Fatal(err)
			}
			if trainer.nextIndex != 2 {
				t.Errorf("want batch 2 in work, found %d", trainer.nextIndex)
			}
			if _, err := trainer.step(context.Background(), 4); err != nil { // another than expected
				t.Fatal(err)
			}
		}
		trainer.dropNext()
		for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d goroutines before, %d after", before, runtime.NumGoroutine())
			}
		}
	}
}
