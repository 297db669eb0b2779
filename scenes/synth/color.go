package synth

import "math"

// rgb is a colour in linear light: a reflectance in [0, 1], or a radiance.
type rgb struct{ R, G, B float64 }

func (c rgb) scale(k float64) rgb { return rgb{c.R * k, c.G * k, c.B * k} }
func (c rgb) add(d rgb) rgb       { return rgb{c.R + d.R, c.G + d.G, c.B + d.B} }
func (c rgb) times(d rgb) rgb     { return rgb{c.R * d.R, c.G * d.G, c.B * d.B} }

// blend returns c at t = 0 and d at t = 1.
func (c rgb) blend(d rgb, t float64) rgb {
	return rgb{c.R + (d.R-c.R)*t, c.G + (d.G-c.G)*t, c.B + (d.B-c.B)*t}
}

// luma is the relative luminance.
func (c rgb) luma() float64 { return 0.2126*c.R + 0.7152*c.G + 0.0722*c.B }

// linear8 holds the linear light of the 8-bit sRGB values.
var linear8 = func() (t [256]float64) {
	for i := range t {
		t[i] = toLinear(float64(i) / 255)
	}
	return t
}()

// hex returns the linear colour of an sRGB value 0xRRGGBB.
func hex(v uint32) rgb {
	return rgb{linear8[v>>16&255], linear8[v>>8&255], linear8[v&255]}
}

// toLinear and toSRGB are the transfer functions of IEC 61966-2-1.
func toLinear(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

func toSRGB(v float64) float64 {
	if v <= 0.0031308 {
		return 12.92 * v
	}
	return 1.055*math.Pow(v, 1/2.4) - 0.055
}

// muted returns one of many colours, none of them shrill.
func muted(h uint64) rgb {
	c := hex(uint32(h) & 0xFFFFFF)
	grey := c.luma()
	return c.blend(rgb{grey, grey, grey}, 0.4).scale(0.7).add(rgb{0.05, 0.045, 0.04})
}

// paint is what a surface shows at a point: the light it reflects, and the
// light it gives off by night.
type paint struct{ albedo, glow rgb }
