package imgio

import "image"

// webpToRGB converts a WebP image as libwebp does. A lossy one holds BT.601
// samples of limited range, which the standard library's colours take for full
// range.
func webpToRGB(m image.Image) *Image {
	switch m := m.(type) {
	case *image.YCbCr:
		return lossyToRGB(m)
	case *image.NYCbCrA:
		return lossyToRGB(&m.YCbCr)
	}
	return toRGB(m)
}

// lossyToRGB interpolates the 4:2:0 chroma with weights 9, 3, 3, 1 of the four
// nearest samples (libwebp's src/dsp/upsampling.c) and converts to RGB.
func lossyToRGB(m *image.YCbCr) *Image {
	out := New(m.Rect.Dx(), m.Rect.Dy())
	w, h := (out.W+1)/2, (out.H+1)/2
	for y := range out.H {
		near := (y / 2) * m.CStride
		far := min(max(y/2+2*(y%2)-1, 0), h-1) * m.CStride
		luma, dst := m.Y[y*m.YStride:], out.row(y)
		for x := range out.W {
			a, b := x/2, min(max(x/2+2*(x%2)-1, 0), w-1)
			u := nineThreeThreeOne(m.Cb, near, far, a, b)
			v := nineThreeThreeOne(m.Cr, near, far, a, b)
			limitedToRGB(dst[3*x:3*x+3], int(luma[x]), u, v)
		}
	}
	return out
}

// nineThreeThreeOne rounds in two steps, as libwebp does.
func nineThreeThreeOne(p []byte, near, far, a, b int) int {
	nn, nf, fn, ff := int(p[near+a]), int(p[near+b]), int(p[far+a]), int(p[far+b])
	diagonal := (nn + nf + fn + ff + 8 + 2*(nf+fn)) >> 3
	return (diagonal + nn) >> 1
}

// limitedToRGB is libwebp's fixed-point BT.601 (src/dsp/yuv.h): 14-bit
// constants, of whose products 8 bits are dropped before the sum.
func limitedToRGB(dst []byte, y, u, v int) {
	l := (y * 19077) >> 8
	dst[0] = clamp6(l + (v*26149)>>8 - 14234)
	dst[1] = clamp6(l - (u*6419)>>8 - (v*13320)>>8 + 8708)
	dst[2] = clamp6(l + (u*33050)>>8 - 17685)
}

// clamp6 drops 6 fraction bits and limits the result to a byte.
func clamp6(x int) byte { return byte(min(max(x>>6, 0), 255)) }
