package solver

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
)

// Essential returns [t]×·R of a relative pose, the matrix of which all
// correspondences have x2ᵀ·E·x1 = 0.
func Essential(p geom.Pose) geom.Mat3 {
	t, r := geom.Cross(p.T), geom.Matrix(p.R)
	return t.Mul(&r)
}

// Decompose writes the four relative poses of an essential matrix: two
// rotations, each with the translation ±t at unit length. It returns 0 for a
// matrix of rank one or zero.
//
// The closed form needs no singular values: of the products of the rows of E
// the largest is the direction of t, and R = (cof(E) ∓ [t]×·E)/|t|² (Horn,
// Recovering baseline and orientation from essential matrix, 1990), made
// orthonormal.
func Decompose(e *geom.Mat3, out *[4]geom.Pose) int {
	// Columns of E are orthogonal to t.
	c := [3]r3.Vec{{X: e[0], Y: e[3], Z: e[6]}, {X: e[1], Y: e[4], Z: e[7]}, {X: e[2], Y: e[5], Z: e[8]}}
	products := [3]r3.Vec{r3.Cross(c[1], c[2]), r3.Cross(c[2], c[0]), r3.Cross(c[0], c[1])}
	t := products[0]
	for _, p := range products[1:] {
		if r3.Norm2(p) > r3.Norm2(t) {
			t = p
		}
	}
	size := r3.Norm2(c[0]) + r3.Norm2(c[1]) + r3.Norm2(c[2])
	if !(r3.Norm(t) > 1e-12*size) {
		return 0
	}
	t = r3.Unit(t)
	// With |t| = 1 the norm of E is √2.
	scale := 1.4142135623730951 / math.Sqrt(size)
	var n geom.Mat3
	for i := range n {
		n[i] = e[i] * scale
	}
	cofactor := geom.Mat3{
		n[4]*n[8] - n[5]*n[7], n[5]*n[6] - n[3]*n[8], n[3]*n[7] - n[4]*n[6],
		n[2]*n[7] - n[1]*n[8], n[0]*n[8] - n[2]*n[6], n[1]*n[6] - n[0]*n[7],
		n[1]*n[5] - n[2]*n[4], n[2]*n[3] - n[0]*n[5], n[0]*n[4] - n[1]*n[3],
	}
	tx := geom.Cross(t)
	te := tx.Mul(&n)
	for k, sign := range [2]float64{-1, 1} {
		var r geom.Mat3
		for i := range r {
			r[i] = cofactor[i] + sign*te[i]
		}
		q := orthonormal(&r).Rotation()
		out[2*k] = geom.Pose{R: q, T: t}
		out[2*k+1] = geom.Pose{R: q, T: r3.Scale(-1, t)}
	}
	return 4
}
