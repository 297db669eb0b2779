package trainset

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"sync"

	"locbench/kapture"
	"locbench/retrieval/imgio"
	"locbench/retrieval/train/augment"
)

// LoaderOptions say how images are read.
type LoaderOptions struct {
	Pipeline *augment.Pipeline
	Workers  int // images decoded at once; below 1: one
	Ahead    int // images ready or in work before they are asked for; below Workers: as many
	// Replace puts another image of the same class in place of one that cannot
	// be decoded; else that ends the loading.
	Replace bool
	// OnReplace, if not nil, is told of every image that is replaced, each time
	// that it is loaded, by several goroutines at once.
	OnReplace func(bad *BadImageError)
	// Open, if not nil, reads image i in place of [imgio.Open].
	Open func(i int) (*imgio.Image, error)
}

// Loaded is a training image.
type Loaded struct {
	Draw   Draw // as it was asked for
	Image  int  // that is shown: Draw.Image, or what replaces it
	Pixels *imgio.Image
}

// BadImageError says that an image of the set cannot be used.
type BadImageError struct {
	Image int
	File  string
	Err   error
}

func (e *BadImageError) Error() string { return e.Err.Error() }

// Unwrap returns the [kapture.InputError] or what the operating system says.
func (e *BadImageError) Unwrap() error { return e.Err }

// Loader decodes and augments images ahead of their use, in order.
type Loader struct {
	set     *Set
	options LoaderOptions
}

// NewLoader returns a loader of a set.
func NewLoader(set *Set, o LoaderOptions) *Loader {
	o.Workers = max(o.Workers, 1)
	o.Ahead = max(o.Ahead, o.Workers)
	if o.Open == nil {
		o.Open = func(i int) (*imgio.Image, error) { return imgio.Open(set.File(i)) }
	}
	return &Loader{set: set, options: o}
}

// Load returns the images of draws in their order, while the next ones are in
// work: at most Ahead of them are held. The pixels of a draw are always the
// same. It ends with the first error, and stops its workers when the caller
// stops. Another goroutine than the caller's asks for the draws.
func (l *Loader) Load(ctx context.Context, draws iter.Seq[Draw]) iter.Seq2[Loaded, error] {
	return func(yield func(Loaded, error) bool) {
		images, _ := l.Begin(ctx, draws, l.options.Ahead)
		images(yield)
	}
}

// Begin is Load that does not wait for the caller to ask: it sets to work at once,
// on at most ahead images. Who never takes the images calls stop.
func (l *Loader) Begin(ctx context.Context, draws iter.Seq[Draw], ahead int) (images iter.Seq2[Loaded, error], stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	slots, wait := l.start(ctx, draws, ahead)
	stop = func() {
		cancel()
		wait()
	}
	return func(yield func(Loaded, error) bool) {
		defer stop()
		for slot := range slots {
			r := <-slot
			if !yield(r.Loaded, r.err) || r.err != nil {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(Loaded{}, err)
		}
	}, stop
}

// result is what a worker has made of a draw.
type result struct {
	Loaded
	err error
}

// start sets workers to the draws. It returns a slot for each, in order, as long
// as ctx is not done; after that wait returns when all workers have ended.
func (l *Loader) start(ctx context.Context, draws iter.Seq[Draw], ahead int) (slots chan chan result, wait func()) {
	slots = make(chan chan result, ahead-1) // one more is with the caller
	free := make(chan struct{}, l.options.Workers)
	var work sync.WaitGroup
	work.Go(func() {
		defer close(slots)
		for d := range draws {
			slot := make(chan result, 1)
			select {
			case slots <- slot:
			case <-ctx.Done():
				return
			}
			free <- struct{}{}
			work.Go(func() {
				defer func() { <-free }()
				r := result{err: ctx.Err()}
				if r.err == nil {
					r.Loaded, r.err = l.one(d)
				}
				slot <- r
			})
		}
	})
	return slots, work.Wait
}

// maxTries is how many images are tried in place of a bad one.
const maxTries = 8

// one loads an image, or another one that shows the same.
func (l *Loader) one(d Draw) (Loaded, error) {
	m, err := l.pixels(d.Image, d.Key)
	if err == nil {
		return Loaded{Draw: d, Image: d.Image, Pixels: m}, nil
	}
	first := &BadImageError{Image: d.Image, File: l.set.File(d.Image), Err: err}
	if !l.options.Replace {
		return Loaded{}, first
	}
	bad := first
	partners := l.set.partners(d.Image)
	order := generator(d.Key, "replacement").Perm(len(partners))
	for _, k := range order[:min(maxTries, len(order))] {
		image := int(partners[k])
		if image == d.Image {
			continue
		}
		if l.options.OnReplace != nil {
			l.options.OnReplace(bad)
		}
		if m, err = l.pixels(image, d.Key); err == nil {
			return Loaded{Draw: d, Image: image, Pixels: m}, nil
		}
		bad = &BadImageError{Image: image, File: l.set.File(image), Err: err}
	}
	return Loaded{}, fmt.Errorf("%w; nor can another image be used that shows the same", first)
}

// pixels decodes, crops and augments an image.
func (l *Loader) pixels(i int, key uint64) (*imgio.Image, error) {
	m, err := l.options.Open(i)
	if err != nil {
		return nil, unreadable(l.set.File(i), err)
	}
	if b := l.set.Box(i); !b.IsZero() {
		r := l.options.Pipeline.Box(b.Rect(m.W, m.H), m.W, m.H)
		if r.Empty() {
			return nil, &kapture.InputError{Path: l.set.File(i), Msg: fmt.Sprintf("want a box in the image of %d×%d pixels, found %v", m.W, m.H, b.Rect(m.W, m.H))}
		}
		m = m.Crop(r)
	}
	return l.options.Pipeline.Apply(m, rand.New(rand.NewPCG(key, 0))), nil
}

// unreadable names the file where the error does not.
func unreadable(file string, err error) error {
	if bad, ok := errors.AsType[*imgio.FormatError](err); ok {
		return &kapture.InputError{Path: file, Msg: "want an image: " + bad.Err.Error()}
	}
	return err
}
