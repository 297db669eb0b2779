package solver

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/num/quat"
	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
)

// random draws test problems.
type random struct{ *rand.Rand }

func newRandom(seed uint64) random { return random{rand.New(rand.NewPCG(seed, 0))} }

// vec is normally distributed with unit variance in each coordinate.
func (r random) vec() r3.Vec {
	return r3.Vec{X: r.NormFloat64(), Y: r.NormFloat64(), Z: r.NormFloat64()}
}

// pose has any rotation and a translation of a few metres.
func (r random) pose() geom.Pose {
	q, _ := geom.Normalize(quat.Number{Real: r.NormFloat64(), Imag: r.NormFloat64(), Jmag: r.NormFloat64(), Kmag: r.NormFloat64()})
	return geom.Pose{R: q, T: r3.Scale(3, r.vec())}
}

// ray is a unit vector within the field of view.
func (r random) ray(tan float64) r3.Vec {
	return r3.Unit(r3.Vec{X: tan * (2*r.Float64() - 1), Y: tan * (2*r.Float64() - 1), Z: 1})
}

// visible returns a world point along the ray at a depth of 1 to 20 m.
func (r random) visible(p geom.Pose, ray r3.Vec) r3.Vec {
	return p.Inverse().Apply(r3.Scale(1+19*r.Float64(), ray))
}

// apart is how far two poses are: metres plus radians.
func apart(a, b geom.Pose) float64 {
	return r3.Norm(r3.Sub(a.T, b.T)) + geom.Angle(a.R, b.R)
}

// nearest returns the distance of the nearest of the poses to want.
func nearest(poses []geom.Pose, want geom.Pose) float64 {
	best := math.Inf(1)
	for _, p := range poses {
		best = math.Min(best, apart(p, want))
	}
	return best
}
