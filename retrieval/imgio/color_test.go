package imgio

import (
	"bytes"
	"image"
	"image/color"
	"testing"
)

// TestYCCAsLibjpeg compares every pair of chroma samples with the formulas of
// libjpeg's jdcolor.c: the constants of JFIF 1.02 at 16 fraction bits.
func TestYCCAsLibjpeg(t *testing.T) {
	fix := func(x float64) int { return int(x*65536 + 0.5) }
	clip := func(x int) byte { return byte(min(max(x, 0), 255)) }
	const half = 1 << 15
	for _, y := range []int{0, 100, 255} {
		for cb := range 256 {
			for cr := range 256 {
				u, v := cb-128, cr-128
				want := [3]byte{
					clip(y + (fix(1.40200)*v+half)>>16),
					clip(y + (-fix(0.34414)*u-fix(0.71414)*v+half)>>16),
					clip(y + (fix(1.77200)*u+half)>>16),
				}
				var got [3]byte
				yccRow(got[:], []byte{byte(y)}, []byte{byte(cb)}, []byte{byte(cr)})
				if got != want {
					t.Fatalf("%d, %d, %d: want %v, found %v", y, cb, cr, want, got)
				}
			}
		}
	}
}

// TestWebPCorners wants each corner to have the colour of the chroma sample
// there: what lies beyond the planes, which are packed here, is not read.
func TestWebPCorners(t *testing.T) {
	m := image.NewYCbCr(image.Rect(0, 0, 4, 4), image.YCbCrSubsampleRatio420)
	for i := range m.Y {
		m.Y[i] = 120
	}
	copy(m.Cb, []byte{60, 90, 150, 200})
	copy(m.Cr, []byte{200, 160, 100, 70})
	out := webpToRGB(m)
	for i, at := range [][2]int{{0, 0}, {3, 0}, {0, 3}, {3, 3}} {
		var want [3]byte
		limitedToRGB(want[:], 120, int(m.Cb[i]), int(m.Cr[i]))
		if got := out.row(at[1])[3*at[0] : 3*at[0]+3]; !bytes.Equal(got, want[:]) {
			t.Errorf("corner %d: want %v, found %v", i, want, got)
		}
	}
}

// hidden is an image of a type that no decoder has.
type hidden struct{ image.Image }

// TestAnyImage converts through the interface alone, away from the origin.
func TestAnyImage(t *testing.T) {
	m := image.NewNRGBA(image.Rect(5, 7, 8, 9))
	var want []byte
	for y := 7; y < 9; y++ {
		for x := 5; x < 8; x++ {
			m.SetNRGBA(x, y, color.NRGBA{R: byte(10 * x), G: byte(20 * y), B: byte(x * y), A: 200})
			want = append(want, byte(10*x), byte(20*y), byte(x*y))
		}
	}
	for name, in := range map[string]image.Image{"known type": m, "unknown type": hidden{m}} {
		got := toRGB(in)
		if got.W != 3 || got.H != 2 || !bytes.Equal(got.Pix, want) {
			t.Errorf("%s: want 3×2 pixels %v, found %d×%d %v", name, want, got.W, got.H, got.Pix)
		}
	}
}
