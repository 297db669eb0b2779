package extract

import (
	"context"
	"image"
	"log/slog"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"locbench/retrieval/imgio"
)

// Image is an image to describe.
type Image struct {
	Name string // by which results are known
	File string
	// Crop is the part to describe, in pixels of the image as it is decoded; what
	// of it lies outside is black. Empty: the whole image.
	Crop image.Rectangle
}

// Progress shows how far an extraction is. Start begins a bar of total images,
// Add counts images, Done ends the bar.
type Progress interface {
	Start(name string, total int)
	Add(n int)
	Done()
}

// RunOptions say how an extraction runs; its results do not depend on them.
type RunOptions struct {
	Batch    int // most images that the network is given at once; 0: DefaultBatch
	Jobs     int // images decoded at a time; 0: GOMAXPROCS
	Progress Progress
	Log      *slog.Logger // hears of images that cannot be read; nil: nobody
}

// DefaultBatch keeps the workers of a small machine busy.
const DefaultBatch = 8

// Pixels in memory: decoded, waiting or given to the network. A decoded image
// takes up to 10 bytes a pixel while it is converted and 3 afterwards, the
// network 160 for each of those that it works on at a time.
const (
	aheadPixels = 48_000_000
	batchPixels = 12_000_000
)

// work is one image on its way.
type work struct {
	index  int
	held   int64 // of the budget
	inputs []*imgio.Image
	err    error
}

// batch is what the network is given at once.
type batch struct {
	works   []*work
	pixels  int64
	decoded sync.WaitGroup
}

// Run describes the images. sink gets the descriptors one after another, in the
// order of the images, and may keep them. What cannot be read is passed over
// and returned in bad, an error by image, in order; every other error, the
// sink's among them, ends the run.
func (e *Extractor) Run(ctx context.Context, images []Image, o RunOptions, sink func(i int, row []float32) error) (bad []error, err error) {
	if o.Batch < 1 {
		o.Batch = DefaultBatch
	}
	if o.Jobs < 1 {
		o.Jobs = runtime.GOMAXPROCS(0)
	}
	r := &runner{Extractor: e, o: o, images: images, sink: sink, budget: semaphore.NewWeighted(aheadPixels),
		slots: make(chan struct{}, o.Jobs), batches: make(chan *batch, 1)}
	defer r.decoding.Wait()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.decodeAhead(ctx) })
	g.Go(func() error { return r.describeAll(ctx) })
	err = g.Wait()
	return r.bad, err
}

// runner is one call of [Extractor.Run].
type runner struct {
	*Extractor
	o        RunOptions
	images   []Image
	sink     func(int, []float32) error
	budget   *semaphore.Weighted // pixels
	slots    chan struct{}       // decoders at work
	batches  chan *batch
	decoding sync.WaitGroup
	bad      []error
}

// decodeAhead begins to decode image after image, as far ahead of the network
// as the budget allows. The batch in the making never holds what the next image
// waits for: a large one begins a batch of its own.
func (r *runner) decodeAhead(ctx context.Context) error {
	defer close(r.batches)
	b := &batch{}
	send := func() error {
		full := b
		b = &batch{}
		select {
		case r.batches <- full:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for i, image := range r.images {
		w := &work{index: i}
		inputs, size, err := r.meta.Settings.measure(image)
		w.err = err
		needs, keeps := size.pixels(), int64(0)
		for _, in := range inputs {
			keeps += in.pixels()
		}
		if len(b.works) == r.o.Batch || len(b.works) > 0 && b.pixels+keeps+needs > batchPixels {
			if err := send(); err != nil {
				return err
			}
		}
		b.works = append(b.works, w)
		b.pixels += keeps
		if w.err != nil {
			continue
		}
		w.held = min(needs+keeps, aheadPixels)
		if err := r.budget.Acquire(ctx, w.held); err != nil {
			return err
		}
		if err := r.decode(ctx, b, w, min(keeps, w.held)); err != nil {
			return err
		}
	}
	if len(b.works) == 0 {
		return nil
	}
	return send()
}

// decode prepares an image in the background, and then gives back the budget
// but for what the prepared image keeps.
func (r *runner) decode(ctx context.Context, b *batch, w *work, keeps int64) error {
	select {
	case r.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	b.decoded.Add(1)
	r.decoding.Go(func() {
		defer b.decoded.Done()
		w.inputs, w.err = r.meta.Settings.prepare(r.images[w.index])
		r.budget.Release(w.held - keeps)
		w.held = keeps
		<-r.slots
	})
	return nil
}

// describeAll takes the batches in their order.
func (r *runner) describeAll(ctx context.Context) error {
	for b := range r.batches {
		b.decoded.Wait()
		for _, w := range b.works {
			if w.err != nil {
				r.bad = append(r.bad, w.err)
				if r.o.Log != nil {
					r.o.Log.Warn("image left out: " + w.err.Error())
				}
			}
		}
		if err := r.describe(ctx, b.works); err != nil {
			return err
		}
		for _, w := range b.works {
			r.budget.Release(w.held)
		}
		if r.o.Progress != nil {
			r.o.Progress.Add(len(b.works))
		}
	}
	return ctx.Err()
}

// describe gives the images of a batch to the network, all scales at once, and
// their descriptors to the sink.
func (r *runner) describe(ctx context.Context, works []*work) error {
	var inputs []*imgio.Image
	for _, w := range works {
		inputs = append(inputs, w.inputs...)
	}
	rows, err := r.forward(ctx, inputs)
	if err != nil {
		return err
	}
	for _, w := range works {
		if w.err != nil {
			continue
		}
		n := len(w.inputs) * r.net.Dim()
		if err := r.sink(w.index, r.finish(rows[:n:n])); err != nil {
			return err
		}
		rows, w.inputs = rows[n:], nil
	}
	return nil
}

// forward runs the network on as many inputs at a time as batchPixels allows.
func (r *runner) forward(ctx context.Context, inputs []*imgio.Image) ([]float32, error) {
	var rows []float32
	for len(inputs) > 0 {
		n, pixels := 0, int64(0)
		for n < len(inputs) && (n == 0 || pixels+int64(len(inputs[n].Pix)/3) <= batchPixels) {
			pixels += int64(len(inputs[n].Pix) / 3)
			n++
		}
		part, err := r.net.Describe(ctx, inputs[:n])
		if err != nil {
			return nil, err
		}
		rows, inputs = append(rows, part...), inputs[n:]
	}
	return rows, nil
}
