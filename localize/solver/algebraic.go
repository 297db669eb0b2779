package solver

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// TriangulateAlgebraic returns the point that is nearest, algebraically, to pixels
// (u, v) without distortion under projection matrices P = K·[R|t] (row-major 3×4),
// in the world's own frame: the smallest eigenvector of
//
//	Σ_i (P_i − x_i·x_iᵀ·P_i)ᵀ·(P_i − x_i·x_iᵀ·P_i),  x_i the unit vector of (u, v, 1)
//
// It has no normalization, and loses digits far from the world's origin; the
// published tables of local SfM were made so. The sign of depths is not looked at.
// It is false where the point is at infinity.
func TriangulateAlgebraic(projections []([12]float64), pixels [][2]float64) (r3.Vec, bool) {
	if len(projections) < 2 || len(projections) != len(pixels) {
		return r3.Vec{}, false
	}
	var a [16]float64
	for i := range projections {
		p := &projections[i]
		u, v := pixels[i][0], pixels[i][1]
		norm := math.Sqrt(u*u + v*v + 1)
		ray := [3]float64{u / norm, v / norm, 1 / norm}
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
	smallest, _ := eigenSmallest(a[:], 4, v[:])
	if v[3] == 0 || math.IsNaN(smallest) {
		return r3.Vec{}, false
	}
	return r3.Scale(1/v[3], r3.Vec{X: v[0], Y: v[1], Z: v[2]}), true
}
