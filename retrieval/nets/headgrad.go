package nets

import "math"

// headGradient sums the gradients of what follows the trunk.
type headGradient struct {
	weights  []float32 // of the linear layer; none without one
	bias     []float64
	exponent float64
}

func newHeadGradient(h *head) headGradient {
	return headGradient{weights: make([]float32, len(h.fc.weights)), bias: make([]float64, h.fc.outputs)}
}

// backward goes from the gradient of the descriptor of feature map x to that of
// x, which it adds to, and adds the parameters' to g.
func (h *head) backward(g *headGradient, x, to *plane, grad []float32) {
	pooled := h.pool(x)
	raw := widen(pooled)
	read := raw
	if h.normFeatures {
		read = unit(raw)
	}
	last := read
	if h.fc.outputs > 0 {
		last = h.fc.apply(read)
	}
	d := unitBackward(last, widen(grad))
	if h.fc.outputs > 0 {
		g.addLinear(d, read)
		d = h.fc.backward(d)
	}
	if h.normFeatures {
		d = unitBackward(raw, d)
	}
	if h.pooling == mac {
		backMaximum(x, to, pooled, d)
		return
	}
	g.exponent += backGeM(x, to, raw, d, h.p)
}

// addLinear adds the gradient of the linear layer where that of its output is d.
func (g *headGradient) addLinear(d, read []float64) {
	for o, v := range d {
		row := g.weights[o*len(read):][:len(read)]
		for c, x := range read {
			row[c] += float32(v * x)
		}
		g.bias[o] += v
	}
}

// collect adds the sums to the parameters' gradients, and clears them.
func (g *headGradient) collect(p *params) {
	if w := p.named["fc.weight"]; w != nil {
		for i, v := range g.weights {
			w.grad[i] += v
		}
		bias := p.named["fc.bias"]
		for o, v := range g.bias {
			bias.grad[o] += float32(v)
		}
	}
	if t := p.named[exponentName]; t != nil {
		t.grad[0] += float32(g.exponent)
	}
	clear(g.weights)
	clear(g.bias)
	g.exponent = 0
}

// apply computes the linear layer in float64.
func (l *linear) apply(x []float64) []float64 {
	out := make([]float64, l.outputs)
	for o := range out {
		sum := float64(l.bias[o])
		for c, w := range l.weights[o*len(x):][:len(x)] {
			sum += float64(w) * x[c]
		}
		out[o] = sum
	}
	return out
}

// backward returns the gradient of what the linear layer reads.
func (l *linear) backward(d []float64) []float64 {
	n := len(l.weights) / l.outputs
	out := make([]float64, n)
	for o, g := range d {
		for c, w := range l.weights[o*n:][:n] {
			out[c] += g * float64(w)
		}
	}
	return out
}

func widen(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

func length(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	return max(math.Sqrt(sum), normEpsilon)
}

func unit(x []float64) []float64 {
	n, out := length(x), make([]float64, len(x))
	for i, v := range x {
		out[i] = v / n
	}
	return out
}

// unitBackward is the gradient of x where that of y = x/|x| is d:
// (d − y·⟨y, d⟩)/|x|.
func unitBackward(x, d []float64) []float64 {
	n, y := length(x), unit(x)
	along := 0.0
	for i, v := range y {
		along += v * d[i]
	}
	out := make([]float64, len(x))
	for i, v := range y {
		out[i] = (d[i] - v*along) / n
	}
	return out
}

// backGeM adds the gradient of y = (mean max(x,ε)^p)^(1/p), by channel, and
// returns that of p:
//
//	∂y/∂x = x^(p−1) · y^(1−p) / n                       where x > ε
//	∂y/∂p = y · ( Σ x^p·ln x / (p·Σ x^p) − ln(mean x^p)/p² )
func backGeM(x, to *plane, y, d []float64, p float64) float64 {
	n := float64(x.h * x.w)
	factor, sums, logs := make([]float64, x.c), make([]float64, x.c), make([]float64, x.c)
	for c := range factor {
		factor[c] = d[c] * math.Pow(y[c], 1-p) / n
	}
	raise := newPower(p - 1)
	eachPixel(x, func(at, other int) {
		for c, v := range x.data[at:][:x.c] {
			w := max(float64(v), gemEpsilon)
			below := raise.floor // w^(p-1)
			if v > gemEpsilon {
				below = raise.of(v)
				to.data[other+c] += float32(factor[c] * below)
			}
			sums[c] += below * w
			if d[c] != 0 {
				logs[c] += below * w * math.Log(w)
			}
		}
	}, to)
	slope := 0.0
	for c, s := range sums {
		slope += d[c] * y[c] * (logs[c]/(p*s) - math.Log(s/n)/(p*p))
	}
	return slope
}

// backMaximum adds each channel's gradient to the first pixel that has its
// maximum.
func backMaximum(x, to *plane, high []float32, d []float64) {
	done := make([]bool, x.c)
	eachPixel(x, func(at, other int) {
		for c, v := range x.data[at:][:x.c] {
			if v == high[c] && !done[c] {
				to.data[other+c] += float32(d[c])
				done[c] = true
			}
		}
	}, to)
}

// eachPixel calls f with the places of each pixel in two planes of one size.
func eachPixel(x *plane, f func(at, other int), to *plane) {
	for y := range x.h {
		for i := range x.w {
			f(x.at(y, i), to.at(y, i))
		}
	}
}
