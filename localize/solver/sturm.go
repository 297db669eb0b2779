package solver

import "math"

// maxDegree of a polynomial whose roots realRoots finds.
const maxDegree = 10

// sturm is the chain of a polynomial: the polynomial, its derivative, and minus
// the remainders of the divisions, each scaled by a positive factor. The number
// of sign changes along it at a minus that at b is the number of distinct real
// roots in (a, b].
type sturm struct {
	f      [maxDegree + 1][maxDegree + 1]float64 // ascending coefficients
	degree [maxDegree + 1]int
	length int
}

// realRoots writes the distinct real roots of the polynomial with the ascending
// coefficients c, in ascending order, and returns how many there are. Roots
// closer together than rounding tells apart may count as one.
func realRoots(c []float64, roots *[maxDegree]float64) int {
	var s sturm
	if !s.build(c) {
		return 0
	}
	// All roots are within Cauchy's bound.
	p := s.f[0][:s.degree[0]+1]
	var bound float64
	for _, v := range p[:len(p)-1] {
		bound = math.Max(bound, math.Abs(v/p[len(p)-1]))
	}
	bound++
	n := 0
	s.isolate(interval{-bound, bound, s.changes(-bound), s.changes(bound)}, roots, &n, 0)
	return n
}

// build makes the chain; false if the polynomial is constant or not finite.
func (s *sturm) build(c []float64) bool {
	n := copy(s.f[0][:], c) - 1
	if n = trim(&s.f[0], n); n < 1 {
		return false
	}
	for i := 1; i <= n; i++ {
		s.f[1][i-1] = float64(i) * s.f[0][i]
	}
	trim(&s.f[1], n-1)
	s.degree[0], s.degree[1], s.length = n, n-1, 2
	for s.degree[s.length-1] > 0 {
		k := s.length
		d := s.remainder(&s.f[k-2], s.degree[k-2], &s.f[k-1], s.degree[k-1], &s.f[k])
		if d < 0 {
			break // the last one divides: a common factor, of multiple roots
		}
		s.degree[k] = d
		s.length++
	}
	return true
}

// trim scales the polynomial to a largest coefficient of one and returns its
// degree, leaving out leading coefficients that are nothing beside it; −1 for
// zero.
func trim(f *[maxDegree + 1]float64, n int) int {
	p := f[:n+1]
	var largest, sum float64
	for _, v := range p {
		v = math.Abs(v)
		sum += v // is NaN or infinite if one of them is
		if v > largest {
			largest = v
		}
	}
	if !(largest > 0) || !(sum <= math.MaxFloat64) {
		return -1
	}
	scale := 1 / largest
	for i := range p {
		p[i] *= scale
	}
	for n >= 0 && math.Abs(f[n]) < 1e-15 {
		n--
	}
	return n
}

// remainder writes −(a mod b) to r and returns its degree, −1 for zero.
func (s *sturm) remainder(a *[maxDegree + 1]float64, na int, b *[maxDegree + 1]float64, nb int, r *[maxDegree + 1]float64) int {
	*r = *a
	var size float64
	inv := 1 / b[nb]
	for k := na - nb; k >= 0; k-- {
		q := r[nb+k] * inv
		if v := math.Abs(q); v > size {
			size = v
		}
		part := r[k : k+nb]
		for i, v := range b[:nb] {
			part[i] -= q * v
		}
	}
	var largest float64
	for i, v := range r[:nb] {
		r[i] = -v
		if v = math.Abs(v); v > largest {
			largest = v
		}
	}
	if !(largest > 1e-15*max(1, size)) {
		return -1
	}
	return trim(r, nb-1)
}

// changes counts the changes of sign along the chain at t.
func (s *sturm) changes(t float64) int {
	n := 0
	last := 0.0
	for k := range s.length {
		v := horner(&s.f[k], s.degree[k], t)
		if v == 0 {
			continue
		}
		if last != 0 && (v < 0) != (last < 0) {
			n++
		}
		last = v
	}
	return n
}

func horner(f *[maxDegree + 1]float64, n int, t float64) float64 {
	p := f[:n+1]
	var v float64
	for i := len(p) - 1; i >= 0; i-- {
		v = v*t + p[i]
	}
	return v
}

// interval has a change count at either end.
type interval struct {
	a, b               float64
	changesA, changesB int
}

// isolate halves the interval until each part holds one root, and finds it.
func (s *sturm) isolate(i interval, roots *[maxDegree]float64, n *int, depth int) {
	const deepest = 60
	count := i.changesA - i.changesB
	if count <= 0 || *n == maxDegree {
		return
	}
	if count == 1 || depth == deepest {
		roots[*n] = s.root(i)
		*n++
		return
	}
	m := middle(i.a, i.b)
	c := s.changes(m)
	s.isolate(interval{i.a, m, i.changesA, c}, roots, n, depth+1)
	s.isolate(interval{m, i.b, c, i.changesB}, roots, n, depth+1)
}

// middle splits an interval so that few steps lead from Cauchy's bound, which
// is often far away, to roots about one: at zero, then at the geometric mean.
func middle(a, b float64) float64 {
	switch {
	case a < 0 && b > 0:
		return 0
	case a >= 0 && b > 4*math.Max(a, 1):
		return math.Sqrt(math.Max(a, 0.25) * b)
	case b <= 0 && a < -4*math.Max(-b, 1):
		return -math.Sqrt(math.Max(-b, 0.25) * -a)
	}
	return (a + b) / 2
}

// root finds the root in an interval that holds one, by Newton's method kept
// inside a shrinking bracket.
func (s *sturm) root(i interval) float64 {
	f, n := &s.f[0], s.degree[0]
	a, b := i.a, i.b
	fa, fb := horner(f, n, a), horner(f, n, b)
	if fb == 0 {
		return b
	}
	if (fa < 0) == (fb < 0) {
		return s.doubleRoot(i)
	}
	t := middle(a, b)
	for range 100 {
		v, slope := f[n], 0.0
		for k := n - 1; k >= 0; k-- {
			slope = slope*t + v
			v = v*t + f[k]
		}
		if v == 0 {
			return t
		}
		if (v < 0) == (fa < 0) {
			a = t
		} else {
			b = t
		}
		next := t - v/slope
		if !(next > a && next < b) {
			next = middle(a, b)
		}
		if math.Abs(next-t) <= 1e-9*math.Abs(next) {
			return next // the step's error is the square of its size
		}
		t = next
	}
	return t
}

// doubleRoot finds a root without a change of sign by halving.
func (s *sturm) doubleRoot(i interval) float64 {
	for range 60 {
		m := (i.a + i.b) / 2
		if c := s.changes(m); i.changesA-c >= 1 {
			i.b = m
		} else {
			i.a = m
		}
	}
	return (i.a + i.b) / 2
}
