package synth

import (
	"image"
	"math"
	"math/rand/v2"
)

// exposure is how a camera turns light into bytes.
type exposure struct {
	gain    float64 // of the light before the tone curve
	balance rgb     // white balance
	blur    float64 // standard deviation, pixels
	shake   float64 // length of horizontal motion blur, pixels
	shot    float64 // noise that grows with the root of the light, grey levels
	read    float64 // noise in the dark, grey levels
}

// mappingExposure is that of the rig: steady and clean.
func mappingExposure() exposure {
	return exposure{gain: 1, balance: rgb{1, 1, 1}, shot: 1, read: 0.6}
}

// dayExposure draws an exposure and a white balance of a handheld camera.
func dayExposure(r *rand.Rand) exposure {
	return exposure{
		gain:    math.Exp2(between(r, -0.7, 0.6)),
		balance: rgb{between(r, 0.88, 1.14), 1, between(r, 0.86, 1.16)},
		blur:    between(r, 0, 0.45), shot: between(r, 1, 2.5), read: between(r, 0.5, 1.5),
	}
}

// nightExposure draws one of a camera at its limits: noise, a warm cast and a
// shaking hand.
func nightExposure(r *rand.Rand) exposure {
	return exposure{
		gain:    math.Exp2(between(r, 1.5, 2.5)),
		balance: rgb{between(r, 1, 1.12), between(r, 0.93, 1), between(r, 0.75, 1.05)},
		blur:    between(r, 0.5, 1), shake: between(r, 0, 2.2), shot: between(r, 5, 9), read: between(r, 3, 6),
	}
}

// develop blurs, exposes, adds noise and quantizes. It changes f.
func (f *film) develop(e exposure, r *rand.Rand) *image.RGBA {
	if e.blur > 0.2 {
		f.blur(gaussian(e.blur), 1)
		f.blur(gaussian(e.blur), f.width)
	}
	if e.shake > 1 {
		f.blur(streak(e.shake), 1)
	}
	img := image.NewRGBA(image.Rect(0, 0, f.width, f.height))
	for i, c := range f.pixels {
		x, y := 2*float64(i%f.width)/float64(f.width)-1, 2*float64(i/f.width)/float64(f.height)-1
		c = c.times(e.balance).scale(e.gain * (1 - 0.09*(x*x+y*y)))
		sd := e.read + e.shot*math.Sqrt(min(c.luma(), 1))
		grain := r.NormFloat64() * sd
		img.Pix[4*i] = level(c.R, grain+0.45*sd*r.NormFloat64())
		img.Pix[4*i+1] = level(c.G, grain)
		img.Pix[4*i+2] = level(c.B, grain+0.6*sd*r.NormFloat64())
		img.Pix[4*i+3] = 255
	}
	return img
}

// curve holds the grey levels of linear light in steps of 1/1024 up to 4: a
// shoulder for the highlights (Reinhard, white at 4), then the sRGB transfer.
var curve = func() (t [4097]float64) {
	for i := range t {
		v := float64(i) / 1024
		t[i] = 255 * toSRGB(v*1.12*(1+v/16)/(1+v*0.28))
	}
	return t
}()

// level returns the byte of a channel with noise added after the tone curve.
func level(v, noise float64) uint8 {
	x := clamp(v/4) * 4096
	i := min(int(x), 4095)
	a := x - float64(i)
	return uint8(min(max(curve[i]*(1-a)+curve[i+1]*a+noise+0.5, 0), 255))
}

func gaussian(sd float64) []float64 {
	n := int(math.Ceil(2.5 * sd))
	k := make([]float64, 2*n+1)
	for i := range k {
		d := float64(i-n) / sd
		k[i] = math.Exp(-d * d / 2)
	}
	return normalize(k)
}

// streak is a box of fractional length.
func streak(length float64) []float64 {
	n := int(math.Ceil((length - 1) / 2))
	k := make([]float64, 2*n+1)
	for i := range k {
		k[i] = clamp((length+1)/2 - math.Abs(float64(i-n)))
	}
	return normalize(k)
}

func normalize(k []float64) []float64 {
	sum := 0.0
	for _, v := range k {
		sum += v
	}
	for i := range k {
		k[i] /= sum
	}
	return k
}

// blur convolves with kernel k along rows (stride 1) or columns (stride
// width); the image goes on beyond its border as it ends there.
func (f *film) blur(k []float64, stride int) {
	src := append([]rgb(nil), f.pixels...)
	half := len(k) / 2
	for i := range f.pixels {
		at, end := i%f.width, f.width-1
		if stride != 1 {
			at, end = i/f.width, f.height-1
		}
		var sum rgb
		for j, w := range k {
			d := min(max(at+j-half, 0), end) - at
			sum = sum.add(src[i+d*stride].scale(w))
		}
		f.pixels[i] = sum
	}
}
