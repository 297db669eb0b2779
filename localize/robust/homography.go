package robust

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/num/quat"
	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
	"locbench/localize/solver"
)

// plane is the estimator of a homography among the inliers of two views.
type plane struct {
	e       *relative
	among   []int32
	inliers []int32 // scratch
}

func (p *plane) sampleSize() int { return 4 }

func (p *plane) generate(sample []int, dst []geom.Mat3) int {
	var x1, x2 [4]r3.Vec
	for i, s := range sample {
		m := &p.e.matches[p.among[s]]
		x1[i], x2[i] = ray(m.a), ray(m.b)
	}
	n := solver.Homography(&x1, &x2, &dst[0])
	if n == 1 && dst[0].Apply(x1[0]).Z < 0 {
		for i := range dst[0] {
			dst[0][i] = -dst[0][i]
		}
	}
	return n
}

func (p *plane) score(m *geom.Mat3, bound float64) (cost float64, inliers int) {
	for _, i := range p.among {
		eu, ev, _, _, ok := p.e.matches[i].transfer(m)
		if d := eu*eu + ev*ev; ok && d < p.e.limit {
			cost += d
			inliers++
		} else {
			cost += p.e.limit
		}
	}
	return cost, inliers
}

func (p *plane) gather(m *geom.Mat3) {
	p.inliers = p.inliers[:0]
	for _, i := range p.among {
		if eu, ev, _, _, ok := p.e.matches[i].transfer(m); ok && eu*eu+ev*ev < p.e.limit {
			p.inliers = append(p.inliers, i)
		}
	}
}

func (p *plane) refine(m *geom.Mat3) {
	p.gather(m)
	x1, x2 := make([]r3.Vec, len(p.inliers)), make([]r3.Vec, len(p.inliers))
	for k, i := range p.inliers {
		x1[k], x2[k] = ray(p.e.matches[i].a), ray(p.e.matches[i].b)
	}
	var h geom.Mat3
	if len(x1) == 0 || solver.HomographyDLT(x1, x2, &h) == 0 {
		return
	}
	if h.Apply(x1[0]).Z < 0 {
		for i := range h {
			h[i] = -h[i]
		}
	}
	*m = h
}

// homography searches for the homography of the matches given by index, and
// returns it with its inliers among them.
func (e *relative) homography(among []int32) (geom.Mat3, []int32) {
	p := &plane{e: e, among: among}
	o := Options{MaxErrorPx: e.options.MaxErrorPx, Confidence: 0.999, MinInlierRatio: degenerateShare / 2, MinIterations: 10, MaxIterations: 300}
	best := ransac(p, len(among), o, rand.New(rand.NewPCG(e.options.Seed, 0x706c616e65)))
	if best.inliers == 0 {
		return geom.Mat3{}, nil
	}
	p.gather(&best.model)
	return best.model, p.inliers
}

// rotation returns the rotation that explains the matches given by index best,
// starting from a homography, with its inliers among them.
func (e *relative) rotation(h *geom.Mat3, among []int32) (quat.Number, []int32) {
	q := nearestRotation(h)
	p := &plane{e: e, among: among}
	for range localRounds {
		m := geom.Matrix(q)
		p.gather(&m)
		if len(p.inliers) < 2 {
			return q, nil
		}
		minimize(rotationFit{p}, &q, 3, localSteps)
	}
	m := geom.Matrix(q)
	p.gather(&m)
	return q, p.inliers
}

// nearestRotation is the rotation nearest to a multiple of m.
func nearestRotation(m *geom.Mat3) quat.Number {
	f, ok := decomposeF(m)
	if !ok {
		return geom.Identity().R
	}
	r := f.between(geom.Mat3{1, 0, 0, 0, 1, 0, 0, 0, 1})
	if r.Det() < 0 {
		r = f.between(geom.Mat3{1, 0, 0, 0, 1, 0, 0, 0, -1})
	}
	return r.Rotation()
}

// rotationFit is the least-squares problem of a rotation on p.inliers, in
// pixels of the second image.
type rotationFit struct{ p *plane }

func (f rotationFit) equations(q *quat.Number, s *normal) {
	m := geom.Matrix(*q)
	for _, i := range f.p.inliers {
		eu, ev, y, w, _ := f.p.e.matches[i].transfer(&m)
		iz := 1 / y.Z
		for k, e := range [2]float64{eu, ev} {
			g := r3.Vec{X: w[2*k] * iz, Y: w[2*k+1] * iz}
			g.Z = -(g.X*y.X + g.Y*y.Y) * iz
			t := r3.Cross(y, g)
			s.add(e, &[maxUnknowns]float64{t.X, t.Y, t.Z})
		}
	}
}

func (f rotationFit) cost(q *quat.Number) float64 {
	m := geom.Matrix(*q)
	var sum float64
	for _, i := range f.p.inliers {
		eu, ev, _, _, ok := f.p.e.matches[i].transfer(&m)
		if !ok {
			return math.Inf(1)
		}
		sum += eu*eu + ev*ev
	}
	return sum
}

func (f rotationFit) step(q *quat.Number, d *[maxUnknowns]float64) quat.Number {
	next, _ := geom.Normalize(quat.Mul(geom.Exp(r3.Vec{X: d[0], Y: d[1], Z: d[2]}), *q))
	return next
}
