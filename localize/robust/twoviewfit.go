package robust

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
	"locbench/localize/solver"
)

// sampsonCost is the sum of squared Sampson errors of e.inliers.
func (e *relative) sampsonCost(f *geom.Mat3) float64 {
	var sum float64
	for _, i := range e.inliers {
		sum += e.matches[i].sampson(f)
	}
	if math.IsNaN(sum) {
		return math.Inf(1)
	}
	return sum
}

// essentialFit is the least-squares problem of a relative pose: a rotation and
// a direction, five unknowns.
type essentialFit struct{ e *relative }

func (p essentialFit) equations(m *geom.Pose, s *normal) {
	var d [5]geom.Mat3
	r, t := geom.Matrix(m.R), geom.Cross(m.T)
	f := t.Mul(&r)
	// The rotation turns by ω after itself: ∂E = [t]×·[ω]×·R.
	for k, axis := range [3]r3.Vec{{X: 1}, {Y: 1}, {Z: 1}} {
		w := geom.Cross(axis)
		w = w.Mul(&r)
		d[k] = t.Mul(&w)
	}
	for k, axis := range tangents(m.T) {
		b := geom.Cross(axis)
		d[3+k] = b.Mul(&r)
	}
	for _, i := range p.e.inliers {
		p.e.matches[i].addSampson(s, &f, d[:])
	}
}

// tangents returns two unit vectors that are orthogonal to the unit vector t
// and to one another.
func tangents(t r3.Vec) [2]r3.Vec {
	a := r3.Vec{X: 1}
	if math.Abs(t.X) > math.Abs(t.Y) {
		a = r3.Vec{Y: 1}
	}
	u := r3.Unit(r3.Cross(t, a))
	return [2]r3.Vec{u, r3.Cross(t, u)}
}

func (p essentialFit) cost(m *geom.Pose) float64 {
	f := solver.Essential(*m)
	return p.e.sampsonCost(&f)
}

func (p essentialFit) step(m *geom.Pose, d *[maxUnknowns]float64) geom.Pose {
	turn := geom.Pose{R: geom.Exp(r3.Vec{X: d[0], Y: d[1], Z: d[2]})}
	b := tangents(m.T)
	t := r3.Add(m.T, r3.Add(r3.Scale(d[3], b[0]), r3.Scale(d[4], b[1])))
	next := geom.Pose{R: geom.Pose{R: m.R}.Then(turn).R, T: r3.Unit(t)}
	next.R, _ = geom.Normalize(next.R)
	return next
}

// factored is a fundamental matrix U·diag(1, s, 0)·Vᵀ: rank two whatever its
// seven unknowns, which are a rotation of U, one of V, and s (Bartoli and Sturm,
// Nonlinear estimation of the fundamental matrix with minimal parameters, PAMI
// 2004).
type factored struct {
	u, v geom.Mat3
	s    float64
}

// decomposeF factors a matrix; false where it has rank one or zero.
func decomposeF(f *geom.Mat3) (factored, bool) {
	var svd mat.SVD
	if !finite(f[:]...) || !svd.Factorize(mat.NewDense(3, 3, append([]float64(nil), f[:]...)), mat.SVDFull) {
		return factored{}, false
	}
	var u, v mat.Dense
	svd.UTo(&u)
	svd.VTo(&v)
	values := svd.Values(nil)
	if !(values[1] > 1e-12*values[0]) {
		return factored{}, false
	}
	return factored{u: geom.Mat3(u.RawMatrix().Data), v: geom.Mat3(v.RawMatrix().Data), s: values[1] / values[0]}, true
}

func (f *factored) matrix() geom.Mat3 { return f.between(geom.Mat3{1, 0, 0, 0, f.s}) }

// between returns U·m·Vᵀ.
func (f *factored) between(m geom.Mat3) geom.Mat3 {
	um, vt := f.u.Mul(&m), f.v.Transpose()
	return um.Mul(&vt)
}

// fundamentalFit is the least-squares problem of a fundamental matrix.
type fundamentalFit struct{ e *relative }

func (p fundamentalFit) equations(m *factored, s *normal) {
	var d [7]geom.Mat3
	core := geom.Mat3{1, 0, 0, 0, m.s}
	for k, axis := range [3]r3.Vec{{X: 1}, {Y: 1}, {Z: 1}} {
		w := geom.Cross(axis)
		d[k] = m.between(w.Mul(&core))
		w = geom.Cross(r3.Scale(-1, axis))
		d[3+k] = m.between(core.Mul(&w))
	}
	d[6] = m.between(geom.Mat3{0, 0, 0, 0, 1})
	f := m.matrix()
	for _, i := range p.e.inliers {
		p.e.matches[i].addSampson(s, &f, d[:])
	}
}

func (p fundamentalFit) cost(m *factored) float64 {
	f := m.matrix()
	return p.e.sampsonCost(&f)
}

func (p fundamentalFit) step(m *factored, d *[maxUnknowns]float64) factored {
	du := geom.Matrix(geom.Exp(r3.Vec{X: d[0], Y: d[1], Z: d[2]}))
	dv := geom.Matrix(geom.Exp(r3.Vec{X: d[3], Y: d[4], Z: d[5]}))
	return factored{u: m.u.Mul(&du), v: m.v.Mul(&dv), s: m.s + d[6]}
}
