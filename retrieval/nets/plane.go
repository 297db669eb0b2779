package nets

import "locbench/retrieval/backend"

// plane is one value of the network in memory: pixels of c features, channels
// last, in rows of w pixels and a zero one. With a row of zeros above and below,
// the zero pixel borders its own row on the right and the next on the left, so
// that a 3×3 filter of stride 1 goes over the plane as if it were one long row.
//
// The values of several images of one size lie side by side, pixel by pixel:
// small planes then give a filter as many pixels at a time as large ones.
type plane struct {
	h, w, c int
	images  int
	each    int // floats from an image's pixel to the next image's
	step    int // floats from a pixel to the next
	data    []float32
}

// pixelStep keeps the same feature of neighbouring pixels out of the same set
// of the first-level cache, where powers of two would put it.
// A pixel is whole panels of a filter, which writes no less.
func pixelStep(c int) int {
	c = (c + backend.FilterPanel - 1) / backend.FilterPanel * backend.FilterPanel
	if c >= 256 {
		return c + 16
	}
	return c
}

// planeSize is how many floats a plane takes, with what a filter of stride 2 at
// most may read beyond its end.
func planeSize(images, h, w, c int) int {
	return (((h+2)*(w+1)+1)*images + 2*backend.FilterSlack) * pixelStep(c)
}

// newPlane lays a plane out in a buffer that is large enough.
func newPlane(buffer []float32, images, h, w, c int) plane {
	each := pixelStep(c)
	return plane{h: h, w: w, c: c, images: images, each: each, step: images * each, data: buffer[:planeSize(images, h, w, c)]}
}

// row is how many pixels lie between two of the same column.
func (p *plane) row() int { return p.w + 1 }

// at is the index of the first feature of a pixel of the first image; y and x
// may be -1 or the size, for the border.
func (p *plane) at(y, x int) int { return ((y+1)*p.row() + x + 1) * p.step }

// used are the values of the plane with its border.
func (p *plane) used() []float32 { return p.data[:p.at(p.h, p.w)+p.step] }

// image is one image's part of the plane.
func (p *plane) image(i int) plane {
	one := *p
	one.images, one.data = 1, p.data[i*p.each:]
	return one
}

// clearBorder makes the border zero, where a filter may have written. The
// pixels between the rows belong to rows from … to-1; the first and last rows
// are cleared with row 0 and row h-1.
func (p *plane) clearBorder(from, to int) {
	if from == 0 {
		clear(p.data[:p.at(0, 0)])
	}
	for y := from; y < to; y++ {
		clear(p.data[p.at(y, p.w) : p.at(y, p.w)+p.step])
	}
	if to == p.h {
		clear(p.data[p.at(p.h, -1) : p.at(p.h, p.w)+p.step])
	}
}
