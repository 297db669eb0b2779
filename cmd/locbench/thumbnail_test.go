package main

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"
)

// TestMakeThumbnail checks sizes and colours of small pictures.
func TestMakeThumbnail(t *testing.T) {
	for _, c := range []struct{ w, h, wantW, wantH int }{
		{640, 480, 160, 120}, {480, 640, 120, 160}, {3000, 2, 160, 1}, {100, 80, 100, 80}, {161, 161, 160, 160},
	} {
		m := image.NewRGBA(image.Rect(0, 0, c.w, c.h))
		for y := range c.h {
			for x := range c.w { // red on the left, blue on the right
				m.Set(x, y, color.RGBA{R: uint8(255 * (1 - 2*x/c.w)), B: uint8(255 * (2 * x / c.w)), A: 255})
			}
		}
		var file bytes.Buffer
		if err := png.Encode(&file, m); err != nil {
			t.Fatal(err)
		}
		small, err := makeThumbnail(file.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		got, err := jpeg.Decode(bytes.NewReader(small))
		if err != nil {
			t.Fatal(err)
		}
		if b := got.Bounds(); b.Dx() != c.wantW || b.Dy() != c.wantH {
			t.Errorf("%d×%d becomes %d×%d, want %d×%d", c.w, c.h, b.Dx(), b.Dy(), c.wantW, c.wantH)
		}
		left, right := color.RGBAModel.Convert(got.At(1, 0)).(color.RGBA), color.RGBAModel.Convert(got.At(c.wantW-2, 0)).(color.RGBA)
		if left.R < 200 || left.B > 60 || right.B < 200 || right.R > 60 {
			t.Errorf("%d×%d: the left is %v and the right %v, want red and blue", c.w, c.h, left, right)
		}
	}
	if _, err := makeThumbnail([]byte("GIF89a, or not")); err == nil {
		t.Error("what is no image has a picture")
	}
}
