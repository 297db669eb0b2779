package nets

import (
	"math"

	"locbench/retrieval/backend"
	"locbench/retrieval/imgio"
)

// tape is the memory of a lane: all values of the trunk for the image in work,
// their gradients, and the sums of the images' gradients of the parameters.
type tape struct {
	input  []float32 // normalized and padded, rows of inputRow floats
	row    int
	values []plane // by value; 0, the image, has none
	grads  []plane
	pixels backend.Pixels
	at     []int // scratch: where the output's pixels lie
	from   []int // scratch: what they read

	weights [][]float32 // by layer: gradient of the folded weights, [tap][feature][width]
	bias    [][]float64 // and of the folded bias
	head    headGradient
}

// newTape has no memory yet: that comes with an image.
func newTape(layers []layer) *tape {
	n := len(layers)
	return &tape{values: make([]plane, n+1), grads: make([]plane, n+1)}
}

// reserve makes planes of the sizes for an image.
func (p *tape) reserve(layers []layer, h, w int) {
	sizes := make([]shape, len(layers)+1)
	sizes[0] = shape{h, w}
	for i, l := range layers {
		in := sizes[l.in]
		s := shape{(in.h-1)/l.stride + 1, (in.w-1)/l.stride + 1}
		sizes[i+1] = s
		if v := &p.values[i+1]; v.h == s.h && v.w == s.w {
			continue
		}
		v := &p.values[i+1]
		*v = newPlane(grow(v.data[:cap(v.data)], planeSize(s.h, s.w, l.to)), s.h, s.w, l.to)
		clear(v.data)
	}
	p.row = 3 * (w + 2*stemPadding)
	p.input = grow(p.input, p.row*(h+2*stemPadding)+3*(2*backend.FilterSlack+stemSize))
}

// startGradient clears the gradients of the values, for the next image.
func (p *tape) startGradient(t *trainer) {
	for i := range p.grads {
		if v := &p.values[i]; p.grads[i].data == nil || p.grads[i].h != v.h || p.grads[i].w != v.w {
			p.grads[i] = plane{h: v.h, w: v.w, c: v.c, step: v.step, data: grow(p.grads[i].data[:cap(p.grads[i].data)], len(v.data))[:len(v.data)]}
		}
		clear(p.grads[i].data)
	}
	if p.weights != nil {
		return
	}
	p.weights, p.bias = make([][]float32, len(t.net.layers)), make([][]float64, len(t.net.layers))
	for i, l := range t.net.layers {
		if l.kind == convolution {
			p.weights[i] = make([]float32, l.size*l.size*l.from*t.convs[i].forward.Width())
			p.bias[i] = make([]float64, l.to)
		}
	}
	p.head = newHeadGradient(t.head)
}

// forward returns the last feature map.
func (t *trainer) forward(p *tape, m *imgio.Image) *plane {
	p.reserve(t.net.layers, m.H, m.W)
	for i := range t.net.layers {
		t.layer(p, i, m)
	}
	return &p.values[len(p.values)-1]
}

// layer computes one layer from the values before it.
func (t *trainer) layer(p *tape, i int, m *imgio.Image) {
	l := t.net.layers[i]
	in, out := &p.values[l.in], &p.values[i+1]
	switch {
	case l.in == 0:
		t.fill(p, m)
		t.stem(p, out)
	case l.kind == maxPool:
		t.pool(in, out)
	default:
		if t.convs[i].layer.add >= 0 {
			copy(out.data, p.values[l.add].data)
		}
		t.convs[i].apply(in, out)
	}
}

// fill normalizes the pixels of an image into a frame of zeros.
func (t *trainer) fill(p *tape, m *imgio.Image) {
	clear(p.input)
	for y := range m.H {
		row := p.input[(y+stemPadding)*p.row+3*stemPadding:][:3*m.W]
		pix := m.Pix[3*m.W*y:][:3*m.W]
		for x := 0; x < len(row); x += 3 {
			row[x], row[x+1], row[x+2] = t.levels[0][pix[x]], t.levels[1][pix[x+1]], t.levels[2][pix[x+2]]
		}
	}
}

// stem computes the first convolution, which the pooling's gradient needs whole.
func (t *trainer) stem(p *tape, out *plane) {
	a := backend.Area{Rows: out.h, Cols: out.w, ReLU: t.convs[0].layer.relu, InStep: 6, InRow: 2 * p.row, OutStep: out.step}
	a.Out, a.OutRow = out.at(0, 0), out.row()*out.step
	for dy := range stemSize {
		a.Offsets = append(a.Offsets, dy*p.row)
	}
	t.convs[0].forward.Apply(out.data, p.input, &a)
	out.clearBorder(0, out.h)
}

// pool is 3×3 with stride 2. The zero border does not change a maximum, because
// nothing is below zero after the ReLU.
func (t *trainer) pool(in, out *plane) {
	line := make([]float32, in.row()*in.step+in.step)
	for y := range out.h {
		start := func(dy int) []float32 { return in.data[in.at(min(2*y+dy, in.h), -1):][:len(line)] }
		t.backend.Max3(line, start(-1), start(0), start(1))
		for x := range out.w {
			i := 2 * x * in.step
			third := line[min(i+2*in.step, len(line)-in.step):]
			t.backend.Max3(out.data[out.at(y, x):][:out.step], line[i:], line[i+in.step:], third)
		}
	}
	out.clearBorder(0, out.h)
}

// backward goes through layer i: from the gradient of its output to those of
// its inputs and weights.
func (t *trainer) backward(p *tape, i int) {
	l := t.net.layers[i]
	value, grad := &p.values[i+1], &p.grads[i+1]
	if l.kind == maxPool {
		backPool(&p.values[l.in], &p.grads[l.in], value, grad)
		return
	}
	if l.relu {
		maskGradient(grad.data, value.data)
	}
	if l.add >= 0 {
		to := p.grads[l.add].data
		for j, g := range grad.data[:len(to)] {
			to[j] += g
		}
	}
	p.sumBias(grad, p.bias[i])
	p.at = p.at[:0]
	for y := range grad.h {
		for x := range grad.w {
			p.at = append(p.at, grad.at(y, x))
		}
	}
	t.backend.Pack(&p.pixels, grad.data, p.at, l.to)
	p.from = p.from[:0]
	if l.in == 0 {
		p.backStem(grad, p.weights[i], l)
		return
	}
	in := &p.values[l.in]
	for y := range grad.h {
		for x := range grad.w {
			p.from = append(p.from, (l.stride*y*in.row()+l.stride*x)*in.step)
		}
	}
	t.convs[i].backWeights(p.weights[i], &p.pixels, in, p.from)
	t.convs[i].backInput(grad, &p.grads[l.in])
}

// backStem adds to the gradient of the stem's weights: a tap is a row of the
// filter.
func (p *tape) backStem(grad *plane, sums []float32, l layer) {
	for y := range grad.h {
		for x := range grad.w {
			p.from = append(p.from, 2*y*p.row+6*x)
		}
	}
	depth := l.size * l.from
	for dy := range l.size {
		p.pixels.AddOuter(sums[dy*depth*p.pixels.Width():], p.input[dy*p.row:], p.from, depth)
	}
}

func (p *tape) sumBias(grad *plane, sums []float64) {
	for y := range grad.h {
		for at := grad.at(y, 0); at < grad.at(y, grad.w); at += grad.step {
			for c, g := range grad.data[at:][:len(sums)] {
				sums[c] += float64(g)
			}
		}
	}
}

// maskGradient makes the gradient zero where the ReLU's output is.
func maskGradient(grad, value []float32) {
	grad = grad[:len(value)]
	for i, v := range value {
		// All ones for a value above zero, without a branch.
		keep := uint32(int32(-(math.Float32bits(v) & math.MaxInt32)) >> 31)
		grad[i] = math.Float32frombits(math.Float32bits(grad[i]) & keep)
	}
}

// backPool gives the gradient of each maximum to the first pixel that has it.
func backPool(in, inGrad, out, outGrad *plane) {
	for y := range out.h {
		for x := range out.w {
			high := out.data[out.at(y, x):][:out.c]
			grad := outGrad.data[outGrad.at(y, x):][:out.c]
			for dy := max(2*y-1, 0); dy <= min(2*y+1, in.h-1); dy++ {
				for dx := max(2*x-1, 0); dx <= min(2*x+1, in.w-1); dx++ {
					value := in.data[in.at(dy, dx):][:out.c]
					to := inGrad.data[inGrad.at(dy, dx):][:out.c]
					for c, v := range value {
						if g := grad[c]; g != 0 && v == high[c] {
							to[c] += g
							grad[c] = 0
						}
					}
				}
			}
		}
	}
}

// collect adds the sums of the lanes to the parameters' gradients, and clears
// them: from the folded weights w·s and bias β − μ·s, with s = γ/√(σ²+ε), to w, γ
// and β.
func (c *conv) collect(p *params, tapes []*tape, i int) {
	var weights [][]float32
	var bias []float64
	for _, t := range tapes {
		if t == nil || t.weights == nil {
			continue
		}
		weights = append(weights, t.weights[i])
		if bias == nil {
			bias = t.bias[i]
			continue
		}
		for j, g := range t.bias[i] {
			bias[j] += g
		}
		clear(t.bias[i])
	}
	if weights == nil {
		return
	}
	sums := addUp(weights)
	c.unfold(p, sums, bias)
	clear(sums)
	clear(bias)
}

// sumBlock is how many numbers are added up at a time: they stay in the cache
// over all lists.
const sumBlock = 2048

// addUp adds to the first list the others, in their order, and clears those.
func addUp(lists [][]float32) []float32 {
	sums := lists[0]
	for from := 0; from < len(sums); from += sumBlock {
		block := sums[from:min(from+sumBlock, len(sums))]
		for _, list := range lists[1:] {
			other := list[from:][:len(block)]
			for j, g := range other {
				block[j] += g
			}
			clear(other)
		}
	}
	return sums
}

// lineFloats are the numbers of a cache line: what is transposed in blocks of so
// many reads and writes whole lines.
const lineFloats = 16

func (c *conv) unfold(p *params, sums []float32, bias []float64) {
	l, area := c.layer, c.layer.size*c.layer.size
	w := p.named[l.conv+".weight"]
	width, depth := c.forward.Width(), l.from*area // w: [to][from][size][size]
	slopes := make([]float64, l.to)                // with respect to s
	for first := 0; first < l.to; first += lineFloats {
		last := min(first+lineFloats, l.to)
		for ch := range l.from {
			for tap := range area {
				line := sums[(tap*l.from+ch)*width:][first:last]
				k := first*depth + ch*area + tap
				for j, v := range line {
					g := float64(v)
					w.grad[k] += float32(g * c.scale[first+j])
					slopes[first+j] += g * float64(w.data[k])
					k += depth
				}
			}
		}
	}
	c.unfoldNorm(p, slopes, bias)
}

// unfoldNorm adds to the gradients of γ and β, if they are learned.
func (c *conv) unfoldNorm(p *params, slopes, bias []float64) {
	bn := c.layer.bn
	gamma, beta := p.named[bn+".weight"], p.named[bn+".bias"]
	if !gamma.learned {
		return
	}
	mean, variance := p.named[bn+".running_mean"].data, p.named[bn+".running_var"].data
	for o, slope := range slopes {
		slope -= bias[o] * float64(mean[o])
		gamma.grad[o] += float32(slope / math.Sqrt(float64(variance[o])+batchNormEpsilon))
		beta.grad[o] += float32(bias[o])
	}
}
