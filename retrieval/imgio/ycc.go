package imgio

import "image"

// jfifToRGB converts the planes of a JPEG as libjpeg does: chroma interpolated
// by a triangle filter where it is 2:1 ("fancy upsampling", jdsample.c),
// replicated elsewhere, then full-range BT.601 in 16-bit fixed point.
func jfifToRGB(out *Image, m *image.YCbCr) {
	up := newUpsampler(m)
	for y := range out.H {
		cb, cr := up.rows(y)
		yccRow(out.row(y), m.Y[y*m.YStride:], cb, cr)
	}
}

// yccRow converts one row. With x = 2¹⁶ times the constants of JFIF 1.02.
func yccRow(dst, luma, cb, cr []byte) {
	const half = 1 << 15
	n := len(dst) / 3
	luma, cb, cr = luma[:n], cb[:n], cr[:n]
	for i := range luma {
		l, u, v := int32(luma[i])<<16+half, int32(cb[i])-128, int32(cr[i])-128
		d := dst[3*i : 3*i+3 : 3*i+3]
		d[0] = clamp16(l + 91881*v)
		d[1] = clamp16(l - 22554*u - 46802*v)
		d[2] = clamp16(l + 116130*u)
	}
}

// clamp16 drops 16 fraction bits and limits the result to a byte.
func clamp16(x int32) byte {
	if uint32(x) < 1<<24 {
		return byte(x >> 16)
	}
	return byte(^(x >> 31)) // 0 below, 255 above
}

// upsampler brings chroma rows to the luma's width, one luma row at a time.
type upsampler struct {
	m        *image.YCbCr
	w, h     int // size of the chroma planes in samples
	sx, sy   int // luma samples per chroma sample
	triangle bool
	cb, cr   []byte
}

func newUpsampler(m *image.YCbCr) *upsampler {
	u := &upsampler{m: m, sx: 1, sy: 1}
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		u.sx = 2
	case image.YCbCrSubsampleRatio420:
		u.sx, u.sy = 2, 2
	case image.YCbCrSubsampleRatio440:
		u.sy = 2
	case image.YCbCrSubsampleRatio411:
		u.sx = 4
	case image.YCbCrSubsampleRatio410:
		u.sx, u.sy = 4, 2
	}
	u.w = (m.Rect.Dx() + u.sx - 1) / u.sx
	u.h = (m.Rect.Dy() + u.sy - 1) / u.sy
	// libjpeg replicates where chroma is 4:1, or 2:1 across and too narrow.
	u.triangle = u.sx == 1 || u.sx == 2 && u.w > 2
	u.cb, u.cr = make([]byte, u.sx*u.w), make([]byte, u.sx*u.w)
	return u
}

// rows returns the chroma of luma row y, at least as wide as the luma.
func (u *upsampler) rows(y int) (cb, cr []byte) {
	near := y / u.sy
	if u.sx == 1 && u.sy == 1 {
		return u.plane(u.m.Cb, near), u.plane(u.m.Cr, near)
	}
	far := near
	if u.triangle && u.sy == 2 {
		far = min(max(near+2*(y%2)-1, 0), u.h-1) // above for even rows, below for odd
	}
	u.row(u.cb, u.plane(u.m.Cb, near), u.plane(u.m.Cb, far), y%2)
	u.row(u.cr, u.plane(u.m.Cr, near), u.plane(u.m.Cr, far), y%2)
	return u.cb, u.cr
}

func (u *upsampler) plane(p []byte, row int) []byte {
	start := row * u.m.CStride
	return p[start : start+u.w]
}

func (u *upsampler) row(dst, near, far []byte, odd int) {
	switch {
	case !u.triangle:
		for i := range dst {
			dst[i] = near[i/u.sx]
		}
	case u.sx == 1:
		triangleV(dst, near, far, odd)
	case u.sy == 1:
		triangleH(dst, near)
	default:
		triangleHV(dst, near, far)
	}
}

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

// triangleHV doubles a row after weighing the near row ¾ and the far row ¼.
func triangleHV(dst, near, far []byte) {
	n := len(near)
	far, dst = far[:n], dst[:2*n]
	before := 3*int(near[0]) + int(far[0])
	this := before
	for i := 0; i < n-1; i++ {
		after := 3*int(near[i+1]) + int(far[i+1])
		dst[2*i] = byte((3*this + before + 8) >> 4)
		dst[2*i+1] = byte((3*this + after + 7) >> 4)
		before, this = this, after
	}
	dst[2*n-2] = byte((3*this + before + 8) >> 4)
	dst[2*n-1] = byte((4*this + 7) >> 4)
}
