package geom

import "math"

// mat4 is a 4×4 matrix, row-major. Fixed-size arrays keep it off the heap.
type mat4 [4][4]float64

// scale multiplies every entry by s and reports whether all are finite.
func (m *mat4) scale(s float64) bool {
	ok := true
	for i := range m {
		for j := range m[i] {
			m[i][j] *= s
			ok = ok && finite(m[i][j])
		}
	}
	return ok
}

// eigen returns the eigenvalues of the symmetric matrix m and its eigenvectors
// as columns, by cyclic Jacobi rotations (Golub and Van Loan, Matrix
// Computations, section 8.5.3). A 4×4 matrix converges quadratically in about
// five sweeps; the bound on the sweeps only keeps the loop finite.
func (m mat4) eigen() (values [4]float64, vectors mat4) {
	const maxSweeps = 32
	for i := range vectors {
		vectors[i][i] = 1
	}
	for range maxSweeps {
		rotated := false
		for p := 0; p < 3; p++ {
			for q := p + 1; q < 4; q++ {
				rotated = m.annihilate(p, q, &vectors) || rotated
			}
		}
		if !rotated {
			break
		}
	}
	for i := range values {
		values[i] = m[i][i]
	}
	return values, vectors
}

// annihilate makes m[p][q] zero by a rotation of the axes p and q, which it
// also applies to the vectors. It reports false if the entry is already
// negligible beside its diagonal entries.
func (m *mat4) annihilate(p, q int, vectors *mat4) bool {
	if m[p][q] == 0 {
		return false
	}
	if d := math.Abs(m[p][p]) + math.Abs(m[q][q]); d+math.Abs(m[p][q]) == d {
		m[p][q], m[q][p] = 0, 0
		return false
	}
	theta := (m[q][q] - m[p][p]) / (2 * m[p][q])
	t := 1 / (math.Abs(theta) + math.Hypot(theta, 1)) // tan of the smaller angle
	if theta < 0 {
		t = -t
	}
	c := 1 / math.Hypot(t, 1)
	s := t * c
	for k := range m {
		m[k][p], m[k][q] = c*m[k][p]-s*m[k][q], s*m[k][p]+c*m[k][q]
	}
	for k := range m {
		m[p][k], m[q][k] = c*m[p][k]-s*m[q][k], s*m[p][k]+c*m[q][k]
	}
	for k := range vectors {
		vectors[k][p], vectors[k][q] = c*vectors[k][p]-s*vectors[k][q], s*vectors[k][p]+c*vectors[k][q]
	}
	return true
}
