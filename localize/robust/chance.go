package robust

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
)

// maxFalseAlarms is the expected number of models, of all that were tried, that
// would fit as well if all correspondences were wrong. A result above it is no
// result.
const maxFalseAlarms = 1e-2

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
	other := swapped(n, e.limit, e.swapped(m))
	c := crowd{n: n, size: size, tests: math.Min(float64(models), maxModels*choose(n, size)),
		share: func(d float64) float64 { return math.Max(circle*d*d, other(d)) }}
	return c.falseAlarms(e.errors(m)) < maxFalseAlarms
}

// swapped returns the squared distance of the projection of point i from the pixel
// of correspondence j; false if that says nothing about chance.
func (e *poser) swapped(m *placed) func(i, j int) (float64, bool) {
	r := geom.Matrix(m.pose.R)
	at, cached := [2]float64{}, -1
	var seen bool
	return func(i, j int) (float64, bool) {
		a, b := &e.points[i], &e.points[j]
		if a.sensor != b.sensor || a.pixel == b.pixel || a.x == b.x {
			return 0, false
		}
		if cached != i {
			cached = i
			at[0], at[1], _, seen = e.project(a, e.sensors[a.sensor].inCamera(r3.Add(r.Apply(a.x), m.pose.T)), m.focal)
		}
		if !seen {
			return math.Inf(1), true
		}
		u, v := at[0]-b.pixel[0], at[1]-b.pixel[1]
		return u*u + v*v, true
	}
}

// most is how many correspondences swapped looks at.
const most = 256

// swapped returns how likely a correspondence of n is within a distance when its
// two sides come from different ones: a model under which everything falls into one
// place, where many pixels are, fits by chance more often than pixels all over the
// image would let it. squared says how far apart the sides of two are.
func swapped(n int, limit float64, squared func(i, j int) (float64, bool)) func(d float64) float64 {
	m := min(n, most)
	var near []float64
	pairs := 0
	for a := range m {
		for b := range m {
			i, j := a*n/m, b*n/m
			if i == j {
				continue
			}
			if d, ok := squared(i, j); ok {
				pairs++
				if d <= limit {
					near = append(near, d)
				}
			}
		}
	}
	slices.Sort(near)
	return func(d float64) float64 {
		k, _ := slices.BinarySearch(near, math.Nextafter(d*d, math.Inf(1)))
		return float64(k) / float64(max(pairs, 1))
	}
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
	other := swapped(n, e.limit, func(i, j int) (float64, bool) {
		a, b := e.matches[i], &e.matches[j]
		if a.pixel1 == b.pixel1 || a.pixel2 == b.pixel2 {
			return 0, false
		}
		a.pixel2, a.b, a.vb = b.pixel2, b.b, b.vb
		return a.sampson(f), true
	})
	c := crowd{n: n, size: size, tests: math.Min(float64(models), maxModels*choose(n, size)),
		share: func(d float64) float64 {
			return math.Max(2*math.Sqrt2*d*math.Hypot(w, h)/(w*h), other(d))
		}}
	return c.falseAlarms(e.errors(f)) < maxFalseAlarms
}
