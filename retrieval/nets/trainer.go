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

// trainer is the engine of the embedded backend. Small images of a lane are
// computed in groups, several lanes at a time.
type trainer struct {
	backend *backend.Backend
	net     network
	head    *head
	params  *params
	levels  [3][256]float32
	convs   []*conv // by layer; nil for the pooling
	lanes   [lanes]*sums
	images  int // since the last step
	tapes   spare[*tape]
}

// Limits of what is computed side by side: more images than fill a tile of the
// kernel gain nothing, and large ones fill it alone.
const (
	groupImages = 14
	groupPixels = 32 << 10
)

// groupOf is how many images of so many pixels are computed side by side.
func groupOf(pixels int) int { return max(1, min(groupImages, groupPixels/pixels)) }

func newTrainer(b *backend.Backend, net network, h *head, p *params) *trainer {
	t := &trainer{backend: b, net: net, head: h, params: p, levels: levels(net.cfg)}
	t.convs = make([]*conv, len(net.layers))
	return t
}

// load packs the parameters as they are and forgets the gradient.
func (t *trainer) load() error {
	t.lanes, t.images = [lanes]*sums{}, 0
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
				if t.convs[i] == nil {
					t.convs[i] = newConv(t.backend, l)
				}
				t.convs[i].refresh(t.params)
				return nil
			})
		}
	}
	if fc := &t.head.fc; fc.outputs > 0 {
		fc.weights, fc.bias = t.params.named["fc.weight"].data, t.params.named["fc.bias"].data
		fc.filter.Pack(fc.weights, fc.bias, &backend.Layout{Taps: []int{0}, Output: t.head.channels, Feature: 1})
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
	err := t.each(ctx, images, func(p *tape, list []int) {
		last := t.forward(p, pick(images, list))
		for j, i := range list {
			one := last.image(j)
			t.head.describe(out[i*dim:][:dim], &one)
		}
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
	for i := range min(lanes, len(images)) {
		if s := &t.lanes[(first+i)%lanes]; *s == nil {
			*s = newSums(t)
		}
	}
	return t.each(ctx, images, func(p *tape, list []int) {
		s := t.lanes[(first+list[0])%lanes]
		last := t.forward(p, pick(images, list))
		p.startGradient()
		for j, i := range list {
			x, to := last.image(j), p.grads[len(p.grads)-1].image(j)
			t.head.backward(&s.head, &x, &to, grad[i*dim:][:dim])
		}
		for i := len(t.net.layers) - 1; i >= 0; i-- {
			t.backward(p, s, i)
		}
	})
}

// each calls f for all images, in groups of one size, those of a lane in their
// order. Image i is of lane i mod lanes, so that a lane is the same one counted
// from any first image.
func (t *trainer) each(ctx context.Context, images []*imgio.Image, f func(p *tape, list []int)) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(t.flying(images))
	for lane := range min(lanes, len(images)) {
		group.Go(func() error {
			p, ok := t.tapes.take()
			if !ok {
				p = newTape(t.net.layers)
			}
			defer t.tapes.give(p)
			for _, list := range groups(images, lane) {
				if err := ctx.Err(); err != nil {
					return err
				}
				f(p, list)
			}
			return nil
		})
	}
	return group.Wait()
}

// groups divides the images of a lane: neighbours of one size, in groups that
// differ by one image at most.
func groups(images []*imgio.Image, lane int) (list [][]int) {
	var run []int
	end := func() {
		for left := run; len(left) > 0; {
			m := images[left[0]]
			most := groupOf(m.W * m.H)
			parts := (len(left) + most - 1) / most
			n := (len(left) + parts - 1) / parts
			list, left = append(list, left[:n]), left[n:]
		}
		run = nil
	}
	for i := lane; i < len(images); i += lanes {
		if len(run) > 0 && (images[i].W != images[run[0]].W || images[i].H != images[run[0]].H) {
			end()
		}
		run = append(run, i)
	}
	end()
	return list
}

func pick(images []*imgio.Image, list []int) []*imgio.Image {
	out := make([]*imgio.Image, len(list))
	for j, i := range list {
		out[j] = images[i]
	}
	return out
}

// collect adds the lanes' sums to the parameters' gradients.
func (t *trainer) collect() error {
	t.images = 0
	group := errgroup.Group{}
	group.SetLimit(t.jobs())
	for i, l := range t.net.layers {
		if l.kind == convolution {
			group.Go(func() error {
				t.convs[i].collect(t.params, t.lanes[:], i)
				return nil
			})
		}
	}
	for _, s := range t.lanes {
		if s != nil {
			s.head.collect(t.params)
		}
	}
	return group.Wait()
}
