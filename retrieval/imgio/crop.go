package imgio

import "image"

// Crop returns the part of the image inside r, in pixels from its upper left
// corner. What of r lies outside the image is black, as Pillow's crop has it. r
// is not empty.
func (m *Image) Crop(r image.Rectangle) *Image {
	out := New(r.Dx(), r.Dy())
	in := r.Intersect(image.Rect(0, 0, m.W, m.H))
	for y := in.Min.Y; y < in.Max.Y; y++ {
		copy(out.row(y - r.Min.Y)[3*(in.Min.X-r.Min.X):], m.row(y)[3*in.Min.X:3*in.Max.X])
	}
	return out
}
