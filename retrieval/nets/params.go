package nets

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// param is a tensor of the network; those that are learned have a gradient and
// Adam's two moments.
type param struct {
	name    string
	shape   []int
	data    []float32
	grad    []float32 // nil: frozen
	m, v    []float32
	learned bool
}

// params are all tensors of a network.
type params struct {
	list  []*param
	named map[string]*param
	steps int // of Adam, so far
}

// exponentName is the tensor of GeM's exponent.
const exponentName = "adpool.p"

// newParams copies the tensors of a network, in the order of a state dict.
func newParams(layers []layer, h *head, load *loader, norms bool) *params {
	p := &params{named: map[string]*param{}}
	for _, l := range stateOrder(layers) {
		p.add(load, true, l.conv+".weight", l.to, l.from, l.size, l.size)
		p.add(load, norms, l.bn+".weight", l.to)
		p.add(load, norms, l.bn+".bias", l.to)
		p.add(load, false, l.bn+".running_mean", l.to)
		p.add(load, false, l.bn+".running_var", l.to)
	}
	if h.pooling == gem {
		tensors := load.tensors
		load.tensors = func(name string) ([]int, []float32, bool) {
			if shape, data, ok := tensors(name); ok || name != exponentName {
				return shape, data, ok
			}
			return []int{1}, []float32{float32(h.p)}, true
		}
		p.add(load, true, exponentName, 1)
		load.tensors = tensors
	}
	if n := h.fc.outputs; n > 0 {
		p.add(load, true, "fc.weight", n, h.channels)
		p.add(load, true, "fc.bias", n)
	}
	return p
}

// stateOrder lists the convolutions in the order of torchvision's state dict,
// where a block's shortcut comes last.
func stateOrder(layers []layer) []layer {
	var out []layer
	var shortcut *layer
	for i, l := range layers {
		if l.kind != convolution {
			continue
		}
		if strings.Contains(l.conv, "downsample") {
			shortcut = &layers[i]
			continue
		}
		out = append(out, l)
		if l.add >= 0 && shortcut != nil {
			out, shortcut = append(out, *shortcut), nil
		}
	}
	return out
}

func (p *params) add(load *loader, learned bool, name string, shape ...int) {
	t := &param{name: name, shape: shape, data: slices.Clone(load.tensor(name, shape...)), learned: learned}
	if learned {
		t.grad = make([]float32, len(t.data))
		t.m, t.v = make([]float32, len(t.data)), make([]float32, len(t.data))
	}
	p.list = append(p.list, t)
	p.named[name] = t
}

// exponent is GeM's, or 1 where there is none.
func (p *params) exponent() float32 {
	if t := p.named[exponentName]; t != nil {
		return t.data[0]
	}
	return 1
}

// Adam are the settings of one step of the optimizer of Kingma and Ba (ICLR
// 2015), with bias correction and weight decay added to the gradient, as
// torch.optim.Adam computes it.
type Adam struct {
	Rate         float64 // learning rate
	Beta1, Beta2 float64
	Epsilon      float64
	WeightDecay  float64 // of all but GeM's exponent
	// ExponentRate is the factor of the rate for GeM's exponent.
	ExponentRate float64
}

// DefaultAdam returns PyTorch's settings with the learning rate and the weight
// decay of Revaud et al. (ICCV 2019).
func DefaultAdam() Adam {
	return Adam{Rate: 1e-4, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 1e-6, ExponentRate: 1}
}

// step changes what is learned and clears the gradients.
func (p *params) step(a Adam) {
	p.steps++
	group := errgroup.Group{}
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, t := range p.list {
		if !t.learned {
			continue
		}
		step := a
		if t.name == exponentName {
			step.Rate, step.WeightDecay = a.Rate*a.ExponentRate, 0
		}
		for from := 0; from < len(t.data); from += updateBlock {
			to := min(from+updateBlock, len(t.data))
			group.Go(func() error {
				step.update(t, from, to, p.steps)
				return nil
			})
		}
	}
	_ = group.Wait() // none fails
	if t := p.named[exponentName]; t != nil {
		t.data[0] = max(t.data[0], minExponent)
	}
}

// minExponent keeps GeM a mean with positive weights.
const minExponent = 0.1

// updateBlock is how many numbers one goroutine changes at a time.
const updateBlock = 1 << 16

// corrected returns the rate with the correction of the first moment, and the
// factor that corrects the second one's root, in the given step, from 1.
func (a Adam) corrected(step int) (size, root float64) {
	return a.Rate / (1 - math.Pow(a.Beta1, float64(step))), 1 / math.Sqrt(1-math.Pow(a.Beta2, float64(step)))
}

// update changes numbers from … to-1 of a tensor and clears their gradient.
func (a Adam) update(t *param, from, to, step int) {
	size, root := a.corrected(step)
	for i := from; i < to; i++ {
		w := t.data[i]
		g := float64(t.grad[i]) + a.WeightDecay*float64(w)
		m := a.Beta1*float64(t.m[i]) + (1-a.Beta1)*g
		v := a.Beta2*float64(t.v[i]) + (1-a.Beta2)*g*g
		t.m[i], t.v[i] = float32(m), float32(v)
		t.grad[i] = 0
		t.data[i] = float32(float64(w) - size*m/(math.Sqrt(v)*root+a.Epsilon))
	}
}

const (
	firstMoment  = "adam.m."
	secondMoment = "adam.v."
	stepCount    = "adam.steps"
)

// State returns copies of all that a resumed training needs: the network's
// tensors, Adam's moments adam.m.NAME and adam.v.NAME, and adam.steps. An
// accumulated gradient is not in it. The only errors are those of a device.
func (l *Learner) State() ([]Tensor, error) {
	out, err := l.Tensors()
	if err != nil {
		return nil, err
	}
	for _, p := range l.params.list {
		if p.learned {
			out = append(out, Tensor{firstMoment + p.name, slices.Clone(p.shape), slices.Clone(p.m)},
				Tensor{secondMoment + p.name, slices.Clone(p.shape), slices.Clone(p.v)})
		}
	}
	return append(out, Tensor{stepCount, []int{1}, []float32{float32(l.params.steps)}}), nil
}

// Restore takes over what [Learner.State] returned for the same network, bit by
// bit, and clears the gradient. After an error the learner is as before.
func (l *Learner) Restore(state []Tensor) error {
	found := map[string]Tensor{}
	for _, t := range state {
		found[t.Name] = t
	}
	load := &loader{tensors: func(name string) ([]int, []float32, bool) {
		t, ok := found[name]
		return t.Shape, t.Data, ok
	}}
	steps := load.tensor(stepCount, 1)[0]
	type copied struct{ to, from []float32 }
	var all []copied
	for _, p := range l.params.list {
		all = append(all, copied{p.data, load.tensor(p.name, p.shape...)})
		if p.learned {
			all = append(all, copied{p.m, load.tensor(firstMoment+p.name, p.shape...)}, copied{p.v, load.tensor(secondMoment+p.name, p.shape...)})
		}
	}
	if err := load.err(); err != nil {
		return fmt.Errorf("restore network %s: %w", l.network.cfg.Arch, err)
	}
	for _, c := range all {
		copy(c.to, c.from)
	}
	l.params.steps = int(steps)
	return l.engine.load()
}
