package solver

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
)

// P4Pf writes the poses and focal lengths of a camera with square pixels that
// maps four world points X to pixels u, counted from the principal point, with
// positive depths, and returns how many there are (0 to 8). Four points give one
// equation more than there are unknowns: the pixels' aspect ratio is left free
// and solutions whose ratio is far from one are left out.
//
// Of P = diag(f, f, 1)·[R | t], up to scale, the first two rows are in the null
// space of v·p₁·X = u·p₂·X, of dimension four, and the third follows linearly;
// that the rows of R are orthogonal are three quadrics (Bujnak, Kukelova and
// Pajdla, A general solution to the P4P problem for camera with unknown focal
// length, CVPR 2008; the elimination is that of Kukelova et al., CVPR 2016). For
// four points of one plane, the homography gives the focal length.
func P4Pf(u *[4][2]float64, X *[4]r3.Vec, poses *[8]geom.Pose, focals *[8]float64) int {
	p, ok := newFocalProblem(u, X)
	if !ok {
		return 0
	}
	var cameras [maxQuadricPoints][12]float64
	n := 0
	if p.planar() {
		n = p.fromPlane(&cameras)
	} else {
		n = p.fromSpace(&cameras)
	}
	count := 0
	for i := range n {
		if p.decompose(&cameras[i], &poses[count], &focals[count]) {
			count++
		}
	}
	return count
}

// focalProblem is the problem in units about one: of the image and of the world.
type focalProblem struct {
	u      [4][2]float64
	x      [4]r3.Vec
	pixel  float64 // pixels a unit
	meter  float64 // metres a unit
	center r3.Vec
}

func newFocalProblem(u *[4][2]float64, X *[4]r3.Vec) (p focalProblem, ok bool) {
	for i := range X {
		p.center = r3.Add(p.center, r3.Scale(0.25, X[i]))
		p.pixel = math.Max(p.pixel, math.Hypot(u[i][0], u[i][1]))
	}
	for i := range X {
		p.x[i] = r3.Sub(X[i], p.center)
		p.meter = math.Max(p.meter, r3.Norm(p.x[i]))
	}
	for i := range X {
		p.u[i] = [2]float64{u[i][0] / p.pixel, u[i][1] / p.pixel}
		p.x[i] = r3.Scale(1/p.meter, p.x[i])
		if !(u[i][0]*u[i][0]+u[i][1]*u[i][1] > 1e-12*p.pixel*p.pixel) {
			return p, false // on the axis, a pixel has no direction
		}
	}
	return p, p.pixel > 0 && p.meter > 0
}

// planar says that the points are on a plane to a thousandth of their extent.
func (p *focalProblem) planar() bool {
	a, b, c := r3.Sub(p.x[1], p.x[0]), r3.Sub(p.x[2], p.x[0]), r3.Sub(p.x[3], p.x[0])
	return math.Abs(r3.Dot(a, r3.Cross(b, c))) < 1e-3
}

// fromSpace writes the projection matrices for points that are not on a plane.
func (p *focalProblem) fromSpace(out *[maxQuadricPoints][12]float64) int {
	var a [32]float64
	for i, x := range p.x {
		u, v := p.u[i][0], p.u[i][1]
		copy(a[8*i:], []float64{v * x.X, v * x.Y, v * x.Z, v, -u * x.X, -u * x.Y, -u * x.Z, -u})
	}
	var basis [32]float64
	if !nullSpace(a[:], 4, 8, basis[:]) {
		return 0
	}
	// Third rows: X·p₃ = (u·p₁·X + v·p₂·X)/(u² + v²), for each of the basis.
	var m [32]float64
	for i, x := range p.x {
		u, v := p.u[i][0], p.u[i][1]
		row := m[8*i : 8*i+8]
		row[0], row[1], row[2], row[3] = x.X, x.Y, x.Z, 1
		for k := range 4 {
			b := basis[8*k : 8*k+8]
			first := b[0]*x.X + b[1]*x.Y + b[2]*x.Z + b[3]
			second := b[4]*x.X + b[5]*x.Y + b[6]*x.Z + b[7]
			row[4+k] = (u*first + v*second) / (u*u + v*v)
		}
	}
	if !eliminate(m[:], 4, 8) {
		return 0
	}
	var rows [3][3]linear // entries of the left 3×3, linear in the unknowns
	for k := range 4 {
		for c := range 3 {
			rows[0][c][k], rows[1][c][k], rows[2][c][k] = basis[8*k+c], basis[8*k+4+c], m[8*c+4+k]
		}
	}
	var q [3]quadratic
	for c := range 3 {
		q[0].addProduct(&rows[0][c], &rows[1][c], 1)
		q[1].addProduct(&rows[0][c], &rows[2][c], 1)
		q[2].addProduct(&rows[1][c], &rows[2][c], 1)
	}
	var points [maxQuadricPoints][3]float64
	n := intersectQuadrics(&q, &points)
	for i := range n {
		s := [4]float64{points[i][0], points[i][1], points[i][2], 1}
		out[i] = [12]float64{}
		for k := range 4 {
			for c := range 4 {
				out[i][c] += s[k] * basis[8*k+c]
				out[i][4+c] += s[k] * basis[8*k+4+c]
				out[i][8+c] += s[k] * m[8*c+4+k]
			}
		}
	}
	return n
}

// fromPlane writes the projection matrix for points on a plane: with the axes
// of the plane, P = H, whose first two columns are rows of a rotation times f.
func (p *focalProblem) fromPlane(out *[maxQuadricPoints][12]float64) int {
	var f geom.Mat3
	if !frame(r3.Sub(p.x[1], p.x[0]), r3.Sub(p.x[2], p.x[0]), &f) {
		return 0
	}
	var x1, x2 [4]r3.Vec
	for i := range p.x {
		y := f.Apply(p.x[i])
		x1[i] = r3.Vec{X: y.X, Y: y.Y, Z: 1}
		x2[i] = r3.Vec{X: p.u[i][0], Y: p.u[i][1], Z: 1}
	}
	var h geom.Mat3
	if Homography(&x1, &x2, &h) == 0 {
		return 0
	}
	// Columns a and b: orthogonal and of one length when their third entries
	// are multiplied by f. Two equations for f², the larger one decides.
	dot := [2]float64{h[0]*h[1] + h[3]*h[4], h[0]*h[0] + h[3]*h[3] - h[1]*h[1] - h[4]*h[4]}
	third := [2]float64{h[6] * h[7], h[6]*h[6] - h[7]*h[7]}
	f2 := -(dot[0]*third[0] + dot[1]*third[1]) / (third[0]*third[0] + third[1]*third[1])
	if !(f2 > 1e-4 && f2 < 1e6) {
		return 0
	}
	focal := math.Sqrt(f2)
	a, b := r3.Vec{X: h[0], Y: h[3], Z: focal * h[6]}, r3.Vec{X: h[1], Y: h[4], Z: focal * h[7]}
	c := r3.Scale(1/math.Sqrt(r3.Norm(a)*r3.Norm(b)), r3.Cross(a, b))
	// Back to the world's axes: [a b c]·f, and the height of the plane.
	r := geom.Mat3{a.X, b.X, c.X, a.Y, b.Y, c.Y, a.Z, b.Z, c.Z}
	r = r.Mul(&f)
	height := f.Apply(p.x[0]).Z
	t := r3.Sub(r3.Vec{X: h[2], Y: h[5], Z: focal * h[8]}, r3.Scale(height, c))
	out[0] = [12]float64{r[0], r[1], r[2], t.X, r[3], r[4], r[5], t.Y, r[6] / focal, r[7] / focal, r[8] / focal, t.Z / focal}
	return 1
}

// decompose splits a projection matrix; false where it is none of a camera with
// square pixels that has the points in front of it.
func (p *focalProblem) decompose(m *[12]float64, pose *geom.Pose, focal *float64) bool {
	rows := [3]r3.Vec{{X: m[0], Y: m[1], Z: m[2]}, {X: m[4], Y: m[5], Z: m[6]}, {X: m[8], Y: m[9], Z: m[10]}}
	n0, n1, n2 := r3.Norm(rows[0]), r3.Norm(rows[1]), r3.Norm(rows[2])
	if aspect := n0 / n1; !(aspect > 0.8 && aspect < 1.25) || !(n2 > 0) {
		return false
	}
	sign := 1.
	if r3.Dot(rows[0], r3.Cross(rows[1], rows[2])) < 0 {
		sign = -1
	}
	f := math.Sqrt(n0*n1) / n2
	r := geom.Mat3{
		sign * rows[0].X, sign * rows[0].Y, sign * rows[0].Z,
		sign * rows[1].X, sign * rows[1].Y, sign * rows[1].Z,
		sign * rows[2].X, sign * rows[2].Y, sign * rows[2].Z,
	}
	s := sign / n2
	t := r3.Vec{X: s * m[3] / f, Y: s * m[7] / f, Z: s * m[11]}
	r = orthonormal(&r)
	for _, x := range p.x {
		if !(r.Apply(x).Z+t.Z > 0) {
			return false
		}
	}
	*focal = f * p.pixel
	pose.R = r.Rotation()
	pose.T = r3.Sub(r3.Scale(p.meter, t), r.Apply(p.center))
	return true
}
