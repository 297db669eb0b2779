package nets

import "math"

// window is a part of a feature map, from (y0,x0) to before (y1,x1).
type window struct{ y0, x0, y1, x1 int }

// pool makes one vector of a feature map.
func (h *head) pool(x *plane) []float32 {
	if h.centerBias != 0 {
		biasCenter(x, h.centerBias)
	}
	all := window{0, 0, x.h, x.w}
	switch h.pooling {
	case mac:
		return maximum(x, all)
	case average:
		return average64(x)
	case rmac:
		sum := make([]float32, x.c)
		for _, w := range regions(x.h, x.w) {
			v := maximum(x, w)
			normalize(v)
			for i := range sum {
				sum[i] += v[i]
			}
		}
		return sum
	}
	return generalizedMean(x, h.p)
}

// generalizedMean is (mean of max(x, ε)^p)^(1/p) by channel (GeM: Radenović et
// al., TPAMI 2018).
func generalizedMean(x *plane, p float64) []float32 {
	power := newPower(p)
	sums := make([]float64, x.c)
	for y := range x.h {
		for at := x.at(y, 0); at < x.at(y, x.w); at += x.step {
			power.accumulate(sums, x.data[at:][:x.c])
		}
	}
	out := make([]float32, x.c)
	n := float64(x.h * x.w)
	for c, s := range sums {
		out[c] = float32(math.Pow(s/n, 1/p))
	}
	return out
}

func average64(x *plane) []float32 {
	sums := make([]float64, x.c)
	for y := range x.h {
		for at := x.at(y, 0); at < x.at(y, x.w); at += x.step {
			for c, v := range x.data[at:][:x.c] {
				sums[c] += float64(v)
			}
		}
	}
	out := make([]float32, x.c)
	for c, s := range sums {
		out[c] = float32(s / float64(x.h*x.w))
	}
	return out
}

// maximum is the largest value of each channel in a window.
func maximum(x *plane, w window) []float32 {
	out := make([]float32, x.c)
	copy(out, x.data[x.at(w.y0, w.x0):][:x.c])
	for y := w.y0; y < w.y1; y++ {
		for at := x.at(y, w.x0); at < x.at(y, w.x1); at += x.step {
			for c, v := range x.data[at:][:x.c] {
				out[c] = max(out[c], v)
			}
		}
	}
	return out
}

// biasCenter multiplies by 1 plus a 4×4 map, b in its middle and 0 at its
// border, stretched over the plane: bilinear, corner on corner.
func biasCenter(x *plane, b float64) {
	for y := range x.h {
		down := centerWeight(y, x.h)
		for i := range x.w {
			weight := float32(1 + b*down*centerWeight(i, x.w))
			for c, v := range x.data[x.at(y, i):][:x.c] {
				x.data[x.at(y, i)+c] = v * weight
			}
		}
	}
}

// centerWeight interpolates 0, 1, 1, 0 at position i of n.
func centerWeight(i, n int) float64 {
	if n == 1 {
		return 0
	}
	at := 3 * float64(i) / float64(n-1)
	return min(1, at, 3-at)
}

// regions lists the windows of R-MAC (Tolias et al., ICLR 2016): the whole and
// the square regions of three scales, whose side is 2·min(h,w)/(scale+1). Along
// the longer side there are as many more of them as bring the overlap of
// neighbours at the first scale closest to 40 %.
func regions(h, w int) []window {
	list := []window{{0, 0, h, w}}
	short, long := min(h, w), max(h, w)
	more := 0
	if long > short {
		more = extraRegions(short, long)
	}
	moreH, moreW := 0, more
	if h > w {
		moreH, moreW = more, 0
	}
	for scale := 1; scale <= 3; scale++ {
		side := 2 * short / (scale + 1)
		if side == 0 {
			continue
		}
		for _, y := range starts(h, side, scale+moreH) {
			for _, x := range starts(w, side, scale+moreW) {
				list = append(list, window{y, x, y + side, x + side})
			}
		}
	}
	return list
}

// extraRegions is how many more regions than one there are along the longer side.
func extraRegions(short, long int) int {
	best, extra := math.Inf(1), 0
	for n := 1; n <= 6; n++ {
		step := float64(long-short) / float64(n)
		overlap := 1 - step/float64(short)
		if d := math.Abs(overlap - 0.4); d < best {
			best, extra = d, n
		}
	}
	return extra
}

// starts places n regions of that side evenly along a length.
func starts(length, side, n int) []int {
	at := make([]int, n)
	for i := range at {
		if n > 1 {
			at[i] = i * (length - side) / (n - 1)
		}
	}
	return at
}
