package augment

import (
	"errors"
	"fmt"
)

// Config says how images are changed. The zero value of everything but Size
// changes nothing: images are cropped at a random place.
type Config struct {
	Size int `yaml:"size"` // edge of the square output, pixels

	// The shorter side gets a length between ScaleMin and ScaleMax pixels,
	// log-uniform; both 0: the image keeps its size.
	ScaleMin int `yaml:"scale_min"`
	ScaleMax int `yaml:"scale_max"`
	// Upscale lets small images grow; else their own shorter side is the most.
	Upscale bool `yaml:"upscale"`
	// Aspect is the most by which width over height changes, up or down: 1.2
	// is a factor of 1/1.2 to 1.2, log-uniform; 0 and 1: it stays.
	Aspect float64 `yaml:"aspect"`

	Rotation float64 `yaml:"rotation"` // degrees, up to this to either side
	// Tilt moves two corners of the image apart, at one side of the four, by up
	// to this share of its longer side: the view from below, above, left or right.
	Tilt float64 `yaml:"tilt"`
	Flip bool    `yaml:"flip"` // left to right, every other image

	// Factors of 1 ± this; of hue a shift of up to this share of the circle.
	Brightness float64 `yaml:"brightness"`
	Contrast   float64 `yaml:"contrast"`
	Saturation float64 `yaml:"saturation"`
	Hue        float64 `yaml:"hue"`

	// Erase covers a rectangle with noise, each of whose sides is this share of
	// the image's at most and half of that at least.
	Erase float64 `yaml:"erase"`
	// BoxMargin is how much stays around an image's box: a share of the box's
	// shorter side.
	BoxMargin float64 `yaml:"box_margin"`
}

// Default returns the settings of training with crops of size pixels: the kinds
// of change that were published, in strengths that suit landmarks. Flips are
// off: they turn writing around.
func Default(size int) Config {
	return Config{Size: size, ScaleMin: size, ScaleMax: size + size/2, Upscale: true, Aspect: 1.2, Rotation: 6, Tilt: 0.1,
		Brightness: 0.3, Contrast: 0.3, Saturation: 0.3, Hue: 0.03, Erase: 0.3, BoxMargin: 0.5}
}

// Limits of a Config.
const (
	maxSize   = 4096
	maxAspect = 4
)

// Check reports all that is wrong with c.
func (c Config) Check() error {
	var errs []error
	want := func(ok bool, name, what string, found any) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s: want %s, found %v", name, what, found))
		}
	}
	in := func(name string, v, lo, hi float64) {
		want(v >= lo && v <= hi, name, fmt.Sprintf("%v to %v", lo, hi), v)
	}
	want(c.Size >= 1 && c.Size <= maxSize, "size", fmt.Sprintf("1 to %d pixels", maxSize), c.Size)
	want(c.ScaleMin >= 0 && c.ScaleMin <= c.ScaleMax && c.ScaleMax <= 4*maxSize && (c.ScaleMin > 0 || c.ScaleMax == 0), "scale_min, scale_max",
		fmt.Sprintf("both 0, or 1 to %d pixels in ascending order", 4*maxSize), fmt.Sprintf("%d, %d", c.ScaleMin, c.ScaleMax))
	want(c.Aspect == 0 || c.Aspect >= 1 && c.Aspect <= maxAspect, "aspect", fmt.Sprintf("0 or 1 to %d", maxAspect), c.Aspect)
	in("rotation", c.Rotation, 0, 180)
	in("tilt", c.Tilt, 0, 1)
	in("brightness", c.Brightness, 0, 1)
	in("contrast", c.Contrast, 0, 1)
	in("saturation", c.Saturation, 0, 1)
	in("hue", c.Hue, 0, 0.5)
	in("erase", c.Erase, 0, 1)
	in("box_margin", c.BoxMargin, 0, 10)
	return errors.Join(errs...)
}
