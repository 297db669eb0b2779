package loss

import "math"

// Triplet is the mean over triplets of an anchor, a positive and a negative of
//
//	max(0, Margin + d(a,p) − d(a,n))   or   ln(1 + exp(d(a,p) − d(a,n)))
//
// where d is the Euclidean distance of the descriptors, with 1e-6 added to every
// difference of coordinates as PyTorch does. Every pair of an anchor and a
// positive of the batch is a triplet with each of the Negatives negatives that
// are nearest to the anchor (hard-negative mining, Gordo et al., section 3.4).
type Triplet struct {
	Margin float64
	LogExp bool // the second form, which has no margin
	// Swap takes d(p,n) for d(a,n) where it is less (Balntas et al., BMVC 2016).
	Swap      bool
	Negatives int // of each pair
	// SemiHard takes only negatives that are farther from the anchor than the
	// positive is, if there are any (Schroff et al., CVPR 2015): the hardest
	// ones of all can pull an untrained network to one point.
	SemiHard bool
}

const distanceEps = 1e-6

// triplet holds the scratch of one triplet: differences of its descriptors.
type triplet struct{ positive, negative, swapped []float64 }

func newTriplet(dim int) *triplet {
	return &triplet{make([]float64, dim), make([]float64, dim), make([]float64, dim)}
}

// differ fills d with a−b and returns its length.
func differ[T float32 | float64](d []float64, a, b []T) float64 {
	var sum float64
	for i := range d {
		d[i] = float64(a[i]) - float64(b[i]) + distanceEps
		sum += d[i] * d[i]
	}
	return math.Sqrt(sum)
}

// gradients of a triplet at anchor, positive and negative, added to.
type tripletGrad struct{ anchor, positive, negative []float64 }

// addTriplet returns the loss of one triplet, and adds scale times its gradient.
func addTriplet[T float32 | float64](t Triplet, work *triplet, of [3][]T, scale float64, g tripletGrad) float64 {
	a, p, n := of[0], of[1], of[2]
	dp := differ(work.positive, a, p)
	dn := differ(work.negative, a, n)
	swapped := false
	if t.Swap {
		if d := differ(work.swapped, p, n); d < dn {
			dn, swapped = d, true
		}
	}
	value, slope := t.at(dp - dn)
	if slope == 0 {
		return value
	}
	slope *= scale
	addScaled(g.anchor, g.positive, work.positive, slope/dp)
	if swapped {
		addScaled(g.positive, g.negative, work.swapped, -slope/dn)
	} else {
		addScaled(g.anchor, g.negative, work.negative, -slope/dn)
	}
	return value
}

// at returns the loss at a difference of distances, and its derivative.
func (t Triplet) at(d float64) (value, slope float64) {
	if t.LogExp {
		e := math.Exp(-math.Abs(d)) // never overflows
		slope = 1 / (1 + e)
		if d < 0 {
			slope = e / (1 + e)
		}
		return max(d, 0) + math.Log1p(e), slope
	}
	if v := d + t.Margin; v > 0 {
		return v, 1
	}
	return 0, 0
}

// addScaled adds s·d to from and takes it from to: the gradient of s·|from−to|
// for d, the difference over its length.
func addScaled(from, to, d []float64, s float64) {
	for i, v := range d {
		from[i] += s * v
		to[i] -= s * v
	}
}
