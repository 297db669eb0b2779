package solver

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
)

// GP3P is [P3P] of several cameras on a rig: it writes the poses (world → rig)
// that map the world points X onto rays that start at o, with unit directions d,
// in the rig's frame, and returns how many there are (0 to 8):
//
//	o_i + λ_i·d_i = R·X_i + t,  λ_i > 0
//
// The three distances between the points are three quadrics in the depths (Nistér
// and Stewénius, A minimal solution to the generalised 3-point pose problem,
// JMIV 2007). With all rays from one point use P3P: the quadrics then have their
// common points in pairs ±λ, and lose digits.
func GP3P(o, d, X *[3]r3.Vec, out *[8]geom.Pose) int {
	pairs := [3][2]int{{0, 1}, {0, 2}, {1, 2}}
	var a [3]float64
	var largest float64
	for k, p := range pairs {
		a[k] = r3.Norm2(r3.Sub(X[p[0]], X[p[1]]))
		largest = math.Max(largest, a[k])
	}
	if !(largest > 0) {
		return 0
	}
	s := 1 / math.Sqrt(largest) // depths are found in units of the largest distance
	var q [3]quadratic
	for k, p := range pairs {
		i, j := p[0], p[1]
		between := r3.Scale(s, r3.Sub(o[i], o[j]))
		q[k][i], q[k][j] = 1, 1
		q[k][i+j+2] = -2 * r3.Dot(d[i], d[j])
		q[k][6+i], q[k][6+j] = 2*r3.Dot(d[i], between), -2*r3.Dot(d[j], between)
		q[k][9] = r3.Norm2(between) - a[k]*s*s
	}
	var world geom.Mat3
	if !frame(r3.Sub(X[1], X[0]), r3.Sub(X[2], X[0]), &world) {
		return 0
	}
	mean := r3.Scale(1./3, r3.Add(X[0], r3.Add(X[1], X[2])))
	var depths [maxQuadricPoints][3]float64
	count := 0
	for _, l := range depths[:intersectQuadrics(&q, &depths)] {
		var y [3]r3.Vec
		for i := range y {
			y[i] = r3.Add(o[i], r3.Scale(l[i]/s, d[i]))
		}
		if l[0] > 0 && l[1] > 0 && l[2] > 0 && align(&y, &world, mean, &out[count]) {
			count++
		}
	}
	return count
}
