package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"locbench/bench/record"
	"locbench/kapture"
	"locbench/retrieval/backend"
	"locbench/retrieval/imgio"
	"locbench/retrieval/nets"
	"locbench/retrieval/train/augment"
	"locbench/retrieval/train/loss"
	"locbench/retrieval/train/trainset"
)

// Progress is told of images that are computed. Its methods are called from one
// goroutine.
type Progress interface {
	Start(name string, total int)
	Add(n int)
	Done()
}

// Options say where and how a training runs.
type Options struct {
	Backend  *backend.Backend
	Jobs     int // workers; below 1: one. The weights do not depend on it
	Log      *slog.Logger
	Progress Progress // nil: none
}

// Trainer is a training. It is not safe for concurrent use.
type Trainer struct {
	cfg      Config
	dir      string
	jobs     int
	chunk    int // images that are computed at a time
	ahead    int // images that are decoded before they are asked for
	log      *slog.Logger
	progress Progress

	set, val *trainset.Set // val: nil without validation
	sampler  *trainset.Sampler
	loader   *trainset.Loader
	backend  *backend.Backend
	network  nets.Config
	learner  *nets.Learner
	loss     loss.Loss

	overlap   bool      // load the next batch while the device computes
	next      *pictures // of batch nextIndex, in work; nil: none
	nextIndex int

	mined   *mined // of the steps at hand; nil without mining
	best    best
	savedAt int // steps of the last checkpoint; -1: there is none
	rows    []record.TrainingStep
	written time.Time     // of the log
	before  time.Duration // training time of earlier sessions
	started time.Time

	mu     sync.Mutex
	warned map[string]bool // files
}

// best is the highest validation figure so far.
type best struct {
	step int
	mAP  float64 // percent; NaN: none
}

// New prepares a training: it reads the lists of images, opens or draws the
// network it starts from, and writes nothing yet. Relations between the settings
// and the data that cannot work are errors.
func New(ctx context.Context, cfg Config, dir string, o Options) (*Trainer, error) {
	t := &Trainer{cfg: cfg, dir: dir, jobs: max(o.Jobs, 1), log: o.Log, progress: o.Progress, savedAt: -1,
		best: best{mAP: math.NaN()}, warned: map[string]bool{}, started: time.Now()}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	if t.progress == nil {
		t.progress = noProgress{}
	}
	if err := t.cfg.checkAt("", nil); err != nil {
		return nil, err
	}
	if t.chunk = t.cfg.Chunk; t.chunk == 0 {
		t.chunk = chunkImages
	}
	t.ahead = 2 * t.jobs
	if !o.Backend.Embedded() {
		t.overlap, t.ahead = true, max(t.ahead, t.chunk) // the next chunk, while the device computes
	}
	if err := t.openData(ctx); err != nil {
		return nil, err
	}
	if err := t.openNetwork(ctx, o.Backend); err != nil {
		return nil, err
	}
	var err error
	if t.loss, err = loss.New(t.cfg.Loss, t.jobs); err != nil {
		return nil, err
	}
	return t, nil
}

// chunkImages is the chunk where the settings name none: what a device takes at
// once, and enough for each worker of the embedded backend.
const chunkImages = 128

type noProgress struct{}

func (noProgress) Start(string, int) {}
func (noProgress) Add(int)           {}
func (noProgress) Done()             {}

func (t *Trainer) openData(ctx context.Context) (err error) {
	t.cfg.Data.Seed, t.cfg.Data.Jobs = t.cfg.Seed, t.jobs
	if t.set, err = trainset.Open(ctx, t.cfg.Data); err != nil {
		return err
	}
	t.warnSet(t.set)
	if t.cfg.Validation.Data.Path != "" {
		t.cfg.Validation.Data.Jobs = t.jobs
		if t.val, err = trainset.Open(ctx, t.cfg.Validation.Data); err != nil {
			return fmt.Errorf("validation: %w", err)
		}
		t.warnSet(t.val)
	}
	sampling := t.cfg.Sampler
	sampling.Seed = t.cfg.Seed
	if t.sampler, err = trainset.NewSampler(t.set, sampling); err != nil {
		return err
	}
	pipeline, err := augment.New(t.cfg.Augment)
	if err != nil {
		return err
	}
	t.loader = trainset.NewLoader(t.set, trainset.LoaderOptions{
		Pipeline: pipeline, Workers: t.jobs, Ahead: t.ahead, Replace: t.cfg.BadImages == BadReplace,
		OnReplace: func(bad *trainset.BadImageError) { t.warnOnce(bad.File, "replaced by another one of its class", bad) },
	})
	return nil
}

func (t *Trainer) warnSet(set *trainset.Set) {
	for _, w := range set.Warnings() {
		t.log.Warn("training data: " + w)
	}
}

// warnOnce says once of a file that it cannot be used.
func (t *Trainer) warnOnce(file, what string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.warned[file] {
		t.warned[file] = true
		t.log.Warn(fmt.Sprintf("image %s %s: %v", file, what, err))
	}
}

// Images that are measured where weights are drawn: so many, or fewer large ones.
const (
	sampleImages = 64
	sampleLeast  = 16
	samplePixels = sampleImages * 96 * 96
	sampleSide   = 256 // larger ones are scaled down
)

// sample returns training images to measure.
func (t *Trainer) sample(ctx context.Context) ([]*imgio.Image, error) {
	side := min(t.cfg.Augment.Size, sampleSide)
	n := min(max(samplePixels/(side*side), sampleLeast), sampleImages)
	var draws []trainset.Draw
	for i := range n {
		draws = append(draws, trainset.Draw{Image: i * t.set.Len() / n, Key: uint64(i)})
	}
	var out []*imgio.Image
	for c, err := range newPictures(t.loader, draws, 0).chunks(ctx, places(n), n) {
		if err != nil {
			return nil, err
		}
		for _, m := range c.images {
			out = append(out, m.Resize(side, side, imgio.Bilinear))
		}
	}
	return out, nil
}

// places are 0, 1, …, n-1.
func places(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func (t *Trainer) openNetwork(ctx context.Context, b *backend.Backend) error {
	from, err := t.cfg.Model.startFrom(ctx, t.cfg.Seed, func() ([]*imgio.Image, error) { return t.sample(ctx) })
	if err != nil {
		return err
	}
	t.backend, t.network = b, from.network
	t.learner, err = nets.NewLearner(b, from.network, from.tensors, nets.LearnerOptions{Norms: t.cfg.Model.LearnNorms, Half: t.cfg.MixedPrecision})
	return err
}

// parallel calls f for 0…n-1, several at a time.
func (t *Trainer) parallel(n int, f func(i int) error) error {
	var group errgroup.Group
	group.SetLimit(t.jobs)
	for i := range n {
		group.Go(func() error { return f(i) })
	}
	return group.Wait()
}

func (t *Trainer) dataError(format string, args ...any) error {
	return &kapture.InputError{Path: t.cfg.Data.Path, Msg: fmt.Sprintf(format, args...)}
}

// Config returns the settings as they were resolved.
func (t *Trainer) Config() Config { return t.cfg }

// ErrStarted says that a directory holds a training already.
var ErrStarted = errors.New("there is a training already: go on with --resume, or choose another --out")

// prepare makes the directory ready, and returns the steps that are done.
func (t *Trainer) prepare(resume bool) (int, error) {
	text, err := t.cfg.encode()
	if err != nil {
		return 0, err
	}
	path := ConfigFile(t.dir)
	old, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return 0, err
	case !resume:
		return 0, fmt.Errorf("%s: %w", t.dir, ErrStarted)
	case !bytes.Equal(old, text):
		return 0, &kapture.InputError{Path: path, Line: differs(old, text), Msg: "want the settings that the training began with, found other ones; resume without changing them"}
	}
	if err := os.MkdirAll(t.dir, 0o777); err != nil {
		return 0, err
	}
	if old == nil {
		if err := record.WriteFile(path, func(w io.Writer) error { _, err := w.Write(text); return err }); err != nil {
			return 0, err
		}
	}
	if _, err := os.Stat(t.stateFile()); err != nil {
		return 0, nil // it was stopped before its first checkpoint
	}
	steps, err := t.restore()
	if err != nil {
		return 0, err
	}
	return steps, t.readLog(steps)
}

// differs returns the first line, from 1, in which two texts differ.
func differs(a, b []byte) int {
	as, bs := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for i := range as {
		if i >= len(bs) || !bytes.Equal(as[i], bs[i]) {
			return i + 1
		}
	}
	return len(as)
}
