package solver

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
)

// FivePoint writes the essential matrices E of five correspondences of rays,
// with x2_iᵀ·E·x1_i = 0, scaled to unit norm, and returns how many there are (0
// to 10). The rays may have any length.
//
// E is a combination x·E₁ + y·E₂ + z·E₃ + E₄ of the null space of the five
// equations; det E = 0 and 2·E·Eᵀ·E − tr(E·Eᵀ)·E = 0 leave a polynomial of
// degree ten in z (Nistér, An efficient solution to the five-point relative
// pose problem, PAMI 2004), whose real roots Sturm's chain isolates.
func FivePoint(x1, x2 *[5]r3.Vec, out *[10]geom.Mat3) int {
	var a [45]float64
	for i := range x1 {
		outer(x2[i], x1[i], a[9*i:9*i+9])
	}
	var basis [36]float64
	if !nullSpace(a[:], 5, 9, basis[:]) {
		return 0
	}
	var e [9]linear
	for k := range 4 {
		for i := range 9 {
			e[i][k] = basis[9*k+i]
		}
	}
	var m [10][20]float64
	essentialConstraints(&e, &m)
	if !echelon(&m) {
		return 0
	}
	var b [3][3][5]float64
	for k := range 3 {
		combine(&m[4+2*k], &m[5+2*k], &b[k])
	}
	det := determinant(&b)
	var roots [maxDegree]float64
	n := realRoots(det[:], &roots)
	count := 0
	for _, z := range roots[:n] {
		if x, y, ok := planeRoot(&b, z); ok {
			essential(&e, x, y, z, &out[count])
			count++
		}
	}
	return count
}

// outer writes the nine products of the components, row by row of a.
func outer(a, b r3.Vec, row []float64) {
	_ = row[8]
	row[0], row[1], row[2] = a.X*b.X, a.X*b.Y, a.X*b.Z
	row[3], row[4], row[5] = a.Y*b.X, a.Y*b.Y, a.Y*b.Z
	row[6], row[7], row[8] = a.Z*b.X, a.Z*b.Y, a.Z*b.Z
}

// Polynomials in x, y and z. linear has the coefficients of x, y, z, 1;
// quadratic those of x², y², z², xy, xz, yz, x, y, z, 1; cubic those of the
// monomials in the order of the elimination:
//
//	x³ y³ x²y xy² x²z x² y²z y² xyz xy | xz² xz x yz² yz y z³ z² z 1
type (
	linear    [4]float64
	quadratic [10]float64
	cubic     = [20]float64
)

// addProduct adds s·a·b to q.
func (q *quadratic) addProduct(a, b *linear, s float64) {
	x, y, z, w := s*a[0], s*a[1], s*a[2], s*a[3]
	q[0] += x * b[0]
	q[1] += y * b[1]
	q[2] += z * b[2]
	q[3] += x*b[1] + y*b[0]
	q[4] += x*b[2] + z*b[0]
	q[5] += y*b[2] + z*b[1]
	q[6] += x*b[3] + w*b[0]
	q[7] += y*b[3] + w*b[1]
	q[8] += z*b[3] + w*b[2]
	q[9] += w * b[3]
}

// addCubic adds q·b to c.
func addCubic(c *cubic, q *quadratic, b *linear) {
	x, y, z, w := b[0], b[1], b[2], b[3]
	c[0] += q[0] * x
	c[1] += q[1] * y
	c[2] += q[0]*y + q[3]*x
	c[3] += q[1]*x + q[3]*y
	c[4] += q[0]*z + q[4]*x
	c[5] += q[0]*w + q[6]*x
	c[6] += q[1]*z + q[5]*y
	c[7] += q[1]*w + q[7]*y
	c[8] += q[3]*z + q[4]*y + q[5]*x
	c[9] += q[3]*w + q[6]*y + q[7]*x
	c[10] += q[2]*x + q[4]*z
	c[11] += q[4]*w + q[6]*z + q[8]*x
	c[12] += q[6]*w + q[9]*x
	c[13] += q[2]*y + q[5]*z
	c[14] += q[5]*w + q[7]*z + q[8]*y
	c[15] += q[7]*w + q[9]*y
	c[16] += q[2] * z
	c[17] += q[2]*w + q[8]*z
	c[18] += q[8]*w + q[9]*z
	c[19] += q[9] * w
}

// essentialConstraints writes the ten cubic equations: nine of the trace
// constraint, (E·Eᵀ − ½·tr(E·Eᵀ))·E = 0, and the determinant.
func essentialConstraints(e *[9]linear, m *[10][20]float64) {
	var s [6]quadratic // E·Eᵀ: 00 01 02 11 12 22
	k := 0
	for i := range 3 {
		for j := i; j < 3; j++ {
			for l := range 3 {
				s[k].addProduct(&e[3*i+l], &e[3*j+l], 1)
			}
			k++
		}
	}
	for i := range s[0] {
		half := (s[0][i] + s[3][i] + s[5][i]) / 2
		s[0][i] -= half
		s[3][i] -= half
		s[5][i] -= half
	}
	at := [3][3]int{{0, 1, 2}, {1, 3, 4}, {2, 4, 5}}
	for i := range 3 {
		for j := range 3 {
			for l := range 3 {
				addCubic(&m[3*i+j], &s[at[i][l]], &e[3*l+j])
			}
		}
	}
	for j := range 3 {
		var minor quadratic
		p, q := (j+1)%3, (j+2)%3
		minor.addProduct(&e[3+p], &e[6+q], 1)
		minor.addProduct(&e[3+q], &e[6+p], -1)
		addCubic(&m[9], &minor, &e[j])
	}
}

// echelon reduces the rows whose leading monomials are x²z, x², y²z, y², xyz
// and xy; the four above them only need to be pivots.
func echelon(m *[10][20]float64) bool {
	for c := range 10 {
		p := c
		for r := c + 1; r < 10; r++ {
			if math.Abs(m[r][c]) > math.Abs(m[p][c]) {
				p = r
			}
		}
		if !(math.Abs(m[p][c]) > 1e-14) {
			return false
		}
		if p != c {
			m[p], m[c] = m[c], m[p]
		}
		inv := 1 / m[c][c]
		for r := c + 1; r < 10; r++ {
			subtract(&m[r], &m[c], m[r][c]*inv, c)
		}
	}
	for c := 9; c >= 4; c-- {
		inv := 1 / m[c][c]
		for k := c; k < 20; k++ {
			m[c][k] *= inv
		}
		for r := 4; r < c; r++ {
			subtract(&m[r], &m[c], m[r][c], c)
		}
	}
	return true
}

// subtract takes f·b from a, from entry c on. Those before,
// of the same group of four, are zero in b but for rounding.
func subtract(a, b *[20]float64, f float64, c int) {
	for k := c &^ 3; k < 20; k += 4 {
		x, y := (*[4]float64)(a[k:]), (*[4]float64)(b[k:])
		x[0] -= f * y[0]
		x[1] -= f * y[1]
		x[2] -= f * y[2]
		x[3] -= f * y[3]
	}
}

// combine writes row e − z·row f, where e leads with z times the leading
// monomial of f: polynomials in z (ascending) that multiply x, y and 1.
func combine(e, f *[20]float64, b *[3][5]float64) {
	for k := range 2 {
		o := 10 + 3*k
		b[k] = [5]float64{e[o+2], e[o+1] - f[o+2], e[o] - f[o+1], -f[o]}
	}
	b[2] = [5]float64{e[19], e[18] - f[19], e[17] - f[18], e[16] - f[17], -f[16]}
}

// determinant returns that of a 3×3 matrix of polynomials of degrees 3, 3, 4 in
// its columns: degree 10, ascending.
func determinant(b *[3][3][5]float64) (d [11]float64) {
	for i := range 3 {
		p, q := (i+1)%3, (i+2)%3
		var minor [7]float64
		for s := range 4 {
			for t := range 4 {
				minor[s+t] += b[p][0][s]*b[q][1][t] - b[q][0][s]*b[p][1][t]
			}
		}
		for s := range 7 {
			for t := range 5 {
				d[s+t] += minor[s] * b[i][2][t]
			}
		}
	}
	return d
}

// planeRoot returns x and y at the root z: the null vector of the matrix, from
// its two rows that are farthest from parallel.
func planeRoot(b *[3][3][5]float64, z float64) (x, y float64, ok bool) {
	var v [3]r3.Vec
	for i := range 3 {
		p := &b[i]
		v[i] = r3.Vec{
			X: p[0][0] + z*(p[0][1]+z*(p[0][2]+z*p[0][3])),
			Y: p[1][0] + z*(p[1][1]+z*(p[1][2]+z*p[1][3])),
			Z: p[2][0] + z*(p[2][1]+z*(p[2][2]+z*(p[2][3]+z*p[2][4]))),
		}
	}
	var best r3.Vec
	for i := range 3 {
		if c := r3.Cross(v[i], v[(i+1)%3]); r3.Norm2(c) > r3.Norm2(best) {
			best = c
		}
	}
	if best.Z == 0 {
		return 0, 0, false
	}
	return best.X / best.Z, best.Y / best.Z, true
}

// essential writes x·E₁ + y·E₂ + z·E₃ + E₄ at unit norm.
func essential(e *[9]linear, x, y, z float64, out *geom.Mat3) {
	s := 1 / math.Sqrt(x*x+y*y+z*z+1) // the basis is orthonormal
	for i := range 9 {
		out[i] = s * (x*e[i][0] + y*e[i][1] + z*e[i][2] + e[i][3])
	}
}
