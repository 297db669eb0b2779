package augment

import (
	"testing"

	"locbench/retrieval/imgio"
)

// fromHSV is Pillow's conversion as it stands there.
func fromHSV(h, s, v byte) (r, g, b byte) {
	if s == 0 {
		return v, v, v
	}
	fs, fh := float32(float64(s)/255), float32(float64(float32(h)*6)/255)
	i := int(fh)
	f := float64(fh - float32(i))
	level := func(k float64) byte { return byte(float64(v)*k + 0.5) }
	p, q, t := level(1-float64(fs)), level(1-float64(fs)*f), level(1-float64(fs)*(1-f))
	switch i % 6 {
	case 0:
		return v, t, p
	case 1:
		return q, v, p
	case 2:
		return p, v, t
	case 3:
		return p, q, v
	case 4:
		return t, p, v
	}
	return v, p, q
}

// TestHSV: the tables hold the conversions, for every colour.
func TestHSV(t *testing.T) {
	step := 1
	if testing.Short() {
		step = 5
	}
	tables := hsvTables()
	type color [3]byte
	for a := 0; a < 256; a += step {
		for b := 0; b < 256; b += step {
			for c := range 256 {
				x, y, z := byte(a), byte(b), byte(c)
				var got, want color
				got[0], got[1], got[2] = tables.of(x, y, z)
				want[0], want[1], want[2] = toHSV(x, y, z)
				if got != want {
					t.Fatalf("HSV of %v: want %v, found %v", color{x, y, z}, want, got)
				}
				got[0], got[1], got[2] = tables.back(x, y, z)
				want[0], want[1], want[2] = fromHSV(x, y, z)
				if got != want {
					t.Fatalf("RGB of %v: want %v, found %v", color{x, y, z}, want, got)
				}
			}
		}
	}
}

// TestSaturation: the table of distances gives what blending does.
func TestSaturation(t *testing.T) {
	for _, k := range []float64{0, 0.31, 1, 1.3, 2} {
		m := noise(50, 40)
		want := imgio.New(m.W, m.H)
		for i := 0; i < len(m.Pix); i += 3 {
			g := grey(m.Pix[i:])
			for c, v := range m.Pix[i : i+3] {
				want.Pix[i+c] = blend(g, v, float32(k))
			}
		}
		saturation(m, k)
		for i, v := range m.Pix {
			if v != want.Pix[i] {
				t.Fatalf("factor %g, byte %d: want %d, found %d", k, i, want.Pix[i], v)
			}
		}
	}
}
