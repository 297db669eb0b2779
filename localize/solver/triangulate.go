package solver

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
)

// TriangulateTwo returns the point between two rays: centre c + λ·d with the
// direction d in the world (of any length but zero). It weights the points
// of closest approach by inverse depth, as the angles that they are seen under
// count (Lee and Civera, Triangulation: why optimize?, BMVC 2019, section 4;
// their inverse depth weighted midpoint). It is false where the rays are
// parallel to rounding or meet behind a camera.
func TriangulateTwo(c1, d1, c2, d2 r3.Vec) (r3.Vec, bool) {
	u1, u2 := r3.Unit(d1), r3.Unit(d2)
	base := r3.Sub(c2, c1)
	n := r3.Cross(u1, u2)
	n2 := r3.Norm2(n)
	if !(n2 > 1e-20) {
		return r3.Vec{}, false
	}
	// Depths of closest approach: λ1·u1 − λ2·u2 ≈ base.
	l1 := r3.Dot(r3.Cross(base, u2), n) / n2
	l2 := r3.Dot(r3.Cross(base, u1), n) / n2
	if !(l1 > 0 && l2 > 0) {
		return r3.Vec{}, false
	}
	p1, p2 := r3.Add(c1, r3.Scale(l1, u1)), r3.Add(c2, r3.Scale(l2, u2))
	w := l2 / (l1 + l2)
	return r3.Add(r3.Scale(w, p1), r3.Scale(1-w, p2)), true
}

// TriangulateLinear returns the point that is nearest, algebraically, to rays
// x in the frames of the cameras (unit vectors, one a pose, at least two): the
// smallest eigenvector of
//
//	Σ_i (P_i − x_i·x_iᵀ·P_i)ᵀ·(P_i − x_i·x_iᵀ·P_i),  P_i = [R_i | t_i]
//
// which is what COLMAP calls the multi-view triangulation. The sign of depths is
// not looked at. It is false where the point is at infinity or undetermined.
func TriangulateLinear(poses []geom.Pose, x []r3.Vec) (r3.Vec, bool) {
	if len(poses) < 2 || len(poses) != len(x) {
		return r3.Vec{}, false
	}
	// In coordinates about the first camera's centre, so that distance from
	// the world's origin costs no digits.
	origin := poses[0].Center()
	var a [16]float64
	for i := range poses {
		m := geom.Matrix(poses[i].R)
		t := r3.Add(poses[i].T, m.Apply(origin))
		p := [12]float64{m[0], m[1], m[2], t.X, m[3], m[4], m[5], t.Y, m[6], m[7], m[8], t.Z}
		ray := [3]float64{x[i].X, x[i].Y, x[i].Z}
		var term [12]float64
		for c := range 4 {
			along := ray[0]*p[c] + ray[1]*p[4+c] + ray[2]*p[8+c]
			for r := range 3 {
				term[4*r+c] = p[4*r+c] - ray[r]*along
			}
		}
		for r := range 4 {
			for c := range 4 {
				a[4*r+c] += term[r]*term[c] + term[4+r]*term[4+c] + term[8+r]*term[8+c]
			}
		}
	}
	var v [4]float64
	smallest, second := eigenSmallest(a[:], 4, v[:])
	if !(second > 1e-15*float64(len(poses))) || !(math.Abs(v[3]) > 1e-12) || math.IsNaN(smallest) {
		return r3.Vec{}, false
	}
	return r3.Add(origin, r3.Scale(1/v[3], r3.Vec{X: v[0], Y: v[1], Z: v[2]})), true
}
