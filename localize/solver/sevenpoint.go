package solver

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
)

// SevenPoint writes the fundamental matrices F of seven correspondences, with
// x2_iᵀ·F·x1_i = 0 and det F = 0, scaled to unit norm, and returns how many
// there are (0 to 3). x1 and x2 are homogeneous points; of pixels, subtract the
// centre and divide by the focal length or half the image's size first.
//
// F is a combination of the two-dimensional null space of the equations; the
// determinant is a cubic in it (Hartley and Zisserman, Multiple View Geometry,
// section 11.1.2).
func SevenPoint(x1, x2 *[7]r3.Vec, out *[3]geom.Mat3) int {
	var a [63]float64
	for i := range x1 {
		outer(x2[i], x1[i], a[9*i:9*i+9])
	}
	var basis [18]float64
	if !nullSpace(a[:], 7, 9, basis[:]) {
		return 0
	}
	f, g := geom.Mat3(basis[:9]), geom.Mat3(basis[9:])
	// det(f + t·g): the mixed terms are traces with the cofactors.
	c0, c3 := f.Det(), g.Det()
	c1, c2 := mixedDet(&f, &g), mixedDet(&g, &f)
	if math.Abs(c3) < math.Abs(c0) {
		f, g, c0, c1, c2, c3 = g, f, c3, c2, c1, c0
	}
	var roots [3]float64
	n := cubicRoots(c3, c2, c1, c0, &roots)
	for i, t := range roots[:n] {
		s := 1 / math.Sqrt(1+t*t)
		for k := range 9 {
			out[i][k] = s * (f[k] + t*g[k])
		}
	}
	return n
}

// mixedDet returns the coefficient of t in det(f + t·g): with the rows of one
// replaced in the other, one at a time.
func mixedDet(f, g *geom.Mat3) float64 {
	var sum float64
	for r := range 3 {
		m := *f
		copy(m[3*r:3*r+3], g[3*r:3*r+3])
		sum += m.Det()
	}
	return sum
}
