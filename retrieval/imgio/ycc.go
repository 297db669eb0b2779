package imgio

// yccRow converts one row: full-range BT.601 in 16-bit fixed point, the constants
// of JFIF 1.02 times 2¹⁶, as libjpeg does.
func yccRow(dst, luma, cb, cr []byte) {
	const half = 1 << 15
	n := len(dst) / 3
	luma, cb, cr = luma[:n], cb[:n], cr[:n]
	first := 0
	if yccKernel != nil {
		if first = max(n-2, 0) / yccPixels * yccPixels; first > 0 { // two more for what it writes beyond
			yccKernel(&dst[0], &luma[0], &cb[0], &cr[0], first)
		}
	}
	for i := first; i < n; i++ {
		l, u, v := int32(luma[i])<<16+half, int32(cb[i])-128, int32(cr[i])-128
		d := dst[3*i : 3*i+3 : 3*i+3]
		r, g, b := l+91881*v, l-22554*u-46802*v, l+116130*u
		if uint32(r|g|b) >= 1<<24 { // seldom
			r, g, b = clamp16(r), clamp16(g), clamp16(b)
		}
		d[0], d[1], d[2] = byte(r>>16), byte(g>>16), byte(b>>16)
	}
}

// clamp16 limits a number of 16 fraction bits to 0 … 255.
func clamp16(x int32) int32 { return min(max(x, 0), 255<<16) }

// plane is one component of a JPEG, which may have fewer samples than the image
// has pixels.
type plane struct {
	pix    []byte
	stride int
	w, h   int    // samples that belong to the image
	sx, sy int    // pixels per sample
	wide   []byte // the last row
}

// row returns row y of the image, at least as wide as it. As libjpeg does, 2:1
// is interpolated by a triangle filter ("fancy upsampling", jdsample.c), but
// where it is 2:1 across and too narrow; else samples are repeated.
func (p *plane) row(y int) []byte {
	near := y / p.sy
	if p.sx == 1 && p.sy == 1 {
		return p.line(near)
	}
	if p.wide == nil {
		p.wide = make([]byte, p.sx*p.w)
	}
	far := min(max(near+2*(y%2)-1, 0), p.h-1) // above for even rows, below for odd
	switch {
	case p.sx == 1 && p.sy == 2:
		triangleV(p.wide, p.line(near), p.line(far), y%2)
	case p.sx == 2 && p.sy == 1 && p.w > 2:
		triangleH(p.wide, p.line(near))
	case p.sx == 2 && p.sy == 2 && p.w > 2:
		triangleHV(p.wide, p.line(near), p.line(far))
	default:
		src := p.line(near)
		for i := range p.wide {
			p.wide[i] = src[i/p.sx]
		}
	}
	return p.wide
}

func (p *plane) line(row int) []byte { return p.pix[row*p.stride:][:p.w] }

// triangleV weighs the near row ¾ and the far row ¼; the rounding alternates.
func triangleV(dst, near, far []byte, odd int) {
	bias := 1 + odd
	for i := range dst {
		dst[i] = byte((3*int(near[i]) + int(far[i]) + bias) >> 2)
	}
}

// triangleH doubles a row; each sample weighs ¾ of the pixel next to it.
func triangleH(dst, src []byte) {
	last := len(src) - 1
	for i, s := range src {
		v := 3 * int(s)
		dst[2*i] = byte((v + int(src[max(i-1, 0)]) + 1) >> 2)
		dst[2*i+1] = byte((v + int(src[min(i+1, last)]) + 2) >> 2)
	}
}

// triangleHV doubles a row of at least two samples after weighing the near row ¾
// and the far row ¼.
func triangleHV(dst, near, far []byte) {
	n := len(near)
	far, dst = far[:n], dst[:2*n]
	column := func(i int) int { return 3*int(near[i]) + int(far[i]) }
	dst[0], dst[1] = byte((4*column(0)+8)>>4), byte((3*column(0)+column(1)+7)>>4)
	first := 1
	if middle := (n - 2) / triangleSamples * triangleSamples; triangleKernel != nil && middle > 0 {
		triangleKernel(&dst[2], &near[1], &far[1], middle)
		first += middle
	}
	before, this := column(first-1), column(first)
	for i := first; i < n-1; i++ {
		after := column(i + 1)
		dst[2*i] = byte((3*this + before + 8) >> 4)
		dst[2*i+1] = byte((3*this + after + 7) >> 4)
		before, this = this, after
	}
	dst[2*n-2] = byte((3*this + before + 8) >> 4)
	dst[2*n-1] = byte((4*this + 7) >> 4)
}
