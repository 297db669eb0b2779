package nets

import (
	"context"
	"fmt"
	"slices"

	"locbench/retrieval/backend"
	"locbench/retrieval/imgio"
)

// Learner is a network whose weights can change: those of the convolutions, the
// exponent of GeM, the linear layer, and, if asked for, scale and shift of the
// batch normalizations, whose running statistics stay as they are.
//
// A step of training is any number of calls of [Learner.Accumulate] and one of
// [Learner.Step]. It is not safe for concurrent use; it spreads the images of a
// call over its backend's jobs itself.
type Learner struct {
	network network
	params  *params
	head    *head
	engine  engine
}

// network is what the parameters belong to.
type network struct {
	cfg    Config
	arch   arch
	layers []layer
}

// engine computes a learner's descriptors and gradients.
type engine interface {
	// load takes over parameters and moments, and forgets the gradient.
	load() error
	// store brings parameters and moments up to date.
	store() error
	describe(ctx context.Context, images []*imgio.Image) ([]float32, error)
	// accumulate adds to the gradient, which step uses and clears.
	accumulate(ctx context.Context, images []*imgio.Image, grad []float32) error
	step(a Adam) error
}

// LearnerOptions say what of a network is learned and how it is computed.
type LearnerOptions struct {
	// Norms learns scale and shift of the batch normalizations too. Off, they
	// are frozen, as published for networks that start from ImageNet's weights.
	Norms bool
	// Half computes on a device in bfloat16; parameters, pooling and descriptors
	// stay float32. The embedded backend has float32 only.
	Half bool
}

// NewLearner builds a learner of the network that cfg describes, from tensors
// as [New] takes them. It learns with GeM or MAC pooling. The data is copied.
func NewLearner(b *backend.Backend, cfg Config, tensors Tensors, o LearnerOptions) (*Learner, error) {
	a, err := findArch(cfg.Arch)
	if err != nil {
		return nil, err
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	load := &loader{tensors: tensors}
	h, err := newHead(b, cfg, a.channels(), load)
	if err != nil {
		return nil, err
	}
	if (h.pooling != gem && h.pooling != mac) || h.centerBias != 0 {
		return nil, fmt.Errorf("train network %s: want gem or max pooling without a bias to the centre, found %s", cfg.Arch, cfg.Pooling)
	}
	l := &Learner{network: network{cfg: cfg, arch: a, layers: a.layers()}, head: h}
	l.params = newParams(l.network.layers, h, load, o.Norms)
	if err := load.err(); err != nil {
		return nil, fmt.Errorf("network %s: %w", cfg.Arch, err)
	}
	if b.Embedded() {
		if o.Half {
			return nil, fmt.Errorf("train network %s: the embedded backend computes in float32 only: want mixed precision off", cfg.Arch)
		}
		l.engine = newTrainer(b, l.network, h, l.params)
	} else {
		device, err := b.Device()
		if err != nil {
			return nil, err
		}
		if l.engine, err = newGraphLearner(device, true, l.network, h, l.params, o.Half); err != nil {
			return nil, err
		}
	}
	return l, l.engine.load()
}

// Dim is the length of a descriptor.
func (l *Learner) Dim() int { return l.head.dim() }

// Describe returns the descriptors of images with the weights as they are, as
// [Network.Describe] does, and keeps nothing for a gradient.
func (l *Learner) Describe(ctx context.Context, images []*imgio.Image) ([]float32, error) {
	if err := checkImages(images); err != nil {
		return nil, err
	}
	return l.engine.describe(ctx, images)
}

// Accumulate adds, to the gradient that the learner holds, that of
// Σ grad·descriptor over the images: grad has a row of [Learner.Dim] values for
// each, the derivative of the loss at its descriptor (the third stage of
// multi-stage backpropagation, Revaud et al., ICCV 2019, section 3.3). On the
// embedded backend the order of the sums follows from that of the images, so
// that the result depends neither on the jobs nor on how the images are divided
// among calls.
func (l *Learner) Accumulate(ctx context.Context, images []*imgio.Image, grad []float32) error {
	if len(grad) != len(images)*l.Dim() {
		panic("nets: one row of the gradient an image")
	}
	if err := checkImages(images); err != nil {
		return err
	}
	return l.engine.accumulate(ctx, images, grad)
}

// Step changes the weights against the accumulated gradient, by Adam, and
// clears it.
func (l *Learner) Step(a Adam) error { return l.engine.step(a) }

// Tensor is a named array in row-major order.
type Tensor struct {
	Name  string
	Shape []int
	Data  []float32
}

// Tensors returns copies of all tensors of the network, in the order of
// torchvision's state dict, by its names: what a checkpoint holds. The only
// errors are those of a device.
func (l *Learner) Tensors() ([]Tensor, error) {
	if err := l.engine.store(); err != nil {
		return nil, err
	}
	var out []Tensor
	for _, p := range l.params.list {
		out = append(out, Tensor{Name: p.name, Shape: slices.Clone(p.shape), Data: slices.Clone(p.data)})
	}
	return out, nil
}

// checkImages returns an error for the first image that no network takes.
func checkImages(images []*imgio.Image) error {
	for i, m := range images {
		if m.W < 1 || m.H < 1 || len(m.Pix) != 3*m.W*m.H {
			return fmt.Errorf("describe image %d: want at least one pixel and 3 bytes each, found %d×%d with %d bytes", i, m.W, m.H, len(m.Pix))
		}
		if m.W*m.H > MaxPixels {
			return fmt.Errorf("describe image %d: want at most %d megapixels, found %d×%d: scale it down", i, MaxPixels>>20, m.W, m.H)
		}
	}
	return nil
}
