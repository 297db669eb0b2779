package imgio

import "math"

// Filter is a resampling filter.
type Filter int

// The filters, by their names in Pillow.
const (
	Box      Filter = iota // mean of the covered pixels
	Bilinear               // triangle of two pixels' width
	Bicubic                // Keys' cubic with a = −0.5, four pixels wide
)

// Resize returns the image scaled to w×h pixels, as Pillow's Image.resize: the
// filter is widened by the scale when it shrinks (antialiasing), rows first,
// columns second, with 22-bit fixed-point weights and 8-bit rounding after each
// pass. The result equals Pillow's bit by bit. It panics if w or h is not
// positive. The image itself is returned if it has that size already.
func (m *Image) Resize(w, h int, f Filter) *Image {
	if w < 1 || h < 1 {
		panic("imgio: want a positive size")
	}
	out := m
	if w != m.W {
		out = out.resizeRows(w, f)
	}
	if h != m.H {
		out = out.resizeColumns(h, f)
	}
	return out
}

// at returns the filter's value at x, and its support is its half width.
func (f Filter) at(x float64) float64 {
	switch f {
	case Box:
		if x > -0.5 && x <= 0.5 {
			return 1
		}
		return 0
	case Bilinear:
		return max(1-math.Abs(x), 0)
	}
	const a = -0.5
	switch x = math.Abs(x); {
	case x < 1:
		return float64(((a+2)*x-(a+3))*x)*x + 1
	case x < 2:
		return (((x-5)*x+8)*x - 4) * a
	}
	return 0
}

func (f Filter) support() float64 {
	switch f {
	case Box:
		return 0.5
	case Bilinear:
		return 1
	}
	return 2
}

// weightBits are the fraction bits of a weight: 8 for the sample and 2 for
// overshoot are left of 32.
const weightBits = 32 - 8 - 2

// tap says which input samples make an output sample.
type tap struct {
	first   int
	weights []int32 // sum about 1<<weightBits
}

// taps computes them for a line of in samples that becomes one of out.
func (f Filter) taps(in, out int) []tap {
	scale := float64(in) / float64(out)
	widen := max(scale, 1)
	support := f.support() * widen
	taps := make([]tap, out)
	for i := range taps {
		center := (float64(i) + 0.5) * scale
		first := max(int(center-support+0.5), 0)
		last := min(int(center+support+0.5), in)
		weights := make([]float64, last-first)
		sum := 0.0
		for j := range weights {
			weights[j] = f.at((float64(j+first) - center + 0.5) * (1 / widen))
			sum += weights[j]
		}
		taps[i] = tap{first: first, weights: make([]int32, len(weights))}
		for j, w := range weights {
			taps[i].weights[j] = int32(math.Round(w / sum * (1 << weightBits)))
		}
	}
	return taps
}

func (m *Image) resizeRows(w int, f Filter) *Image {
	const half = 1 << (weightBits - 1)
	out := New(w, m.H)
	taps := f.taps(m.W, w)
	for y := range m.H {
		src, dst := m.row(y), out.row(y)
		for x, t := range taps {
			r, g, b := int32(half), int32(half), int32(half)
			s := src[3*t.first : 3*(t.first+len(t.weights))]
			for _, k := range t.weights {
				p := s[:3:3]
				r += int32(p[0]) * k
				g += int32(p[1]) * k
				b += int32(p[2]) * k
				s = s[3:]
			}
			dst[3*x], dst[3*x+1], dst[3*x+2] = clamp22(r), clamp22(g), clamp22(b)
		}
	}
	return out
}

func (m *Image) resizeColumns(h int, f Filter) *Image {
	const half = 1 << (weightBits - 1)
	out := New(m.W, h)
	sums := make([]int32, 3*m.W)
	for y, t := range f.taps(m.H, h) {
		for i := range sums {
			sums[i] = half
		}
		for j, k := range t.weights {
			src := m.row(t.first + j)
			for i, v := range src[:len(sums)] {
				sums[i] += int32(v) * k
			}
		}
		for i, dst := 0, out.row(y); i < len(dst); i++ {
			dst[i] = clamp22(sums[i])
		}
	}
	return out
}

// clamp22 drops the fraction bits and limits the result to a byte.
func clamp22(x int32) byte {
	if uint32(x) < 1<<(weightBits+8) {
		return byte(x >> weightBits)
	}
	return byte(^(x >> 31))
}
