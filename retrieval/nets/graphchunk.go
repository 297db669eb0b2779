package nets

import (
	"context"
	"fmt"
	"math/bits"
	"slices"
	"sync"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"
	"golang.org/x/sync/errgroup"

	"locbench/retrieval/imgio"
)

// chunk is what one execution of a learner's graph takes, on the device.
type chunk struct {
	images int  // the rest of the batch is black
	full   bool // nothing is padded
	inputs []*tensors.Tensor
}

// Limits of what a device trains on at a time: 128 images, or 8 megapixels, for
// which a ResNet-50 takes some 20 GB. A caller with less memory gives fewer.
const (
	learnImages = 128
	learnPixels = 8 << 20
)

// learnBatch is how many images of so many pixels are computed at a time.
func learnBatch(pixels int) int { return min(learnImages, max(1, learnPixels/pixels)) }

// powerOfTwo is the least one that is not below n: a graph is compiled for each
// size of a chunk, and there must be few.
func powerOfTwo(n int) int { return 1 << bits.Len(uint(n-1)) }

// exactImages of one size are worth a graph of their own.
const exactImages = 16

// commonShape is one that all images can be padded to: their own if they are
// many of one size, or as those were, and else one of few.
func (l *graphLearner) commonShape(images []*imgio.Image) shape {
	first, same, s := shape{images[0].H, images[0].W}, true, shape{}
	for _, m := range images {
		same = same && first == shape{m.H, m.W}
		s = shape{max(s.h, paddedSide(m.H)), max(s.w, paddedSide(m.W))}
	}
	if same && (len(images) >= exactImages || first == l.exact) {
		l.exact = first
		return first
	}
	return s
}

// chunks divides images into batches of one shape and calls f for each in turn,
// while the next one is on its way to the device.
func (l *graphLearner) chunks(ctx context.Context, images []*imgio.Image, grad []float32, f func(*chunk) error) error {
	if len(images) == 0 {
		return ctx.Err()
	}
	s, dim := l.commonShape(images), l.network.head.dim()
	size := learnBatch(s.h * s.w)
	group, ctx := errgroup.WithContext(ctx)
	ready := make(chan *chunk)
	group.Go(func() error {
		defer close(ready)
		for from := 0; from < len(images); from += size {
			part := images[from:min(from+size, len(images))]
			var rows []float32
			if grad != nil {
				rows = grad[from*dim:][:len(part)*dim]
			}
			c, err := l.send(part, s, min(size, powerOfTwo(len(part))), rows)
			if err != nil {
				return fmt.Errorf("send %d images of at most %d×%d: %w", len(part), s.w, s.h, err)
			}
			select {
			case ready <- c:
			case <-ctx.Done():
				finalize(c.inputs)
				return ctx.Err()
			}
		}
		return nil
	})
	group.Go(func() error {
		for c := range ready {
			err := ctx.Err()
			if err == nil {
				err = f(c)
			}
			finalize(c.inputs)
			if err != nil {
				return fmt.Errorf("train on %d images of at most %d×%d: %w", c.images, s.w, s.h, err)
			}
		}
		return nil
	})
	return group.Wait()
}

func finalize(list []*tensors.Tensor) {
	for _, t := range list {
		t.FinalizeAll()
	}
}

// send uploads images as a batch of count, with the gradient of their
// descriptors, one row each; nil: zero.
func (l *graphLearner) send(images []*imgio.Image, s shape, count int, grad []float32) (*chunk, error) {
	c := &chunk{images: len(images), full: true}
	pixels := slices.Grow(l.pixels[:0], count*s.h*s.w*3)[:count*s.h*s.w*3]
	l.pixels = pixels
	sizes := make([]int32, 2*count)
	var work sync.WaitGroup
	for j := range count {
		m := &imgio.Image{H: s.h, W: s.w} // black
		if j < len(images) {
			m = images[j]
		}
		sizes[2*j], sizes[2*j+1] = int32(m.H), int32(m.W)
		c.full = c.full && m.H == s.h && m.W == s.w
		work.Go(func() { place(pixels[j*s.h*s.w*3:][:s.h*s.w*3], s.w, m) })
	}
	work.Wait()
	rows := make([]float32, count*l.network.head.dim())
	copy(rows, grad)
	add := func(t *tensors.Tensor, err error) error {
		if err != nil {
			finalize(c.inputs)
			return err
		}
		c.inputs = append(c.inputs, t)
		return nil
	}
	if err := add(upload(l.device, dtypes.Uint8, pixels, count, s.h, s.w, 3)); err != nil {
		return nil, err
	}
	if err := add(upload(l.device, dtypes.Int32, sizes, count, 2)); err != nil {
		return nil, err
	}
	if err := add(upload(l.device, dtypes.Float32, rows, count, len(rows)/count)); err != nil {
		return nil, err
	}
	return c, nil
}

// place copies an image to the upper left of a black one that is w pixels wide.
func place(to []uint8, w int, m *imgio.Image) {
	if m.W == w {
		clear(to[copy(to, m.Pix):])
		return
	}
	clear(to)
	for y := range m.H {
		copy(to[y*w*3:], m.Pix[3*m.W*y:][:3*m.W])
	}
}
