package imgio

import (
	"image"
	"math"
)

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
	if w == m.W && h == m.H {
		return m
	}
	return m.ResizePart(w, h, f, image.Rect(0, 0, w, h))
}

// ResizePart is the part of what [Image.Resize] returns, for less work. It panics
// if w or h is not positive, or if part is not inside of them or empty.
func (m *Image) ResizePart(w, h int, f Filter, part image.Rectangle) *Image {
	if w < 1 || h < 1 || part.Empty() || !part.In(image.Rect(0, 0, w, h)) {
		panic("imgio: want a positive size, and a part inside")
	}
	if h == m.H {
		if w == m.W {
			return m.Crop(part)
		}
		return m.resizeRows(f.taps(m.W, w, part.Min.X, part.Max.X), part.Min.Y, part.Max.Y)
	}
	columns := f.taps(m.H, h, part.Min.Y, part.Max.Y)
	if w == m.W {
		return m.resizeColumns(columns, 0, part.Min.X, part.Dx())
	}
	first, last := columns.span()
	rows := m.resizeRows(f.taps(m.W, w, part.Min.X, part.Max.X), first, last)
	return rows.resizeColumns(columns, first, 0, part.Dx())
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

// taps say which input samples make each output sample of a line: output i is
// the sum of count[i] samples from first[i] on, by weights that follow those of
// the outputs before it.
type taps struct {
	first, count []int32
	weights      []int32 // of an output: sum about 1<<weightBits
}

// taps computes them for outputs from … to-1 of a line of in samples that becomes
// one of out.
func (f Filter) taps(in, out, from, to int) *taps {
	scale := float64(in) / float64(out)
	widen := max(scale, 1)
	support := f.support() * widen
	t := &taps{first: make([]int32, to-from), count: make([]int32, to-from)}
	var weights []float64
	for i := range t.first {
		center := (float64(from+i) + 0.5) * scale
		first := max(int(center-support+0.5), 0)
		last := min(int(center+support+0.5), in)
		weights = weights[:0]
		sum := 0.0
		for j := range last - first {
			weights = append(weights, f.at((float64(j+first)-center+0.5)*(1/widen)))
			sum += weights[j]
		}
		t.first[i], t.count[i] = int32(first), int32(len(weights))
		for _, w := range weights {
			t.weights = append(t.weights, int32(math.Round(w/sum*(1<<weightBits))))
		}
	}
	return t
}

// span is from the first sample that is read to after the last one.
func (t *taps) span() (first, last int) {
	end := len(t.first) - 1
	return int(t.first[0]), int(t.first[end] + t.count[end])
}

// resizeRows scales rows from … to-1.
func (m *Image) resizeRows(t *taps, from, to int) *Image {
	out := New(len(t.first), to-from)
	for y := from; y < to; y++ {
		src, dst := m.row(y), out.row(y-from)
		// The kernel reads and writes a byte beyond the last pixel of a row.
		if rowKernel != nil && y < min(to, m.H)-1 {
			rowKernel(&dst[0], &src[0], &t.first[0], &t.count[0], &t.weights[0], len(t.first))
			continue
		}
		weights := t.weights
		for x, n := range t.count {
			r, g, b := int32(half), int32(half), int32(half)
			s := src[3*t.first[x]:][:3*n]
			for _, k := range weights[:n] {
				p := s[:3:3]
				r += int32(p[0]) * k
				g += int32(p[1]) * k
				b += int32(p[2]) * k
				s = s[3:]
			}
			dst[3*x], dst[3*x+1], dst[3*x+2] = clamp22(r), clamp22(g), clamp22(b)
			weights = weights[n:]
		}
	}
	return out
}

// resizeColumns scales w columns from column x on; row 0 of m is sample origin.
func (m *Image) resizeColumns(t *taps, origin, x, w int) *Image {
	out := New(w, len(t.first))
	sums := make([]int32, 3*w)
	weights := t.weights
	for y, n := range t.count {
		src := m.Pix[3*((int(t.first[y])-origin)*m.W+x):]
		dst := out.row(y)
		fast := 0
		if columnKernel != nil {
			if fast = 3 * w / columnBytes * columnBytes; fast > 0 {
				columnKernel(&dst[0], &src[0], 3*m.W, &weights[0], int(n), fast)
			}
		}
		for i := fast; i < len(sums); i++ {
			sums[i] = half
		}
		for j, k := range weights[:n] {
			line := src[3*m.W*j:][:len(sums)]
			for i := fast; i < len(line); i++ {
				sums[i] += int32(line[i]) * k
			}
		}
		for i := fast; i < len(dst); i++ {
			dst[i] = clamp22(sums[i])
		}
		weights = weights[n:]
	}
	return out
}

// half rounds the fraction bits.
const half = 1 << (weightBits - 1)

// clamp22 drops the fraction bits and limits the result to a byte.
func clamp22(x int32) byte {
	if uint32(x) < 1<<(weightBits+8) {
		return byte(x >> weightBits)
	}
	return byte(^(x >> 31))
}
