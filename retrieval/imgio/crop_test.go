package imgio

import (
	"bytes"
	"image"
	"testing"
)

// TestCrop: pixels of the image where it is, black elsewhere.
func TestCrop(t *testing.T) {
	m := New(4, 3)
	for i := range m.Pix {
		m.Pix[i] = byte(1 + i)
	}
	for _, r := range []image.Rectangle{
		image.Rect(0, 0, 4, 3), image.Rect(1, 1, 3, 2), image.Rect(-1, -2, 2, 2), image.Rect(2, 1, 6, 5), image.Rect(-2, -2, 7, 7), image.Rect(5, 5, 6, 7),
	} {
		got := m.Crop(r)
		if got.W != r.Dx() || got.H != r.Dy() || len(got.Pix) != 3*got.W*got.H {
			t.Fatalf("%v: found %d×%d", r, got.W, got.H)
		}
		for y := range got.H {
			for x := range got.W {
				want := make([]byte, 3)
				if p := r.Min.Add(image.Pt(x, y)); p.In(image.Rect(0, 0, m.W, m.H)) {
					want = m.row(p.Y)[3*p.X : 3*p.X+3]
				}
				if found := got.row(y)[3*x : 3*x+3]; !bytes.Equal(found, want) {
					t.Errorf("%v: pixel (%d, %d) is %v, want %v", r, x, y, found, want)
				}
			}
		}
	}
}
