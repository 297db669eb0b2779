package augment

import "sync"

// hsv holds Pillow's conversions between RGB and HSV in bytes.
type hsv struct {
	// hues by which channels are the highest and the lowest, by what the middle one
	// lacks to the highest, and by the span from the lowest to the highest.
	hues [6][256][256]byte
	// saturations by span and highest channel.
	saturations [256][256]byte

	sector [256]byte    // by hue: sixth of the circle
	within [256]float64 // by hue: the place in it, from its end in even sixths
	share  [256]float64 // by saturation
}

var hsvTables = sync.OnceValue(func() *hsv {
	t := &hsv{}
	for span := 1; span < 256; span++ {
		for lack := range span + 1 {
			high, mid := byte(span), byte(span-lack)
			for i, c := range [6][3]byte{{high, 0, mid}, {high, mid, 0}, {0, high, mid}, {mid, high, 0}, {0, mid, high}, {mid, 0, high}} {
				t.hues[i][lack][span], _, _ = toHSV(c[0], c[1], c[2])
			}
		}
		for high := span; high < 256; high++ {
			low := byte(high - span)
			_, t.saturations[span][high], _ = toHSV(byte(high), low, low)
		}
	}
	for i := range 256 {
		fh := float32(float64(float32(i)*6) / 255)
		sector := int(fh)
		f := float64(fh - float32(sector))
		if sector%2 == 0 {
			f = 1 - f
		}
		t.sector[i], t.within[i] = byte(sector%6), f
		t.share[i] = float64(float32(float64(i) / 255))
	}
	return t
})

// toHSV is Pillow's conversion, in float32.
func toHSV(r, g, b byte) (h, s, v byte) {
	most, least := max(r, g, b), min(r, g, b)
	if most == least {
		return 0, 0, most
	}
	span := float32(most - least)
	rc, gc, bc := float32(most-r)/span, float32(most-g)/span, float32(most-b)/span
	var t float32
	switch most {
	case r:
		t = bc - gc
	case g:
		t = float32(2 + float64(rc) - float64(bc))
	default:
		t = float32(4 + float64(gc) - float64(rc))
	}
	turn := float64(t)/6 + 1
	if turn >= 1 {
		turn--
	}
	return byte(float64(float32(turn)) * 255), byte(float64(span/float32(most)) * 255), most
}

// of is toHSV.
func (t *hsv) of(r, g, b byte) (h, s, v byte) {
	order, high, mid, low := 0, r, b, g
	switch {
	case r >= g && r >= b:
		if b < g {
			order, mid, low = 1, g, b
		}
	case g >= b:
		order, high, mid, low = 2, g, b, r
		if b < r {
			order, mid, low = 3, r, b
		}
	default:
		order, high, mid, low = 4, b, g, r
		if g < r {
			order, mid, low = 5, r, g
		}
	}
	span := high - low
	return t.hues[order][high-mid][span], t.saturations[span][high], high
}

// back is Pillow's conversion from HSV.
func (t *hsv) back(h, s, v byte) (r, g, b byte) {
	if s == 0 {
		return v, v, v
	}
	level := func(k float64) byte { return byte(float64(float64(v)*k) + 0.5) }
	p := level(1 - t.share[s])
	x := level(1 - float64(t.share[s]*t.within[h]))
	switch t.sector[h] {
	case 0:
		return v, x, p
	case 1:
		return x, v, p
	case 2:
		return p, v, x
	case 3:
		return p, x, v
	case 4:
		return x, p, v
	}
	return v, p, x
}
