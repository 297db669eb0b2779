package nets

import (
	"math"

	"locbench/retrieval/backend"
)

// conv is a convolution with its batch normalization folded into it, packed for
// both directions.
type conv struct {
	layer   layer
	scale   []float64 // γ/√(σ²+ε), by output
	forward *backend.Filter
	// back computes the gradient of the input, one filter for each parity of
	// its rows and columns that has taps.
	back []backFilter
}

// backFilter computes the pixels (stride·y+py, stride·x+px) of an input's
// gradient from those of the output's.
type backFilter struct {
	filter *backend.Filter
	py, px int
	at     [][2]int // by tap: where it reads, in rows and columns from (y, x)
}

// newConv folds and packs the parameters of a layer.
func newConv(b *backend.Backend, l layer, p *params) *conv {
	c := &conv{layer: l, scale: make([]float64, l.to)}
	load := &loader{tensors: func(name string) ([]int, []float32, bool) {
		t := p.named[name]
		return t.shape, t.data, true
	}}
	f := load.fold(l)
	gamma, variance := p.named[l.bn+".weight"].data, p.named[l.bn+".running_var"].data
	for o := range c.scale {
		c.scale[o] = float64(gamma[o]) / math.Sqrt(float64(variance[o])+batchNormEpsilon)
	}
	weights := channelsLast(f.weights, l)
	if l.in == 0 { // a row of the stem is one tap: its pixels lie together
		c.forward = b.NewFilter(l.to, l.size, l.size*l.from, weights, f.bias)
		return c
	}
	c.forward = b.NewFilter(l.to, l.size*l.size, l.from, weights, f.bias)
	for py := range l.stride {
		for px := range l.stride {
			c.addBack(b, weights, py, px)
		}
	}
	return c
}

// addBack collects the taps that reach pixels of that parity: tap d of output
// pixel y reads input pixel stride·y+d.
func (c *conv) addBack(b *backend.Backend, weights []float32, py, px int) {
	l := c.layer
	half, f := l.size/2, backFilter{py: py, px: px}
	var taps []int
	for dy := -half; dy <= half; dy++ {
		for dx := -half; dx <= half; dx++ {
			if (py-dy)%l.stride == 0 && (px-dx)%l.stride == 0 {
				f.at = append(f.at, [2]int{(py - dy) / l.stride, (px - dx) / l.stride})
				taps = append(taps, (dy+half)*l.size+dx+half)
			}
		}
	}
	if len(taps) == 0 {
		return
	}
	area := l.size * l.size
	turned := make([]float32, l.from*len(taps)*l.to) // [from][taps][to]
	for first := 0; first < l.to; first += lineFloats {
		last := min(first+lineFloats, l.to)
		for i, tap := range taps {
			for ch := range l.from {
				k := (first*area+tap)*l.from + ch
				line := turned[(ch*len(taps)+i)*l.to:][first:last]
				for j := range line {
					line[j] = weights[k]
					k += area * l.from
				}
			}
		}
	}
	f.filter = b.NewFilter(l.from, len(taps), l.to, turned, make([]float32, l.from))
	c.back = append(c.back, f)
}

// area is the filter's over planes, by rows.
func (c *conv) area(in, out *plane) backend.Area {
	l := c.layer
	a := backend.Area{Rows: out.h, Cols: out.w, ReLU: l.relu, Add: l.add >= 0, InStep: l.stride * in.step, OutStep: out.step}
	a.In, a.InRow = in.at(0, 0), l.stride*in.row()*in.step
	a.Out, a.OutRow = out.at(0, 0), out.row()*out.step
	half := l.size / 2
	for dy := -half; dy <= half; dy++ {
		for dx := -half; dx <= half; dx++ {
			a.Offsets = append(a.Offsets, (dy*in.row()+dx)*in.step)
		}
	}
	return a
}

// apply computes the layer; what it adds lies in out already.
func (c *conv) apply(in, out *plane) {
	a := c.area(in, out)
	if c.layer.stride == 1 { // one long row; what falls between the rows is cleared
		a.Rows, a.Cols = 1, out.h*out.row()-1
	}
	c.forward.Apply(out.data, in.data, &a)
	out.clearBorder(0, out.h)
}

// backInput adds to the gradient of the input.
func (c *conv) backInput(out, in *plane) {
	stride := c.layer.stride
	for _, f := range c.back {
		a := backend.Area{Rows: (in.h-f.py-1)/stride + 1, Cols: (in.w-f.px-1)/stride + 1, Add: true, InStep: out.step, OutStep: stride * in.step}
		if in.h <= f.py || in.w <= f.px {
			continue
		}
		a.In, a.InRow = out.at(0, 0), out.row()*out.step
		a.Out, a.OutRow = in.at(f.py, f.px), stride*in.row()*in.step
		for _, t := range f.at {
			a.Offsets = append(a.Offsets, (t[0]*out.row()+t[1])*out.step)
		}
		if stride == 1 {
			a.Rows, a.Cols = 1, in.h*in.row()-1
		}
		f.filter.Apply(in.data, out.data, &a)
	}
	in.clearBorder(0, in.h)
}

// backWeights adds to the gradient of the folded weights, [tap][feature][width]
// with the width of the packed gradient pixels.
func (c *conv) backWeights(sums []float32, p *backend.Pixels, in *plane, at []int) {
	l, half := c.layer, c.layer.size/2
	tap := 0
	for dy := -half; dy <= half; dy++ {
		for dx := -half; dx <= half; dx++ {
			from := in.at(dy, dx)
			p.AddOuter(sums[tap*l.from*p.Width():], in.data[from:], at, l.from)
			tap++
		}
	}
}
