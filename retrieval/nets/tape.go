package nets

import (
	"math"

	"locbench/retrieval/backend"
	"locbench/retrieval/imgio"
)

// tape is the memory for a group of images in work, of one size: all values of
// the trunk and their gradients.
type tape struct {
	images int
	h, w   int
	input  []float32 // normalized and padded, image after image, rows of row floats
	row    int
	frame  int     // floats of an image
	values []plane // by value; 0, the image, has none
	grads  []plane
	plans  []layerPlan // by layer
	pixels backend.Pixels
	at     []int // scratch: where the output's pixels lie
}

// layerPlan is how a layer is computed in both directions.
type layerPlan struct {
	forward plan
	back    []plan
}

// newTape has no memory yet: that comes with an image.
func newTape(layers []layer) *tape {
	n := len(layers)
	return &tape{values: make([]plane, n+1), grads: make([]plane, n+1), plans: make([]layerPlan, n)}
}

// reserve makes planes for images of that size.
func (p *tape) reserve(layers []layer, images, h, w int) {
	if p.images == images && p.h == h && p.w == w {
		return
	}
	p.images, p.h, p.w = images, h, w
	sizes := make([]shape, len(layers)+1)
	sizes[0] = shape{h, w}
	for i, l := range layers {
		in := sizes[l.in]
		s := shape{(in.h-1)/l.stride + 1, (in.w-1)/l.stride + 1}
		sizes[i+1] = s
		v := &p.values[i+1]
		*v = newPlane(grow(v.data[:cap(v.data)], planeSize(images, s.h, s.w, l.to)), images, s.h, s.w, l.to)
		clear(v.data)
		if l.kind == convolution && l.in > 0 {
			p.plans[i] = newLayerPlan(l, &p.values[l.in], v)
		}
	}
	p.row = 3 * (w + 2*stemPadding)
	p.frame = p.row * (h + 2*stemPadding)
	p.input = grow(p.input, images*p.frame+3*(2*backend.FilterSlack+stemSize))
}

func newLayerPlan(l layer, in, out *plane) layerPlan {
	r := forwardReach(l)
	p := layerPlan{forward: r.plan(in, out)}
	back, _ := backReaches(l)
	for _, r := range back {
		p.back = append(p.back, r.plan(out, in))
	}
	return p
}

// startGradient clears the gradients of the values, for the next images.
func (p *tape) startGradient() {
	for i := 1; i < len(p.values); i++ {
		v, g := &p.values[i], &p.grads[i]
		if g.h != v.h || g.w != v.w || g.images != v.images {
			data := grow(g.data[:cap(g.data)], len(v.data))[:len(v.data)]
			*g = *v
			g.data = data
		}
		clear(g.used())
	}
}

// forward returns the last feature maps.
func (t *trainer) forward(p *tape, images []*imgio.Image) *plane {
	p.reserve(t.net.layers, len(images), images[0].H, images[0].W)
	for i := range t.net.layers {
		t.layer(p, i, images)
	}
	return &p.values[len(p.values)-1]
}

// layer computes one layer from the values before it.
func (t *trainer) layer(p *tape, i int, images []*imgio.Image) {
	l := t.net.layers[i]
	in, out := &p.values[l.in], &p.values[i+1]
	switch {
	case l.in == 0:
		t.fill(p, images)
		t.stem(p, out)
	case l.kind == maxPool:
		t.pool(in, out)
	default:
		if t.convs[i].layer.add >= 0 {
			copy(out.data, p.values[l.add].used())
		}
		t.convs[i].apply(in, out, &p.plans[i].forward)
	}
}

// fill normalizes the pixels of images into frames of zeros.
func (t *trainer) fill(p *tape, images []*imgio.Image) {
	clear(p.input)
	for i, m := range images {
		for y := range m.H {
			row := p.input[i*p.frame+(y+stemPadding)*p.row+3*stemPadding:][:3*m.W]
			pix := m.Pix[3*m.W*y:][:3*m.W]
			for x := 0; x < len(row); x += 3 {
				row[x], row[x+1], row[x+2] = t.levels[0][pix[x]], t.levels[1][pix[x+1]], t.levels[2][pix[x+2]]
			}
		}
	}
}

// stem computes the first convolution, which the pooling's gradient needs whole.
func (t *trainer) stem(p *tape, out *plane) {
	a := backend.Area{Rows: out.h, Cols: out.w, ReLU: t.convs[0].layer.relu, InStep: 6, InRow: 2 * p.row, OutStep: out.step}
	a.OutRow = out.row() * out.step
	for dy := range stemSize {
		a.Offsets = append(a.Offsets, dy*p.row)
	}
	for i := range p.images {
		a.In, a.Out = i*p.frame, out.at(0, 0)+i*out.each
		t.convs[0].forward.Apply(out.data, p.input, &a)
	}
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
}

// backward goes through layer i: from the gradient of its output to those of
// its inputs and weights.
func (t *trainer) backward(p *tape, s *sums, i int) {
	l := t.net.layers[i]
	value, grad := &p.values[i+1], &p.grads[i+1]
	if l.kind == maxPool {
		backPool(&p.values[l.in], &p.grads[l.in], value, grad)
		return
	}
	if l.relu {
		maskGradient(grad.used(), value.used())
	}
	if l.add >= 0 {
		to := p.grads[l.add].used()
		for j, g := range grad.used() {
			to[j] += g
		}
	}
	sumBias(grad, s.bias[i])
	p.at = p.at[:0]
	for image := range grad.images {
		for y := range grad.h {
			for x := range grad.w {
				p.at = append(p.at, grad.at(y, x)+image*grad.each)
			}
		}
	}
	t.backend.Pack(&p.pixels, grad.data, p.at, l.to)
	if l.in == 0 {
		p.backStem(grad, s.weights[i], l)
		return
	}
	t.convs[i].backWeights(s.weights[i], &p.pixels, &p.values[l.in], grad)
	t.convs[i].backInput(grad, &p.grads[l.in], p.plans[i].back)
}

// backStem adds to the gradient of the stem's weights: a tap is a row of the
// filter.
func (p *tape) backStem(grad *plane, sums []float32, l layer) {
	pixels := grad.h * grad.w
	var chains []backend.Chain
	for k := range p.images * pixels {
		image, k := k/pixels, k%pixels
		if k%backend.ChainPixels == 0 {
			chains = append(chains, nil)
		}
		last := &chains[len(chains)-1]
		*last = append(*last, backend.Pair{In: image*p.frame + 2*(k/grad.w)*p.row + 6*(k%grad.w), Packed: image*pixels + k})
	}
	depth := l.size * l.from
	for dy := range l.size {
		p.pixels.AddOuter(sums[dy*depth*p.pixels.Width():], p.input[dy*p.row:], chains, depth)
	}
}

// sumBias adds up the gradient, image after image.
func sumBias(grad *plane, sums []float64) {
	for i := range grad.images {
		one := grad.image(i)
		for y := range one.h {
			for at := one.at(y, 0); at < one.at(y, one.w); at += one.step {
				for c, g := range one.data[at:][:len(sums)] {
					sums[c] += float64(g)
				}
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
	if out.c < out.each && out.images > 1 { // less than what lies between two images' pixels
		for i := range out.images {
			a, b, c, d := in.image(i), inGrad.image(i), out.image(i), outGrad.image(i)
			backPool(&a, &b, &c, &d)
		}
		return
	}
	width := (out.images-1)*out.each + out.c
	for y := range out.h {
		for x := range out.w {
			high := out.data[out.at(y, x):][:width]
			grad := outGrad.data[outGrad.at(y, x):][:width]
			for dy := max(2*y-1, 0); dy <= min(2*y+1, in.h-1); dy++ {
				for dx := max(2*x-1, 0); dx <= min(2*x+1, in.w-1); dx++ {
					give(inGrad.data[inGrad.at(dy, dx):][:width], grad, in.data[in.at(dy, dx):][:width], high)
				}
			}
		}
	}
}

// give moves the gradient to where a value is the highest one, without a branch.
// No value is below zero.
func give(to, grad, value, high []float32) {
	to, grad, high = to[:len(value)], grad[:len(value)], high[:len(value)]
	for c, v := range value {
		d := math.Float32bits(v) ^ math.Float32bits(high[c])
		other := uint32(int32(d|-d) >> 31) // all ones for another value
		g := math.Float32bits(grad[c])
		to[c] += math.Float32frombits(g &^ other)
		grad[c] = math.Float32frombits(g & other)
	}
}
