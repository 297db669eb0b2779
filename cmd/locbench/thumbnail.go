package main

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"

	"locbench/reports"
	"locbench/retrieval/imgio"
)

const (
	// thumbnailSide is the longer side of a report's pictures, pixels.
	thumbnailSide    = 160
	thumbnailQuality = 80 // of the JPEG

	defaultThumbnails = 600
)

// thumbnails are the pictures of a report, most of them at most.
func thumbnails(most int) reports.Thumbnails {
	return reports.Thumbnails{Most: most, Make: makeThumbnail}
}

// makeThumbnail shrinks an image file to a small JPEG. The image is not turned
// as its EXIF data may ask for: keypoints count in the pixels of the file.
func makeThumbnail(file []byte) ([]byte, error) {
	m, err := imgio.Decode(bytes.NewReader(file), "image")
	if err != nil {
		return nil, err
	}
	if longer := max(m.W, m.H); longer > thumbnailSide {
		shrink := func(n int) int { return max(1, (n*thumbnailSide+longer/2)/longer) }
		m = m.Resize(shrink(m.W), shrink(m.H), imgio.Bilinear)
	}
	var b bytes.Buffer
	err = jpeg.Encode(&b, rgb{m}, &jpeg.Options{Quality: thumbnailQuality})
	return b.Bytes(), err
}

// rgb is an image for the encoders of the standard library.
type rgb struct{ *imgio.Image }

func (m rgb) ColorModel() color.Model { return color.RGBAModel }
func (m rgb) Bounds() image.Rectangle { return image.Rect(0, 0, m.W, m.H) }
func (m rgb) At(x, y int) color.Color {
	p := m.Pix[3*(y*m.W+x):]
	return color.RGBA{R: p[0], G: p[1], B: p[2], A: 255}
}
