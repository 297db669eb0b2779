package solver

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
)

// Homography writes the matrix H, of unit norm, with H·x1_i ∥ x2_i for four
// correspondences of homogeneous points (Z = 1, near the unit square), and
// returns 1; or 0 where three points are on one line in one of the images.
//
// H = B·A⁻¹, where A and B map the four points of the projective basis to those
// of each image: exact, without solving eight equations.
func Homography(x1, x2 *[4]r3.Vec, out *geom.Mat3) int {
	a, ok1 := basis(x1)
	b, ok2 := basis(x2)
	if !ok1 || !ok2 {
		return 0
	}
	inv := a.Inverse()
	*out = b.Mul(&inv)
	var sum float64
	for _, v := range out {
		sum += v * v
	}
	s := 1 / math.Sqrt(sum)
	for i := range out {
		out[i] *= s
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return 0
	}
	return 1
}

// basis returns the matrix that maps the unit vectors to multiples of the first
// three points and their sum to one of the fourth.
func basis(x *[4]r3.Vec) (geom.Mat3, bool) {
	m := geom.Mat3{x[0].X, x[1].X, x[2].X, x[0].Y, x[1].Y, x[2].Y, x[0].Z, x[1].Z, x[2].Z}
	det := m.Det()
	size := r3.Norm(x[0]) * r3.Norm(x[1]) * r3.Norm(x[2])
	if !(math.Abs(det) > 1e-10*size) {
		return m, false
	}
	inv := m.Inverse()
	s := inv.Apply(x[3])
	for _, v := range [3]float64{s.X, s.Y, s.Z} {
		if !(math.Abs(v) > 1e-10) {
			return m, false
		}
	}
	for r := range 3 {
		m[3*r] *= s.X
		m[3*r+1] *= s.Y
		m[3*r+2] *= s.Z
	}
	return m, true
}

// HomographyDLT writes the matrix H, of unit norm, that comes nearest to
// H·x1_i ∥ x2_i, algebraically, for four or more correspondences: the smallest
// eigenvector of the sum of the squared equations x2 × H·x1 = 0 (Hartley and
// Zisserman, section 4.1). It returns 0 where they do not determine it.
func HomographyDLT(x1, x2 []r3.Vec, out *geom.Mat3) int {
	if len(x1) < 4 || len(x1) != len(x2) {
		return 0
	}
	var a [81]float64
	for i := range x1 {
		c := geom.Cross(x2[i])
		for r := range 3 {
			var row [9]float64
			for k := range 3 {
				row[3*k], row[3*k+1], row[3*k+2] = c[3*r+k]*x1[i].X, c[3*r+k]*x1[i].Y, c[3*r+k]*x1[i].Z
			}
			for p := range 9 {
				for q := range 9 {
					a[9*p+q] += row[p] * row[q]
				}
			}
		}
	}
	smallest, second := eigenSmallest(a[:], 9, out[:])
	if !(second > 1e-12*float64(len(x1))) || math.IsNaN(smallest) {
		return 0
	}
	return 1
}
