package robust

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"

	"locbench/kapture/geom"
)

// maxFalseAlarms is the expected number of models, of all that were tried, that
// would fit as well if all correspondences were wrong. A result above it is no
// result.
const maxFalseAlarms = 1e-3

func noMoreThanChance(inliers, n int) string {
	return fmt.Sprintf("no more inliers than chance: %d of %d", inliers, n)
}

// crowd is what a model that fits by chance is judged by.
type crowd struct {
	n     int     // correspondences
	size  int     // of a minimal sample, which always fits
	tests float64 // models that were tried
	// share is the probability that a wrong correspondence has an error of at
	// most d pixels.
	share func(d float64) float64
}

// falseAlarms returns the expected number of models that fit as well as one
// whose inliers have the given squared errors, which it sorts, if all
// correspondences are wrong: for the k smallest errors, with k chosen to the
// model's advantage and paid for, the chance that so many of n are as small
// (Moisan and Stival, A probabilistic criterion to detect rigid point matches,
// IJCV 2004).
func (c *crowd) falseAlarms(squared []float64) float64 {
	slices.Sort(squared)
	least := 1.
	n := c.n - c.size
	for i, d := range squared {
		k := i + 1 - c.size
		if k <= 0 {
			continue
		}
		if p := c.share(math.Sqrt(d)); p < 1 {
			least = math.Min(least, mathext.RegIncBeta(float64(k), float64(n-k+1), math.Max(p, 1e-12)))
		}
	}
	return c.tests * float64(max(len(squared)-c.size, 1)) * least
}

// extent is the size of the box about some pixels.
type extent struct {
	some   bool
	lo, hi [2]float64
}

func (x *extent) add(p [2]float64) {
	if !x.some {
		*x = extent{some: true, lo: p, hi: p}
	}
	for k, v := range p {
		x.lo[k], x.hi[k] = math.Min(x.lo[k], v), math.Max(x.hi[k], v)
	}
}

// size returns width and height, at least the given side.
func (x *extent) size(side float64) (w, h float64) {
	return math.Max(x.hi[0]-x.lo[0], side), math.Max(x.hi[1]-x.lo[1], side)
}

// choose returns n over k.
func choose(n, k int) float64 {
	c := 1.0
	for i := range k {
		c *= float64(n-i) / float64(i+1)
	}
	return c
}

// beyondChance says whether the inliers mean anything, after so many models
// were tried. A wrong correspondence is within a distance by the share of the
// image that the circle covers; the pixels themselves tell the image's size.
func (e *poser) beyondChance(m *placed, models int) bool {
	size, n := e.sampleSize(), len(e.points)
	var circle float64 // share of a circle of one pixel
	for i := range e.sensors {
		var box extent
		for k := range e.points {
			if c := &e.points[k]; c.sensor == i {
				box.add(c.pixel)
			}
		}
		if w, h := box.size(4 * e.options.MaxErrorPx); e.sensors[i].size > 0 {
			circle += math.Pi / (w * h) * float64(e.sensors[i].size) / float64(n)
		}
	}
	c := crowd{n: n, size: size, tests: math.Min(float64(models), maxModels*choose(n, size)),
		share: func(d float64) float64 { return circle * d * d }}
	return c.falseAlarms(e.errors(m)) < maxFalseAlarms
}

// beyondChance says whether the inliers mean anything, after so many models
// were tried. A wrong match is within a Sampson error of d pixels if it lies in
// a band about the epipolar line, √2·d to either side if the second image has
// to account for all of it.
func (e *relative) beyondChance(f *geom.Mat3, models int) bool {
	var box extent
	for i := range e.matches {
		box.add(e.matches[i].pixel2)
	}
	w, h := box.size(4 * e.options.MaxErrorPx)
	size, n := e.sampleSize(), len(e.matches)
	c := crowd{n: n, size: size, tests: math.Min(float64(models), maxModels*choose(n, size)),
		share: func(d float64) float64 { return 2 * math.Sqrt2 * d * math.Hypot(w, h) / (w * h) }}
	return c.falseAlarms(e.errors(f)) < maxFalseAlarms
}
