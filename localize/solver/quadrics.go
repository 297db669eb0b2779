package solver

import "math"

// maxQuadricPoints is how many points three quadrics have in common.
const maxQuadricPoints = 8

// intersectQuadrics writes the real points (x, y, z) on three quadrics, and
// returns how many there are (0 to 8).
//
// With y², z² and yz as unknowns the equations are linear, with coefficients
// that are polynomials in x. The identities (y²)z = (yz)y, (z²)y = (yz)z and
// (yz)² = y²z² then are linear in y, z and 1, so that a determinant of degree
// eight in x vanishes (Kukelova, Heller and Fitzgibbon, Efficient intersection
// of three quadrics, CVPR 2016). Of the three variables the one that leaves the
// best-conditioned equations plays x. Newton's method polishes.
func intersectQuadrics(q *[3]quadratic, out *[maxQuadricPoints][3]float64) int {
	lead, largest := 0, -1.0
	var rows [3][10]float64
	for k := range 3 {
		a := arrange(q, k)
		if d := math.Abs(squaresDet(&a)); d > largest {
			lead, largest, rows = k, d, a
		}
	}
	var flat [30]float64
	for i := range rows {
		copy(flat[10*i:], rows[i][:])
	}
	if !eliminate(flat[:], 3, 10) {
		return 0
	}
	var m [3][3]poly
	resultants(&flat, &m)
	det := polyDet(&m)
	var roots [maxDegree]float64
	count := 0
	for _, x := range roots[:realRoots(det.c[:det.n+1], &roots)] {
		y, z, ok := nullPoint(&m, x)
		if !ok {
			continue
		}
		var p [3]float64
		p[lead], p[(lead+1)%3], p[(lead+2)%3] = x, y, z
		if polishQuadrics(q, &p) {
			out[count] = p
			count++
		}
	}
	return count
}

// arrange returns the coefficients of y², z², yz | x², xy, xz, x, y, z, 1 with
// the variables turned so that number k plays x.
func arrange(q *[3]quadratic, k int) (a [3][10]float64) {
	x, y, z := k, (k+1)%3, (k+2)%3
	mixed := func(i, j int) int { return i + j + 2 } // xy 3, xz 4, yz 5
	for r := range q {
		c := &q[r]
		a[r] = [10]float64{
			c[y], c[z], c[mixed(y, z)],
			c[x], c[mixed(x, y)], c[mixed(x, z)], c[6+x], c[6+y], c[6+z], c[9],
		}
	}
	return a
}

// squaresDet is the determinant of the columns of y², z² and yz, relative to
// the size of the equations.
func squaresDet(a *[3][10]float64) float64 {
	scale := 1.0
	for r := range a {
		var sum float64
		for _, v := range a[r] {
			sum += v * v
		}
		scale *= math.Sqrt(sum)
	}
	d := a[0][0]*(a[1][1]*a[2][2]-a[1][2]*a[2][1]) - a[0][1]*(a[1][0]*a[2][2]-a[1][2]*a[2][0]) + a[0][2]*(a[1][0]*a[2][1]-a[1][1]*a[2][0])
	return d / scale
}

// poly is a polynomial of degree n, ascending.
type poly struct {
	c [9]float64
	n int
}

func (p poly) times(q poly) (r poly) {
	r.n = p.n + q.n
	for i := range p.n + 1 {
		for j := range q.n + 1 {
			r.c[i+j] += p.c[i] * q.c[j]
		}
	}
	return r
}

func (p poly) plus(q poly, s float64) poly {
	for i := range q.n + 1 {
		p.c[i] += s * q.c[i]
	}
	p.n = max(p.n, q.n)
	return p
}

func (p *poly) at(x float64) float64 {
	v := p.c[p.n]
	for i := p.n - 1; i >= 0; i-- {
		v = v*x + p.c[i]
	}
	return v
}

// resultants writes the matrix of polynomials in x that (y, z, 1) is a null
// vector of, given y², z² and yz, each as a·y + b·z + c.
func resultants(flat *[30]float64, m *[3][3]poly) {
	var a, b, c [3]poly
	for i := range 3 {
		r := flat[10*i : 10*i+10]
		a[i] = poly{c: [9]float64{-r[7], -r[4]}, n: 1}
		b[i] = poly{c: [9]float64{-r[8], -r[5]}, n: 1}
		c[i] = poly{c: [9]float64{-r[9], -r[6], -r[3]}, n: 2}
	}
	a1, a2, a3 := a[0], a[1], a[2]
	b1, b2, b3 := b[0], b[1], b[2]
	c1, c2, c3 := c[0], c[1], c[2]
	m[0] = [3]poly{
		b1.times(a2).plus(a3.times(b3), -1).plus(c3, -1),
		a1.times(b3).plus(b1.times(b2), 1).plus(c1, 1).plus(a3.times(b1), -1).plus(b3.times(b3), -1),
		a1.times(c3).plus(b1.times(c2), 1).plus(a3.times(c1), -1).plus(b3.times(c3), -1),
	}
	m[1] = [3]poly{
		a2.times(a1).plus(b2.times(a3), 1).plus(c2, 1).plus(a3.times(a3), -1).plus(b3.times(a2), -1),
		a2.times(b1).plus(a3.times(b3), -1).plus(c3, -1),
		a2.times(c1).plus(b2.times(c3), 1).plus(a3.times(c3), -1).plus(b3.times(c2), -1),
	}
	yy := a3.times(a3).plus(a1.times(a2), -1)
	zz := b3.times(b3).plus(b1.times(b2), -1)
	yz := a3.times(b3).plus(a3.times(b3), 1).plus(a1.times(b2), -1).plus(b1.times(a2), -1)
	m[2] = [3]poly{
		yy.times(a1).plus(zz.times(a2), 1).plus(yz.times(a3), 1).plus(a3.times(c3), 2).plus(a1.times(c2), -1).plus(c1.times(a2), -1),
		yy.times(b1).plus(zz.times(b2), 1).plus(yz.times(b3), 1).plus(b3.times(c3), 2).plus(b1.times(c2), -1).plus(c1.times(b2), -1),
		yy.times(c1).plus(zz.times(c2), 1).plus(yz.times(c3), 1).plus(c3.times(c3), 1).plus(c1.times(c2), -1),
	}
}

// polyDet is the determinant of a matrix of polynomials.
func polyDet(m *[3][3]poly) (d poly) {
	for i := range 3 {
		p, q := (i+1)%3, (i+2)%3
		minor := m[p][0].times(m[q][1]).plus(m[q][0].times(m[p][1]), -1)
		d = d.plus(minor.times(m[i][2]), 1)
	}
	return d
}

// nullPoint returns y and z at the root x.
func nullPoint(m *[3][3]poly, x float64) (y, z float64, ok bool) {
	var v [3][3]float64
	for i := range m {
		for j := range m[i] {
			v[i][j] = m[i][j].at(x)
		}
	}
	var best [3]float64
	largest := 0.
	for i := range 3 {
		a, b := &v[i], &v[(i+1)%3]
		c := [3]float64{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
		if n := c[0]*c[0] + c[1]*c[1] + c[2]*c[2]; n > largest {
			largest, best = n, c
		}
	}
	if best[2] == 0 {
		return 0, 0, false
	}
	return best[0] / best[2], best[1] / best[2], true
}

// polishQuadrics takes Newton steps to the common point near p; false where
// there is none.
func polishQuadrics(q *[3]quadratic, p *[3]float64) bool {
	const steps = 8
	for range steps {
		var a [12]float64
		x, y, z := p[0], p[1], p[2]
		small := true
		for i := range q {
			c := &q[i]
			e := c[0]*x*x + c[1]*y*y + c[2]*z*z + c[3]*x*y + c[4]*x*z + c[5]*y*z + c[6]*x + c[7]*y + c[8]*z + c[9]
			size := math.Abs(c[0]*x*x) + math.Abs(c[1]*y*y) + math.Abs(c[2]*z*z) + math.Abs(c[3]*x*y) + math.Abs(c[4]*x*z) +
				math.Abs(c[5]*y*z) + math.Abs(c[6]*x) + math.Abs(c[7]*y) + math.Abs(c[8]*z) + math.Abs(c[9])
			small = small && math.Abs(e) <= 1e-13*size
			row := a[4*i : 4*i+4]
			row[0] = 2*c[0]*x + c[3]*y + c[4]*z + c[6]
			row[1] = 2*c[1]*y + c[3]*x + c[5]*z + c[7]
			row[2] = 2*c[2]*z + c[4]*x + c[5]*y + c[8]
			row[3] = e
		}
		if small {
			return true
		}
		if !eliminate(a[:], 3, 4) {
			return false
		}
		for i := range p {
			p[i] -= a[4*i+3]
		}
	}
	return false
}
