package nets

import (
	"context"
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"golang.org/x/sync/errgroup"

	"locbench/retrieval/imgio"
)

// chunk is what one execution of a learner's graph takes, on the device.
type chunk struct {
	images int  // the rest of the batch is black
	full   bool // nothing is padded
	inputs inputs
}

// Limits of what a device trains on at a time: 128 images, or 8 megapixels, for
// which a ResNet-50 takes some 20 GB. A caller with less memory gives fewer.
const (
	learnImages = 128
	learnPixels = 8 << 20
)

// learnBatch is how many images of so many pixels are computed at a time.
func learnBatch(pixels int) int { return min(learnImages, max(1, learnPixels/pixels)) }

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
				c.inputs.free()
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
			c.inputs.free()
			if err != nil {
				return fmt.Errorf("train on %d images of at most %d×%d: %w", c.images, s.w, s.h, err)
			}
		}
		return nil
	})
	return group.Wait()
}

// send uploads images as a batch of count, with the gradient of their
// descriptors, one row each; nil: zero.
func (l *graphLearner) send(images []*imgio.Image, s shape, count int, grad []float32) (*chunk, error) {
	f := framed(l.pixels, images, s, count)
	l.pixels = f.pixels
	rows := make([]float32, count*l.network.head.dim())
	copy(rows, grad)
	c := &chunk{images: len(images), full: f.full, inputs: inputs{device: l.device}}
	send(&c.inputs, dtypes.Uint8, f.pixels, count, s.h, s.w, 3)
	send(&c.inputs, dtypes.Int32, f.sizes, count, 2)
	send(&c.inputs, dtypes.Float32, rows, count, len(rows)/count)
	if c.inputs.err != nil {
		c.inputs.free()
		return nil, c.inputs.err
	}
	return c, nil
}
