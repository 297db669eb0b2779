package solver

import (
	"gonum.org/v1/gonum/spatial/r3"
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
