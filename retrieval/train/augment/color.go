package augment

import (
	"math/rand/v2"

	"locbench/retrieval/imgio"
)

// jitter changes brightness, contrast, saturation and hue in a random order, as
// torchvision's ColorJitter does with a Pillow image.
func (p *Pipeline) jitter(m *imgio.Image, rng *rand.Rand) {
	changes := [...]struct {
		amount float64
		apply  func(*imgio.Image, float64)
		center float64
	}{
		{p.c.Brightness, brightness, 1},
		{p.c.Contrast, contrast, 1},
		{p.c.Saturation, saturation, 1},
		{p.c.Hue, hue, 0},
	}
	order := [...]int{0, 1, 2, 3}
	rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	for _, i := range order {
		if c := changes[i]; c.amount > 0 {
			c.apply(m, c.center+(2*rng.Float64()-1)*c.amount)
		}
	}
}

// blend returns (1−k)·a + k·b as Pillow's Image.blend does: in float32, cut off
// to a byte.
func blend(a, b byte, k float32) byte {
	return limit(int32(float32(a) + float32(k*float32(int(b)-int(a)))))
}

// limit is v within a byte's range.
func limit(v int32) byte {
	if uint32(v) < 256 {
		return byte(v)
	}
	return byte(^(v >> 31))
}

// brightness scales all channels by k.
func brightness(m *imgio.Image, k float64) {
	var t [256]byte
	for v := range t {
		t[v] = blend(0, byte(v), float32(k))
	}
	for i, v := range m.Pix {
		m.Pix[i] = t[v]
	}
}

// contrast scales the distance of all channels from the image's mean grey by k.
func contrast(m *imgio.Image, k float64) {
	sum := 0
	for i := 0; i < len(m.Pix); i += 3 {
		sum += int(grey(m.Pix[i : i+3]))
	}
	mean := byte(float64(sum)/float64(m.W*m.H) + 0.5)
	var t [256]byte
	for v := range t {
		t[v] = blend(mean, byte(v), float32(k))
	}
	for i, v := range m.Pix {
		m.Pix[i] = t[v]
	}
}

// saturation scales the distance of each channel from the pixel's grey by k.
func saturation(m *imgio.Image, k float64) {
	var t [511]float32 // by distance, from -255 on
	for d := range t {
		t[d] = float32(k) * float32(d-255)
	}
	for p := m.Pix; len(p) > 0; p = p[3:] {
		g := int(grey(p))
		for c, v := range p[:3] {
			p[c] = limit(int32(float32(g) + t[int(v)-g+255])) // as blend
		}
	}
}

// grey is the ITU-R 601 luma of a pixel in Pillow's 16-bit fixed point.
func grey(p []byte) byte {
	return byte((uint32(p[0])*19595 + uint32(p[1])*38470 + uint32(p[2])*7471 + 1<<15) >> 16)
}

// hue turns the hues by a share of the circle: to HSV in bytes, where the hue
// moves by a whole number of 1/255 of the circle and wraps at 256, and back.
func hue(m *imgio.Image, share float64) {
	shift := byte(int(share * 255)) // cut off towards 0, then modulo 256
	t := hsvTables()
	for p := m.Pix; len(p) > 0; p = p[3:] {
		h, s, v := t.of(p[0], p[1], p[2])
		p[0], p[1], p[2] = t.back(h+shift, s, v)
	}
}
