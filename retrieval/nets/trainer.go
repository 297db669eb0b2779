package nets

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"

	"locbench/retrieval/backend"
	"locbench/retrieval/imgio"
)

// lanes is how many sums of gradients there are. Image i since the last step
// adds to sum i mod lanes, one after the other, and the sums are added up in
// their order: so neither the jobs nor the division into calls change a bit.
const lanes = 8

// trainer is the engine of the embedded backend. Images are computed one by
// one, several lanes at a time.
type trainer struct {
	backend *backend.Backend
	net     network
	head    *head
	params  *params
	levels  [3][256]float32
	convs   []*conv // by layer; nil for the pooling
	tapes   [lanes]*tape
	images  int // since the last step
}

func newTrainer(b *backend.Backend, net network, h *head, p *params) *trainer {
	t := &trainer{backend: b, net: net, head: h, params: p, levels: levels(net.cfg)}
	t.convs = make([]*conv, len(net.layers))
	return t
}

// load packs the parameters as they are and forgets the gradient.
func (t *trainer) load() error {
	if t.images > 0 {
		if err := t.collect(); err != nil {
			return err
		}
		for _, p := range t.params.list {
			clear(p.grad)
		}
	}
	return t.refresh()
}

// store has nothing to do: parameters and moments are here.
func (t *trainer) store() error { return nil }

func (t *trainer) step(a Adam) error {
	if err := t.collect(); err != nil {
		return err
	}
	t.params.step(a)
	return t.refresh()
}

// refresh packs the filters of the parameters as they are, a convolution's for
// both directions.
func (t *trainer) refresh() error {
	t.head.p = float64(t.params.exponent())
	group := errgroup.Group{}
	group.SetLimit(t.jobs())
	for i, l := range t.net.layers {
		if l.kind == convolution {
			group.Go(func() error {
				t.convs[i] = newConv(t.backend, l, t.params)
				return nil
			})
		}
	}
	if n := t.head.fc.outputs; n > 0 {
		t.head.fc.weights, t.head.fc.bias = t.params.named["fc.weight"].data, t.params.named["fc.bias"].data
		t.head.fc.filter = t.backend.NewFilter(n, 1, t.head.channels, t.head.fc.weights, t.head.fc.bias)
	}
	return group.Wait()
}

func (t *trainer) jobs() int {
	if t.backend.Jobs > 0 {
		return t.backend.Jobs
	}
	return runtime.GOMAXPROCS(0)
}

// flying is how many of the images are computed at a time.
func (t *trainer) flying(images []*imgio.Image) int {
	largest := 1
	for _, m := range images {
		largest = max(largest, m.W*m.H)
	}
	return max(1, min(t.jobs(), len(images), flyingPixels/4/largest))
}

func (t *trainer) describe(ctx context.Context, images []*imgio.Image) ([]float32, error) {
	dim := t.head.dim()
	out := make([]float32, len(images)*dim)
	err := t.each(ctx, images, 0, func(p *tape, i int) {
		t.head.describe(out[i*dim:][:dim], t.forward(p, images[i]))
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (t *trainer) accumulate(ctx context.Context, images []*imgio.Image, grad []float32) error {
	dim := t.head.dim()
	first := t.images
	t.images += len(images)
	return t.each(ctx, images, first, func(p *tape, i int) {
		t.gradient(p, images[i], grad[i*dim:][:dim])
	})
}

// each calls f for all images, those of a lane in their order.
func (t *trainer) each(ctx context.Context, images []*imgio.Image, first int, f func(p *tape, i int)) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(t.flying(images))
	for lane := range min(lanes, len(images)) {
		p := &t.tapes[(first+lane)%lanes]
		if *p == nil {
			*p = newTape(t.net.layers)
		}
		group.Go(func() error {
			for i := lane; i < len(images); i += lanes {
				if err := ctx.Err(); err != nil {
					return err
				}
				f(*p, i)
			}
			return nil
		})
	}
	return group.Wait()
}

// gradient adds the gradient of one image to those of its lane.
func (t *trainer) gradient(p *tape, m *imgio.Image, grad []float32) {
	last := t.forward(p, m)
	p.startGradient(t)
	t.head.backward(&p.head, last, &p.grads[len(p.grads)-1], grad)
	for i := len(t.net.layers) - 1; i >= 0; i-- {
		t.backward(p, i)
	}
}

// collect adds the lanes' sums to the parameters' gradients.
func (t *trainer) collect() error {
	t.images = 0
	group := errgroup.Group{}
	group.SetLimit(t.jobs())
	for i, l := range t.net.layers {
		if l.kind == convolution {
			group.Go(func() error {
				t.convs[i].collect(t.params, t.tapes[:], i)
				return nil
			})
		}
	}
	for _, p := range t.tapes {
		if p != nil {
			p.head.collect(t.params)
		}
	}
	return group.Wait()
}
