package nets

import "locbench/retrieval/backend"

// conv is a convolution with its batch normalization folded into it, packed for
// both directions.
type conv struct {
	layer   layer
	scale   []float64 // γ/√(σ²+ε), by output
	folded  folded
	forward *backend.Filter
	back    []*backend.Filter // of the gradient of the input, one for each of backReaches
	taps    [][]int           // and their taps
}

// newConv makes the filters of a layer, for [conv.refresh].
func newConv(b *backend.Backend, l layer) *conv {
	area := l.size * l.size
	c := &conv{layer: l, scale: make([]float64, l.to), folded: folded{make([]float32, l.to*l.from*area), make([]float32, l.to)}}
	if l.in == 0 { // a row of the stem is one tap: its pixels lie together
		c.forward = b.EmptyFilter(l.to, l.size, l.size*l.from)
		return c
	}
	c.forward = b.EmptyFilter(l.to, area, l.from)
	_, c.taps = backReaches(l)
	for _, taps := range c.taps {
		c.back = append(c.back, b.EmptyFilter(l.from, len(taps), l.to))
	}
	return c
}

// refresh folds and packs the parameters as they are.
func (c *conv) refresh(p *params) {
	l := c.layer
	data := func(name string) []float32 { return p.named[name].data }
	n := normalized{data(l.conv + ".weight"), data(l.bn + ".weight"), data(l.bn + ".bias"), data(l.bn + ".running_mean"), data(l.bn + ".running_var")}
	n.fold(c.folded, c.scale)
	weights, bias, area := c.folded.weights, c.folded.bias, l.size*l.size
	if l.in == 0 {
		rows := backend.Layout{Output: l.from * area, Feature: 1}
		for dy := range l.size {
			rows.Taps = append(rows.Taps, dy*l.size*l.from)
		}
		c.forward.Pack(channelsLast(weights, l), bias, &rows)
		return
	}
	forward := backend.Layout{Output: l.from * area, Feature: area}
	for tap := range area {
		forward.Taps = append(forward.Taps, tap)
	}
	c.forward.Pack(weights, bias, &forward)
	zero := make([]float32, l.from)
	for i, taps := range c.taps {
		c.back[i].Pack(weights, zero, &backend.Layout{Taps: taps, Output: area, Feature: l.from * area})
	}
}

// apply computes the layer; what it adds lies in out already.
func (c *conv) apply(in, out *plane, p *plan) {
	c.forward.ApplyRuns(out.data, in.data, p.runs, c.layer.add >= 0, c.layer.relu)
	if p.spills {
		out.clearBorder(0, out.h)
	}
}

// backInput adds to the gradient of the input.
func (c *conv) backInput(out, in *plane, plans []plan) {
	for i, f := range c.back {
		f.ApplyRuns(in.data, out.data, plans[i].runs, true, false)
		if plans[i].spills {
			in.clearBorder(0, in.h)
		}
	}
}

// backWeights adds to the gradient of the folded weights, [tap][feature][width]
// with the width of the packed gradient pixels.
func (c *conv) backWeights(sums []float32, p *backend.Pixels, in, out *plane) {
	r := forwardReach(c.layer)
	for tap := range r.taps {
		p.AddOuter(sums[tap*c.layer.from*p.Width():], in.data, r.chains(in, out, tap), c.layer.from)
	}
}
