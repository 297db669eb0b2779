package nets

import "math"

// sums are the gradients of a lane's images, added up.
type sums struct {
	weights [][]float32 // by layer: of the folded weights, [tap][feature][width]
	bias    [][]float64 // and of the folded bias
	head    headGradient
}

func newSums(t *trainer) *sums {
	s := &sums{weights: make([][]float32, len(t.net.layers)), bias: make([][]float64, len(t.net.layers)), head: newHeadGradient(t.head)}
	for i, l := range t.net.layers {
		if l.kind == convolution {
			s.weights[i] = make([]float32, l.size*l.size*l.from*t.convs[i].forward.Width())
			s.bias[i] = make([]float64, l.to)
		}
	}
	return s
}

// collect adds the sums of the lanes to the parameters' gradients, and clears
// them: from the folded weights w·s and bias β − μ·s, with s = γ/√(σ²+ε), to w, γ
// and β.
func (c *conv) collect(p *params, lanes []*sums, i int) {
	var weights [][]float32
	var bias []float64
	for _, s := range lanes {
		if s == nil {
			continue
		}
		weights = append(weights, s.weights[i])
		if bias == nil {
			bias = s.bias[i]
			continue
		}
		for j, g := range s.bias[i] {
			bias[j] += g
		}
		clear(s.bias[i])
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

// unfold adds the sums to the gradient of the weights, block by block: as many
// features of as many outputs as a cache line has numbers.
func (c *conv) unfold(p *params, sums []float32, bias []float64) {
	l, area := c.layer, c.layer.size*c.layer.size
	w := p.named[l.conv+".weight"]
	norm := p.named[l.bn+".weight"].learned
	width, depth := c.forward.Width(), l.from*area // w: [to][from][size][size]
	slopes := make([]float64, l.to)                // with respect to s
	stride := lineFloats*area | 1
	block := make([]float32, lineFloats*stride)
	for first := 0; first < l.to; first += lineFloats {
		outputs := min(lineFloats, l.to-first)
		for ch := 0; ch < l.from; ch += lineFloats {
			features := min(lineFloats, l.from-ch)
			for i := range features {
				for tap := range area {
					line := sums[(tap*l.from+ch+i)*width+first:][:outputs]
					k := i*area + tap
					for _, v := range line {
						block[k] = v
						k += stride
					}
				}
			}
			for j := range outputs {
				at := (first+j)*depth + ch*area
				c.unfoldLine(w, at, block[j*stride:][:features*area], first+j)
				if norm {
					slope := slopes[first+j]
					for i, v := range block[j*stride:][:features*area] {
						slope += float64(v) * float64(w.data[at+i])
					}
					slopes[first+j] = slope
				}
			}
		}
	}
	c.unfoldNorm(p, slopes, bias)
}

// unfoldLine adds the sums of consecutive weights of an output.
func (c *conv) unfoldLine(w *param, at int, sums []float32, output int) {
	scale, grad := c.scale[output], w.grad[at:][:len(sums)]
	for i, v := range sums {
		grad[i] += float32(float64(v) * scale)
	}
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
