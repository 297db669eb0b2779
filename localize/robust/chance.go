package robust

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
)

// maxFalseAlarms is the expected number of models, of all that were tried, that
// would gather as many inliers if all correspondences were wrong. A result above
// it is no result.
const maxFalseAlarms = 1e-2

func noMoreThanChance(inliers, n int) string {
	return fmt.Sprintf("no more inliers than chance: %d of %d", inliers, n)
}

// falseAlarms returns the expected number of tests, out of the given number, in
// which at least k of n wrong correspondences are inliers, when each is with
// probability p (Moisan and Stival, A probabilistic criterion to detect rigid
// point matches, IJCV 2004).
func falseAlarms(tests float64, k, n int, p float64) float64 {
	switch {
	case k <= 0:
		return tests
	case p >= 1:
		return tests
	case k > n:
		return 0
	}
	return tests * mathext.RegIncBeta(float64(k), float64(n-k+1), p)
}

// beyondChance says whether so many inliers mean anything, after so many models
// were tried.
func (e *absolute) beyondChance(inliers, models int) bool {
	size := e.sampleSize()
	n := len(e.points)
	tests := math.Min(float64(models), 4*choose(n, size))
	// A wrong correspondence is within the radius by the share of the image
	// that the circle covers; the pixels themselves tell the image's size.
	lo, hi := e.points[0].pixel, e.points[0].pixel
	for i := range e.points {
		for k, v := range e.points[i].pixel {
			lo[k], hi[k] = math.Min(lo[k], v), math.Max(hi[k], v)
		}
	}
	side := 4 * e.options.MaxErrorPx
	area := math.Max(hi[0]-lo[0], side) * math.Max(hi[1]-lo[1], side)
	return falseAlarms(tests, inliers-size, n-size, math.Pi*e.limit/area) < maxFalseAlarms
}

// choose returns n over k.
func choose(n, k int) float64 {
	c := 1.0
	for i := range k {
		c *= float64(n-i) / float64(i+1)
	}
	return c
}
