package solver

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
)

// eigenSmallest overwrites the symmetric n×n matrix a (row-major, n ≤ 9) and
// writes the unit eigenvector of its smallest eigenvalue to v. It returns the
// two smallest eigenvalues: where they are equal, v is arbitrary. Jacobi's
// method: exact to rounding relative to the norm of a, whatever the gap.
func eigenSmallest(a []float64, n int, v []float64) (smallest, second float64) {
	var store [81]float64
	vectors := store[:n*n]
	for i := range n {
		vectors[i*n+i] = 1
	}
	const sweeps = 30
	for range sweeps {
		if !jacobiSweep(a, vectors, n) {
			break
		}
	}
	k := 0
	for i := 1; i < n; i++ {
		if a[i*n+i] < a[k*n+k] {
			k = i
		}
	}
	second = math.Inf(1)
	for i := range n {
		if i != k {
			second = math.Min(second, a[i*n+i])
		}
		v[i] = vectors[i*n+k]
	}
	return a[k*n+k], second
}

// jacobiSweep turns every pair of axes so that their entry vanishes; it is
// false when nothing was left to do.
func jacobiSweep(a, vectors []float64, n int) bool {
	turned := false
	for p := range n - 1 {
		for q := p + 1; q < n; q++ {
			apq := a[p*n+q]
			if math.Abs(apq) <= 1e-17*(math.Abs(a[p*n+p])+math.Abs(a[q*n+q])) || math.IsNaN(apq) {
				continue
			}
			turned = true
			tau := (a[q*n+q] - a[p*n+p]) / (2 * apq)
			t := 1 / (math.Abs(tau) + math.Sqrt(1+tau*tau))
			if tau < 0 {
				t = -t
			}
			c := 1 / math.Sqrt(1+t*t)
			s := t * c
			for k := range n {
				x, y := a[k*n+p], a[k*n+q]
				a[k*n+p], a[k*n+q] = c*x-s*y, s*x+c*y
			}
			for k := range n {
				x, y := a[p*n+k], a[q*n+k]
				a[p*n+k], a[q*n+k] = c*x-s*y, s*x+c*y
				x, y = vectors[k*n+p], vectors[k*n+q]
				vectors[k*n+p], vectors[k*n+q] = c*x-s*y, s*x+c*y
			}
		}
	}
	return turned
}

// eliminate brings the rows×cols matrix a (row-major, rows ≤ cols) to reduced
// row echelon form on its first rows columns, by Gauss and Jordan with row
// pivots. It is false where they are singular.
func eliminate(a []float64, rows, cols int) bool {
	for c := range rows {
		p := c
		for r := c + 1; r < rows; r++ {
			if math.Abs(a[r*cols+c]) > math.Abs(a[p*cols+c]) {
				p = r
			}
		}
		pivot := a[p*cols+c]
		if !(math.Abs(pivot) > 1e-14) {
			return false
		}
		if p != c {
			for k := c; k < cols; k++ {
				a[p*cols+k], a[c*cols+k] = a[c*cols+k], a[p*cols+k]
			}
		}
		top := a[c*cols : (c+1)*cols]
		for k := c; k < cols; k++ {
			top[k] /= pivot
		}
		for r := range rows {
			f := a[r*cols+c]
			if r == c || f == 0 {
				continue
			}
			row := a[r*cols : (r+1)*cols][:len(top)]
			for k := c; k < cols; k++ {
				row[k] -= f * top[k]
			}
		}
	}
	return true
}

// nullSpace writes an orthonormal basis of the vectors of length cols that are
// orthogonal to all rows of a (row-major, rows < cols ≤ 9), one a row of basis.
// It applies Householder reflections to the transpose: the last columns of
// their product. a is overwritten. It is false where the rows are dependent.
func nullSpace(a []float64, rows, cols int, basis []float64) bool {
	var largest float64
	for k := range rows {
		row := a[k*cols : (k+1)*cols]
		// Reflect entries k… of every later row so that those of this one
		// beyond k vanish.
		var norm float64
		for _, x := range row[k:] {
			norm += x * x
		}
		norm = math.Sqrt(norm)
		largest = math.Max(largest, norm)
		if !(norm > 1e-13*largest) {
			return false
		}
		if row[k] > 0 {
			norm = -norm
		}
		row[k] -= norm
		// row now holds the reflection's vector v; |v|²/2 = −norm·v_k.
		scale := -1 / (norm * row[k])
		for r := k + 1; r < rows; r++ {
			reflect(a[r*cols:(r+1)*cols], row, k, scale)
		}
	}
	for i := range cols - rows {
		b := basis[i*cols : (i+1)*cols]
		clear(b)
		b[rows+i] = 1
		for k := rows - 1; k >= 0; k-- {
			v := a[k*cols : (k+1)*cols]
			var n2 float64
			for _, x := range v[k:] {
				n2 += x * x
			}
			reflect(b, v, k, 2/n2)
		}
	}
	return true
}

// reflect applies 1 − scale·v·vᵀ to entries k… of x.
func reflect(x, v []float64, k int, scale float64) {
	x, v = x[k:], v[k:len(x)]
	var dot float64
	for i, s := range v {
		dot += x[i] * s
	}
	dot *= scale
	for i, s := range v {
		x[i] -= dot * s
	}
}

// orthonormal returns a rotation near the matrix, which is one to a few digits:
// Gram and Schmidt on its rows.
func orthonormal(m *geom.Mat3) geom.Mat3 {
	a := r3.Unit(r3.Vec{X: m[0], Y: m[1], Z: m[2]})
	b := r3.Vec{X: m[3], Y: m[4], Z: m[5]}
	b = r3.Unit(r3.Sub(b, r3.Scale(r3.Dot(a, b), a)))
	c := r3.Cross(a, b)
	return geom.Mat3{a.X, a.Y, a.Z, b.X, b.Y, b.Z, c.X, c.Y, c.Z}
}
