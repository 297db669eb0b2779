package solver

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
)

// P3P writes the poses that map the world points X onto the unit rays x with
// positive depths λ, and returns how many there are (0 to 4):
//
//	λ_i·x_i = R·X_i + t,  i = 0, 1, 2
//
// Two quadratic forms in the depths remain when the scale is taken out of the
// three equations |λ_i·x_i − λ_j·x_j|² = |X_i − X_j|². Their pencil holds a pair
// of lines, found as a root of a cubic; each line meets the conics in up to two
// points (Persson and Nordberg, Lambda Twist, ECCV 2018; Ding et al., Revisiting
// the P3P problem, CVPR 2023). The depths are then polished by Newton's method
// on the three equations, in a form without cancellation for narrow angles.
// Points on one line, or two in one place, have no solution.
func P3P(x, X *[3]r3.Vec, out *[4]geom.Pose) int {
	var d distances
	var depths [4][3]float64
	if !d.set(x, X) {
		return 0
	}
	n := d.depths(&depths)
	if n == 0 {
		return 0
	}
	var world geom.Mat3
	if !frame(r3.Sub(X[1], X[0]), r3.Sub(X[2], X[0]), &world) {
		return 0
	}
	mean := r3.Vec{X: (X[0].X + X[1].X + X[2].X) / 3, Y: (X[0].Y + X[1].Y + X[2].Y) / 3, Z: (X[0].Z + X[1].Z + X[2].Z) / 3}
	count := 0
	for i := range n {
		l := &depths[i]
		y := [3]r3.Vec{r3.Scale(l[0], x[0]), r3.Scale(l[1], x[1]), r3.Scale(l[2], x[2])}
		if align(&y, &world, mean, &out[count]) {
			count++
		}
	}
	return count
}

// distances is the problem of the depths: for the pairs (0,1), (0,2), (1,2)
// the squared distance of the points over the largest one, the cosine of the
// angle between the rays, and one minus it.
type distances struct {
	a, cos, gap [3]float64
	scale       float64 // of lengths, metres
}

func (d *distances) set(x, X *[3]r3.Vec) bool {
	pairs := [3][2]int{{0, 1}, {0, 2}, {1, 2}}
	var largest float64
	for k, p := range pairs {
		d.a[k] = r3.Norm2(r3.Sub(X[p[0]], X[p[1]]))
		d.gap[k] = r3.Norm2(r3.Sub(x[p[0]], x[p[1]])) / 2
		d.cos[k] = 1 - d.gap[k]
		largest = math.Max(largest, d.a[k])
	}
	for k := range d.a {
		d.a[k] /= largest
		if !(d.a[k] > 1e-20 && d.gap[k] > 0) {
			return false
		}
	}
	d.scale = math.Sqrt(largest)
	return true
}

// conic is a symmetric 3×3 matrix: entries 00, 01, 02, 11, 12, 22.
type conic [6]float64

// adjugate returns the adjugate matrix, of which a conic that is a pair of
// lines has −p·pᵀ, p being the point where they meet.
func (c *conic) adjugate() conic {
	return conic{
		c[3]*c[5] - c[4]*c[4], c[2]*c[4] - c[1]*c[5], c[1]*c[4] - c[2]*c[3],
		c[0]*c[5] - c[2]*c[2], c[1]*c[2] - c[0]*c[4], c[0]*c[3] - c[1]*c[1],
	}
}

// dot is the trace of the product.
func (c *conic) dot(o *conic) float64 {
	return c[0]*o[0] + c[3]*o[3] + c[5]*o[5] + 2*(c[1]*o[1]+c[2]*o[2]+c[4]*o[4])
}

// depths solves for the depths and returns how many solutions it wrote.
func (d *distances) depths(out *[4][3]float64) int {
	a01, a02, a12 := d.a[0], d.a[1], d.a[2]
	m01, m02, m12 := d.cos[0], d.cos[1], d.cos[2]
	c1 := conic{a12, -a12 * m01, 0, a12 - a01, a01 * m12, -a01}
	c2 := conic{a12, 0, -a12 * m02, -a02, a02 * m12, a12 - a02}
	pair, ok := linePair(&c1, &c2)
	if !ok {
		return 0
	}
	first, second := pair.lines()
	n := d.meet(first, &c1, &c2, out, 0)
	return d.meet(second, &c1, &c2, out, n)
}

// linePair returns the conic of the pencil γ·c1 + c2 that is a pair of lines;
// of several, the one whose lines are real and farthest from being one line.
func linePair(c1, c2 *conic) (best degenerate, ok bool) {
	adj1, adj2 := c1.adjugate(), c2.adjugate()
	e3, e0 := adj1.dot(c1)/3, adj2.dot(c2)/3
	e2, e1 := adj1.dot(c2), adj2.dot(c1)
	if math.Abs(e3) < math.Abs(e0) {
		c1, c2, e3, e2, e1, e0 = c2, c1, e0, e1, e2, e3
	}
	var roots [3]float64
	n := cubicRoots(e3, e2, e1, e0, &roots)
	quality := math.Inf(-1)
	for _, g := range roots[:n] {
		var p degenerate
		var size float64
		for i := range p.c {
			p.c[i] = g*c1[i] + c2[i]
			size += p.c[i] * p.c[i]
		}
		p.adj = p.c.adjugate()
		q := -math.Min(p.adj[0], math.Min(p.adj[3], p.adj[5])) / size
		if q > quality {
			quality, best = q, p
		}
	}
	return best, quality > -1e-6
}

// degenerate is a conic that is a pair of lines, with its adjugate.
type degenerate struct{ c, adj conic }

// lines splits the pair: C + [p]× has rank one, l·mᵀ (Richter-Gebert,
// Perspectives on Projective Geometry, section 11.1).
func (g *degenerate) lines() (l, m [3]float64) {
	var p [3]float64
	a := &g.adj
	switch {
	case a[0] <= a[3] && a[0] <= a[5]:
		p = [3]float64{a[0], a[1], a[2]}
		scaleBy(&p, a[0])
	case a[3] <= a[5]:
		p = [3]float64{a[1], a[3], a[4]}
		scaleBy(&p, a[3])
	default:
		p = [3]float64{a[2], a[4], a[5]}
		scaleBy(&p, a[5])
	}
	c := &g.c
	n := [3][3]float64{
		{c[0], c[1] - p[2], c[2] + p[1]},
		{c[1] + p[2], c[3], c[4] - p[0]},
		{c[2] - p[1], c[4] + p[0], c[5]},
	}
	row, column, largest := 0, 0, -1.0
	for i := range 3 {
		for j := range 3 {
			if v := math.Abs(n[i][j]); v > largest {
				row, column, largest = i, j, v
			}
		}
	}
	return n[row], [3]float64{n[0][column], n[1][column], n[2][column]}
}

// scaleBy divides p by √−d, d being the diagonal entry of the adjugate.
func scaleBy(p *[3]float64, d float64) {
	if !(d < 0) {
		*p = [3]float64{} // the lines coincide
		return
	}
	s := 1 / math.Sqrt(-d)
	p[0], p[1], p[2] = p[0]*s, p[1]*s, p[2]*s
}

// meet adds the points of positive depths where the line meets the conics.
func (d *distances) meet(line [3]float64, c1, c2 *conic, out *[4][3]float64, n int) int {
	// Component k of the line is its largest: depth k follows from the others.
	k := 0
	for i := 1; i < 3; i++ {
		if math.Abs(line[i]) > math.Abs(line[k]) {
			k = i
		}
	}
	if line[k] == 0 {
		return n
	}
	i, j := (k+1)%3, (k+2)%3
	u, v := -line[i]/line[k], -line[j]/line[k]
	// On the line all conics of the pencil are multiples of one form, in
	// t = λ_i/λ_j; the larger one has the more digits.
	p1, q1, r1 := c1.restrict(i, j, k, u, v)
	p2, q2, r2 := c2.restrict(i, j, k, u, v)
	if p1*p1+q1*q1+r1*r1 < p2*p2+q2*q2+r2*r2 {
		p1, q1, r1 = p2, q2, r2
	}
	if disc := q1*q1 - 4*p1*r1; disc < 0 && disc > -1e-2*q1*q1 {
		// Perhaps a double root that rounding has pulled off the real line, the
		// more so the nearer the points are to a line. Start on both sides of
		// it, as far away as it was pulled: polish finds out.
		r1 = (q1*q1 + disc) / (4 * p1)
	}
	var roots [2]float64
	for _, t := range roots[:quadraticRoots(p1, q1, r1, &roots)] {
		if !(t > 0 && u*t+v > 0) || n == len(out) {
			continue
		}
		var l [3]float64
		l[i], l[j], l[k] = t, 1, u*t+v
		if d.polish(&l) {
			out[n] = l
			n++
		}
	}
	return n
}

// restrict returns the coefficients of t², t and 1 of the form at
// λ_i = t, λ_j = 1, λ_k = u·t + v.
func (c *conic) restrict(i, j, k int, u, v float64) (t2, t1, t0 float64) {
	at := func(i, j int) float64 {
		if i > j {
			i, j = j, i
		}
		return c[i*(5-i)/2+j]
	}
	cii, cjj, ckk := at(i, i), at(j, j), at(k, k)
	cij, cik, cjk := at(i, j), at(i, k), at(j, k)
	return cii + u*(2*cik+u*ckk),
		2 * (cij + v*cik + u*(cjk+v*ckk)),
		cjj + v*(2*cjk+v*ckk)
}

// polish scales depths known up to scale and solves the three equations
// (λ_i − λ_j)² + 2·λ_i·λ_j·(1 − cos_ij) = a_ij by Newton's method. It is false
// where the residuals stay larger than rounding explains, as at a false
// intersection of a clamped root.
func (d *distances) polish(l *[3]float64) bool {
	s := 1 / math.Sqrt((d.form(l, 0)+d.form(l, 1)+d.form(l, 2))/(d.a[0]+d.a[1]+d.a[2]))
	x, y, z := l[0]*s, l[1]*s, l[2]*s
	const steps = 10
	for step := range steps {
		g := &d.gap
		e0 := (x-y)*(x-y) + 2*x*y*g[0] - d.a[0]
		e1 := (x-z)*(x-z) + 2*x*z*g[1] - d.a[1]
		e2 := (y-z)*(y-z) + 2*y*z*g[2] - d.a[2]
		worst := math.Max(math.Abs(e0), math.Max(math.Abs(e1), math.Abs(e2)))
		if limit := 1e-14 * (1 + x*x + y*y + z*z); worst <= limit || step == steps-1 {
			*l = [3]float64{x * d.scale, y * d.scale, z * d.scale}
			return worst <= 1e3*limit && x > 0 && y > 0 && z > 0
		}
		// Half the Jacobian: rows (p q 0), (r 0 s), (0 t u).
		p, q := x-y+y*g[0], y-x+x*g[0]
		r, s := x-z+z*g[1], z-x+x*g[1]
		t, u := y-z+z*g[2], z-y+y*g[2]
		det := -2 * (p*s*t + q*r*u)
		if det == 0 {
			return false
		}
		inv := 1 / det
		x -= inv * (-s*t*e0 - q*u*e1 + q*s*e2)
		y -= inv * (-r*u*e0 + p*u*e1 - p*s*e2)
		z -= inv * (r*t*e0 - p*t*e1 - q*r*e2)
	}
	return false
}

// form returns the squared distance of pair k at depths l.
func (d *distances) form(l *[3]float64, k int) float64 {
	i, j := [3]int{0, 0, 1}[k], [3]int{1, 2, 2}[k]
	return (l[i]-l[j])*(l[i]-l[j]) + 2*l[i]*l[j]*d.gap[k]
}

// align writes the pose that takes a triangle of the world, given by its frame
// and mean, to the triangle y.
func align(y *[3]r3.Vec, world *geom.Mat3, mean r3.Vec, out *geom.Pose) bool {
	var f geom.Mat3
	if !frame(r3.Sub(y[1], y[0]), r3.Sub(y[2], y[0]), &f) {
		return false
	}
	f = f.Transpose()
	r := f.Mul(world)
	to := r.Apply(mean)
	out.R = r.Rotation()
	out.T = r3.Vec{X: (y[0].X+y[1].X+y[2].X)/3 - to.X, Y: (y[0].Y+y[1].Y+y[2].Y)/3 - to.Y, Z: (y[0].Z+y[1].Z+y[2].Z)/3 - to.Z}
	return true
}

// frame writes the rows of an orthonormal frame: along a, in the plane of a
// and b, and across. It is false where a and b are parallel.
func frame(a, b r3.Vec, f *geom.Mat3) bool {
	na := r3.Norm2(a)
	c := r3.Cross(a, b)
	nc := r3.Norm2(c)
	if !(nc > 1e-24*na*r3.Norm2(b)) {
		return false
	}
	sa, sc := 1/math.Sqrt(na), 1/math.Sqrt(nc)
	a, c = r3.Scale(sa, a), r3.Scale(sc, c)
	b = r3.Cross(c, a)
	*f = geom.Mat3{a.X, a.Y, a.Z, b.X, b.Y, b.Z, c.X, c.Y, c.Z}
	return true
}
