package nets

import (
	"context"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"

	"locbench/retrieval/backend"
	"locbench/retrieval/imgio"
)

// MaxPixels is the largest image that [Network.Describe] takes: 64 megapixels,
// for which the embedded backend needs 10 GB.
const MaxPixels = 64 << 20

const (
	// flyingPixels bounds the pixels of the images in flight on the embedded
	// backend, at about 160 bytes each.
	flyingPixels = 16 << 20
	// keptPixels is up to which size the memory of an image is kept for the next.
	keptPixels = 4 << 20
)

// Network computes descriptors of images. It is safe for concurrent use.
type Network struct {
	backend *backend.Backend
	head    *head
	trunk   *embedded       // on the embedded backend
	levels  [3][256]float32 // normalized value of a byte, by channel
	graphs  *compiled       // on a device
	arenas  spare[*arena]   // of images that are done
}

// New builds the network that cfg describes from a checkpoint's tensors, named
// as torchvision names them: conv1.weight, bn1.running_mean,
// layer1.0.downsample.0.weight, …, with adpool.p (optional), fc.weight and
// fc.bias beside them. Tensors that it does not need are ignored. The error
// names all tensors (ten at most) that are missing or have another shape, with
// both shapes. The data is copied.
func New(b *backend.Backend, cfg Config, tensors Tensors) (*Network, error) {
	a, err := findArch(cfg.Arch)
	if err != nil {
		return nil, err
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	load := &loader{tensors: tensors}
	n := &Network{backend: b}
	if n.head, err = newHead(b, cfg, a.channels(), load); err != nil {
		return nil, err
	}
	if b.Embedded() {
		n.trunk = newEmbedded(b, a.layers(), load)
		n.levels = levels(cfg)
		err = load.err()
	} else {
		n.graphs, err = openGraphs(b, cfg, a.layers(), n.head, load)
	}
	if err != nil {
		return nil, fmt.Errorf("network %s: %w", cfg.Arch, err)
	}
	return n, nil
}

// levels normalizes each byte, in float32, step by step, as torchvision does.
func levels(cfg Config) (l [3][256]float32) {
	for c := range l {
		for v := range l[c] {
			l[c][v] = (float32(v)/255 - float32(cfg.Mean[c])) / float32(cfg.Std[c])
		}
	}
	return l
}

// openGraphs prepares the network for a device of XLA.
func openGraphs(b *backend.Backend, cfg Config, layers []layer, h *head, load *loader) (*compiled, error) {
	device, err := b.Device()
	if err != nil {
		return nil, err
	}
	return newCompiled(device, true, cfg, layers, h, load)
}

// Dim is the length of a descriptor.
func (n *Network) Dim() int { return n.head.dim() }

// Describe returns the descriptors of the images, one row of [Network.Dim]
// floats each, of unit length. Images may differ in size, from one pixel to
// [MaxPixels].
//
// The embedded backend computes several images at a time, as many as it has
// jobs but at most 16 megapixels in all, and divides the work on fewer or
// larger ones; an image in flight takes about 160 bytes a pixel. A descriptor has the same bytes whatever is computed beside it
// and however many workers there are.
//
// A device computes batches padded to a few shapes, masked so that the padding
// does not reach the descriptors: they differ from those of single images by
// rounding alone. XLA compiles for some seconds at every new shape.
func (n *Network) Describe(ctx context.Context, images []*imgio.Image) ([]float32, error) {
	if err := checkImages(images); err != nil {
		return nil, err
	}
	if n.graphs != nil {
		return n.graphs.describe(ctx, images)
	}
	inputs := make([]input, len(images))
	for i, m := range images {
		inputs[i] = n.input(m)
	}
	return n.describe(ctx, inputs)
}

// input normalizes the pixels of an image.
func (n *Network) input(m *imgio.Image) input {
	return input{h: m.H, w: m.W, fill: func(y int, row []float32) {
		pix := m.Pix[3*m.W*y:][:3*m.W]
		for x := 0; x < len(row); x += 3 {
			row[x] = n.levels[0][pix[x]]
			row[x+1] = n.levels[1][pix[x+1]]
			row[x+2] = n.levels[2][pix[x+2]]
		}
	}}
}

func (n *Network) describe(ctx context.Context, inputs []input) ([]float32, error) {
	jobs := n.backend.Jobs
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	dim := n.head.dim()
	out := make([]float32, len(inputs)*dim)
	largest := 1
	for _, in := range inputs {
		largest = max(largest, in.h*in.w)
	}
	flying := max(1, min(jobs, len(inputs), flyingPixels/largest))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(flying)
	for i, in := range inputs {
		group.Go(func() error {
			a, ok := n.arenas.take()
			if !ok {
				a = &arena{}
			}
			if in.h*in.w <= keptPixels {
				defer n.arenas.give(a)
			}
			last, err := n.trunk.run(ctx, a, in, jobs/flying)
			if err == nil {
				n.head.describe(out[i*dim:][:dim], &last)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return out, nil
}
