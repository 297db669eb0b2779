package robust

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/camera"
	"locbench/kapture/geom"
	"locbench/localize/solver"
)

// RelativeProblem asks how two images see each other. Correspondence i is
// Pixels1[i], Pixels2[i], in the distorted images.
type RelativeProblem struct {
	// Both known: an essential matrix is estimated; else a fundamental matrix,
	// for images without distortion.
	Camera1, Camera2 *camera.Camera
	Pixels1, Pixels2 [][2]float64
}

// The kinds of relative geometry.
const (
	Essential    = "essential"
	Fundamental  = "fundamental"
	Planar       = "planar"        // a homography explains the inliers as well
	PureRotation = "pure rotation" // and a rotation alone does, of known cameras
)

// Relative is the geometry of two images.
type Relative struct {
	Kind string
	// Pose maps the first camera's frame to the second's, with a translation of
	// unit length, whose direction means nothing for a pure rotation. It is the
	// identity where the cameras are not known.
	Pose       geom.Pose
	F          [9]float64 // row-major, of pixels without distortion: x2ᵀ·F·x1 = 0; unit norm; zero for a pure rotation
	Inliers    []bool     // by correspondence: Sampson error at most MaxErrorPx
	NumInliers int
	Iterations int
}

// EstimateRelative returns the geometry that most correspondences agree on, or
// the reason why there is none.
func EstimateRelative(p RelativeProblem, o Options) (r Relative, reason string) {
	if len(p.Pixels1) != len(p.Pixels2) {
		return Relative{}, fmt.Sprintf("%d pixels in the first image, %d in the second", len(p.Pixels1), len(p.Pixels2))
	}
	if !(o.MaxErrorPx > 0) {
		return Relative{}, fmt.Sprintf("a maximal error of %v pixels", o.MaxErrorPx)
	}
	e := newRelative(p, o)
	// One more than minimal: a minimal sample always fits.
	if need := e.sampleSize() + 1; len(e.matches) < need {
		return Relative{}, fmt.Sprintf("%d correspondences, %d needed", len(e.matches), need)
	}
	rng := rand.New(rand.NewPCG(o.Seed, 0x72656c6174697665))
	best := ransac(e, len(e.matches), o, rng)
	if best.inliers == 0 {
		return Relative{}, "no sample of the correspondences has an epipolar geometry"
	}
	return e.finish(&best)
}

// relative is the estimator of two views.
type relative struct {
	problem        RelativeProblem
	options        Options
	calibrated     bool
	scale1, scale2 scaling // of unknown cameras
	matches        []match
	blocks         []matchBlock
	limit          float64 // squared pixels
	inliers        []int32 // scratch
}

// epipole is a model: the matrix of the constraint between the points of the
// planes z = 1. The pose of a calibrated one is only known after refinement.
type epipole struct{ f geom.Mat3 }

func newRelative(p RelativeProblem, o Options) *relative {
	e := &relative{problem: p, options: o, limit: o.MaxErrorPx * o.MaxErrorPx,
		calibrated: p.Camera1 != nil && p.Camera2 != nil}
	c1, c2 := p.Camera1, p.Camera2
	if !e.calibrated {
		c1, c2 = nil, nil
		e.scale1, e.scale2 = newScaling(p.Pixels1), newScaling(p.Pixels2)
	}
	for i := range p.Pixels1 {
		m := match{index: i, pixel1: p.Pixels1[i], pixel2: p.Pixels2[i]}
		if !finite(m.pixel1[0], m.pixel1[1], m.pixel2[0], m.pixel2[1]) {
			continue
		}
		var ok1, ok2 bool
		m.a, m.va, ok1 = look(c1, &e.scale1, m.pixel1)
		m.b, m.vb, ok2 = look(c2, &e.scale2, m.pixel2)
		if ok1 && ok2 {
			e.matches = append(e.matches, m)
		}
	}
	slices.SortFunc(e.matches, func(a, b match) int {
		return cmp.Or(cmp.Compare(a.pixel1[0], b.pixel1[0]), cmp.Compare(a.pixel1[1], b.pixel1[1]),
			cmp.Compare(a.pixel2[0], b.pixel2[0]), cmp.Compare(a.pixel2[1], b.pixel2[1]))
	})
	e.blocks = packMatches(e.matches)
	return e
}

func (e *relative) sampleSize() int {
	if e.calibrated {
		return 5
	}
	return 7
}

func ray(x [2]float64) r3.Vec { return r3.Vec{X: x[0], Y: x[1], Z: 1} }

func (e *relative) generate(sample []int, dst []epipole) int {
	var x1, x2 [7]r3.Vec
	for i, s := range sample {
		x1[i], x2[i] = ray(e.matches[s].a), ray(e.matches[s].b)
	}
	if !e.calibrated {
		var f [3]geom.Mat3
		n := solver.SevenPoint(&x1, &x2, &f)
		for i := range n {
			dst[i].f = f[i]
		}
		return n
	}
	var f [10]geom.Mat3
	n := solver.FivePoint((*[5]r3.Vec)(x1[:]), (*[5]r3.Vec)(x2[:]), &f)
	for i := range n {
		dst[i].f = f[i]
	}
	return n
}

// score counts an inlier whose rays meet behind a camera as an outlier. That
// takes a pose, so only models that are good enough without are looked at.
func (e *relative) score(m *epipole, bound float64) (cost float64, inliers int) {
	padding := e.limit * float64(len(e.blocks)*lanes-len(e.matches))
	cost, inliers = tallyMatches(e.blocks, (*[9]float64)(&m.f), e.limit, bound+padding)
	cost -= padding
	if !e.calibrated || cost > bound {
		return cost, inliers
	}
	e.gather(&m.f, e.limit)
	behind := inliers - len(e.inliers)
	cost = e.limit * float64(len(e.matches)-len(e.inliers))
	for _, i := range e.inliers {
		cost += e.matches[i].sampson(&m.f)
	}
	return cost, inliers - behind
}

// gather collects the inliers of a model in e.inliers: those with an error
// below the limit whose rays meet in front of both cameras, if these are known.
func (e *relative) gather(f *geom.Mat3, limit float64) {
	e.inliers = e.inliers[:0]
	for i := range e.matches {
		if e.matches[i].sampson(f) < limit {
			e.inliers = append(e.inliers, int32(i))
		}
	}
	if !e.calibrated {
		return
	}
	pose, ok := e.pose(f)
	if !ok {
		e.inliers = e.inliers[:0]
		return
	}
	r := geom.Matrix(pose.R)
	e.inliers = slices.DeleteFunc(e.inliers, func(i int32) bool { return e.matches[i].behind(&r, pose.T, e.limit) })
}

func (e *relative) refine(m *epipole) {
	for range localRounds {
		e.gather(&m.f, e.limit)
		if len(e.inliers) <= e.sampleSize() {
			return
		}
		e.inliers = thin(e.inliers)
		e.fit(m, localSteps)
	}
}

// fit minimizes the Sampson error of e.inliers.
func (e *relative) fit(m *epipole, steps int) {
	if !e.calibrated {
		if f, ok := decomposeF(&m.f); ok {
			minimize(fundamentalFit{e}, &f, 7, steps)
			m.f = f.matrix()
		}
		return
	}
	if pose, ok := e.pose(&m.f); ok {
		minimize(essentialFit{e}, &pose, 5, steps)
		m.f = solver.Essential(pose)
	}
}

// pose returns the pose of an essential matrix that has the most of e.inliers
// in front of both cameras.
func (e *relative) pose(f *geom.Mat3) (geom.Pose, bool) {
	var poses [4]geom.Pose
	best, most := geom.Pose{}, 0
	for _, p := range poses[:solver.Decompose(f, &poses)] {
		if n := e.inFront(p); n > most {
			best, most = p, n
		}
	}
	return best, most > 0
}

// inFront counts the inliers whose rays meet in front of both cameras.
func (e *relative) inFront(p geom.Pose) int {
	r := geom.Matrix(p.R)
	n := 0
	for _, i := range e.inliers {
		if !e.matches[i].behind(&r, p.T, 0) {
			n++
		}
	}
	return n
}

// behind says that the rays meet behind one of the cameras. It does not where
// the angle between them is no more than an error within the limit (squared
// pixels) explains: such a point is far away, in either direction.
func (m *match) behind(r *geom.Mat3, t r3.Vec, limit float64) bool {
	a, b := r.Apply(ray(m.a)), ray(m.b)
	// λ2·b = λ1·a + t: signs of the depths by Cramer's rule.
	c := r3.Cross(b, a)
	if r3.Dot(r3.Cross(t, a), c) > 0 && r3.Dot(r3.Cross(t, b), c) > 0 {
		return false
	}
	pixel := math.Abs(m.vb[0]*m.vb[3] - m.vb[1]*m.vb[2]) // squared, on z = 1
	return r3.Norm2(c) > limit*pixel*r3.Norm2(a)
}
