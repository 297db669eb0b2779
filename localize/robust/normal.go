package robust

import "math"

// maxUnknowns of a least-squares problem: a pose and a focal length.
const maxUnknowns = 7

// normal holds the normal equations H·δ = −g of a least-squares problem with
// n unknowns; of H the lower triangle is kept.
type normal struct {
	n    int
	h    [maxUnknowns][maxUnknowns]float64
	g    [maxUnknowns]float64
	cost float64 // sum of squared residuals
}

// add adds a residual with its derivatives.
func (s *normal) add(r float64, j *[maxUnknowns]float64) {
	s.cost += r * r
	for a := range s.n {
		s.g[a] += j[a] * r
		row := &s.h[a]
		for b := range a + 1 {
			row[b] += j[a] * j[b]
		}
	}
}

// cholesky writes the factor L of H + damping·diag(H); it is false where that
// is not positive definite.
func (s *normal) cholesky(damping float64, l *[maxUnknowns][maxUnknowns]float64) bool {
	for i := range s.n {
		for j := range i + 1 {
			sum := s.h[i][j]
			if i == j {
				sum += damping * s.h[i][i]
			}
			for k := range j {
				sum -= l[i][k] * l[j][k]
			}
			if i != j {
				l[i][j] = sum / l[j][j]
				continue
			}
			if !(sum > 1e-14*s.h[i][i]) || math.IsInf(sum, 0) {
				return false
			}
			l[i][i] = math.Sqrt(sum)
		}
	}
	return true
}

// solve returns δ of the damped equations.
func (s *normal) solve(damping float64) (d [maxUnknowns]float64, ok bool) {
	var l [maxUnknowns][maxUnknowns]float64
	if !s.cholesky(damping, &l) {
		return d, false
	}
	for i := range s.n {
		sum := -s.g[i]
		for k := range i {
			sum -= l[i][k] * d[k]
		}
		d[i] = sum / l[i][i]
	}
	for i := s.n - 1; i >= 0; i-- {
		sum := d[i]
		for k := i + 1; k < s.n; k++ {
			sum -= l[k][i] * d[k]
		}
		d[i] = sum / l[i][i]
	}
	return d, true
}

// gain is the decrease of the cost that a step promises, to first order.
func (s *normal) gain(d *[maxUnknowns]float64) float64 {
	var sum float64
	for i := range s.n {
		sum -= s.g[i] * d[i]
	}
	return sum
}

// inverse returns H⁻¹, the covariance of the unknowns at residuals of unit
// variance; it is false where H is singular to rounding.
func (s *normal) inverse() (c [maxUnknowns][maxUnknowns]float64, ok bool) {
	t := *s
	for k := range s.n {
		t.g = [maxUnknowns]float64{}
		t.g[k] = -1
		column, ok := t.solve(0)
		if !ok {
			return c, false
		}
		for i := range s.n {
			c[i][k] = column[i]
		}
	}
	return c, true
}

// problem is a least-squares problem over models M.
type problem[M any] interface {
	// equations fills s, whose n is set, at the model.
	equations(m *M, s *normal)
	// cost is the sum of squared residuals at the model.
	cost(m *M) float64
	// step returns the model moved by δ.
	step(m *M, d *[maxUnknowns]float64) M
}

// minimize takes Levenberg–Marquardt steps from m, at most the given number,
// and returns the equations at the result. The damping multiplies the diagonal
// (Marquardt, 1963), so units do not matter.
func minimize[M any, P problem[M]](p P, m *M, unknowns, steps int) normal {
	s := normal{n: unknowns}
	p.equations(m, &s)
	damping := 1e-6
	for range steps {
		d, ok := s.solve(damping)
		if !ok {
			damping = math.Max(damping*10, 1e-6)
			if damping > 1e6 {
				break
			}
			continue
		}
		if s.gain(&d) <= 1e-10*s.cost {
			break
		}
		next := p.step(m, &d)
		cost := p.cost(&next)
		if !(cost < s.cost) {
			damping *= 10
			if s.cost == 0 || damping > 1e6 {
				break
			}
			continue
		}
		*m = next
		s = normal{n: unknowns}
		p.equations(m, &s)
		damping = math.Max(damping/10, 1e-9)
	}
	return s
}
