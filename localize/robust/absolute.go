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

// AbsoluteProblem asks for the pose of a camera in a world of known points.
// Correspondence i is Pixels[i], Points[i].
type AbsoluteProblem struct {
	Camera camera.Camera
	// FocalUnknown: of the camera only the principal point is believed. The
	// focal length is estimated, pixels are square and the lens is straight.
	FocalUnknown bool
	Pixels       [][2]float64 // of the distorted image
	Points       []r3.Vec     // in the world, metres
}

// Absolute is the pose of a camera.
type Absolute struct {
	Pose       geom.Pose // world → camera
	Inliers    []bool    // by correspondence
	NumInliers int
	// Covariance of a small motion (ω, τ) after the pose: x' = Exp(ω)·x + τ in
	// the camera frame, rotation first (rad), then translation (m). It is scaled
	// by the variance of the inliers' residuals.
	Covariance [6][6]float64
	Focal      float64 // pixels; the mean of the camera's where it was known
	RMSEPx     float64 // of the inliers, √ of the mean squared distance
	Iterations int
}

// EstimateAbsolute returns the pose that most of the correspondences agree on,
// or the reason why there is none.
func EstimateAbsolute(p AbsoluteProblem, o Options) (a Absolute, reason string) {
	if reason := p.check(o); reason != "" {
		return Absolute{}, reason
	}
	e := newAbsolute(p, o)
	size := e.sampleSize()
	if len(e.points) < size {
		return Absolute{}, fmt.Sprintf("%d correspondences, %d needed", len(e.points), size)
	}
	rng := rand.New(rand.NewPCG(o.Seed, 0x6162736f6c757465))
	best := ransac(e, len(e.points), o, rng)
	if best.inliers < size {
		return Absolute{}, "no sample of the correspondences has a pose"
	}
	return e.finish(&best)
}

// minAbsolute is the least number of correspondences: a fourth one tells the
// solutions of P3P apart, or fixes the focal length.
const minAbsolute = 4

func (p *AbsoluteProblem) check(o Options) string {
	if len(p.Pixels) != len(p.Points) {
		return fmt.Sprintf("%d pixels with %d points", len(p.Pixels), len(p.Points))
	}
	if !(o.MaxErrorPx > 0) {
		return fmt.Sprintf("a maximal error of %v pixels", o.MaxErrorPx)
	}
	if fx, _ := p.Camera.Focal(); fx == 0 {
		return "the camera has no parameters"
	}
	return ""
}

// correspondence is a pixel with its point, as the search needs them.
type correspondence struct {
	index int // in the problem
	pixel [2]float64
	x     r3.Vec // in the world, about the centre
	ray   r3.Vec // unit, in the camera frame
	// Error in pixels near the ray: w·(a, b) − target for the camera-frame ray
	// (a, b, 1), the first order of the distorted image about the pixel.
	w      [4]float64
	target [2]float64
}

// absolute is the estimator of a camera's pose.
type absolute struct {
	problem AbsoluteProblem
	options Options
	center  r3.Vec
	points  []correspondence
	blocks  []pointBlock
	limit   float64 // squared pixels
	inliers []int32 // scratch of refine
}

// placed is a model: a pose, and the focal length if it is unknown, else 1.
type placed struct {
	pose  geom.Pose
	focal float64
}

func newAbsolute(p AbsoluteProblem, o Options) *absolute {
	e := &absolute{problem: p, options: o, limit: o.MaxErrorPx * o.MaxErrorPx, points: make([]correspondence, 0, len(p.Pixels))}
	for _, i := range sorted(&p) {
		c := correspondence{index: i, pixel: p.Pixels[i], x: p.Points[i]}
		if c.look(&p) {
			e.points = append(e.points, c)
		}
	}
	for i := range e.points {
		e.center = r3.Add(e.center, r3.Scale(1/float64(len(e.points)), e.points[i].x))
	}
	for i := range e.points {
		e.points[i].x = r3.Sub(e.points[i].x, e.center)
	}
	e.blocks = pack(e.points)
	return e
}

// sorted returns the indices of the correspondences of finite numbers, in an
// order that does not depend on theirs.
func sorted(p *AbsoluteProblem) []int {
	order := make([]int, 0, len(p.Pixels))
	for i, px := range p.Pixels {
		if x := p.Points[i]; finite(px[0], px[1], x.X, x.Y, x.Z) {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := &p.Pixels[i], &p.Pixels[j]
		switch {
		case a[0] < b[0]:
			return -1
		case a[0] > b[0]:
			return 1
		}
		x, y := p.Points[i], p.Points[j]
		return cmp.Or(cmp.Compare(a[1], b[1]), cmp.Compare(x.X, y.X), cmp.Compare(x.Y, y.Y), cmp.Compare(x.Z, y.Z))
	})
	return order
}

// look fills what the camera says about the pixel; false where it has no ray.
func (c *correspondence) look(p *AbsoluteProblem) bool {
	if p.FocalUnknown {
		cx, cy := p.Camera.Principal()
		c.w = [4]float64{1, 0, 0, 1}
		c.target = [2]float64{c.pixel[0] - cx, c.pixel[1] - cy}
		return true
	}
	x, y, ok := p.Camera.Unproject(c.pixel[0], c.pixel[1])
	if !ok {
		return false
	}
	_, _, j, ok := p.Camera.ProjectJacobian(r3.Vec{X: x, Y: y, Z: 1})
	c.ray = r3.Unit(r3.Vec{X: x, Y: y, Z: 1})
	c.w = [4]float64{j[0], j[1], j[3], j[4]}
	c.target = [2]float64{c.w[0]*x + c.w[1]*y, c.w[2]*x + c.w[3]*y}
	return ok
}

func finite(values ...float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

func (e *absolute) sampleSize() int { return 3 }

func (e *absolute) generate(sample []int, dst []placed) int {
	var x, world [3]r3.Vec
	for i, s := range sample {
		x[i], world[i] = e.points[s].ray, e.points[s].x
	}
	var poses [4]geom.Pose
	n := solver.P3P(&x, &world, &poses)
	for i := range n {
		dst[i] = placed{pose: poses[i], focal: 1}
	}
	return n
}

// residual returns the error in pixels to first order; it is false behind the
// camera.
func (c *correspondence) residual(r *geom.Mat3, t r3.Vec, focal float64) (eu, ev float64, ok bool) {
	x := r3.Add(r.Apply(c.x), t)
	if !(x.Z > 0) {
		return 0, 0, false
	}
	s := focal / x.Z
	a, b := x.X*s, x.Y*s
	return c.w[0]*a + c.w[1]*b - c.target[0], c.w[2]*a + c.w[3]*b - c.target[1], true
}

func (e *absolute) score(m *placed, bound float64) (cost float64, inliers int) {
	v := m.view()
	padding := e.limit * float64(len(e.blocks)*lanes-len(e.points))
	cost, inliers = tallyPoints(e.blocks, &v, e.limit, bound+padding)
	return cost - padding, inliers
}

// view returns the model as the kernels want it.
func (m *placed) view() view {
	r, t, f := geom.Matrix(m.pose.R), m.pose.T, m.focal
	return view{
		f * r[0], f * r[1], f * r[2], f * t.X,
		f * r[3], f * r[4], f * r[5], f * t.Y,
		r[6], r[7], r[8], t.Z,
	}
}

// gather collects the inliers of a model in e.inliers.
func (e *absolute) gather(m *placed, limit float64) {
	r := geom.Matrix(m.pose.R)
	e.inliers = e.inliers[:0]
	for i := range e.points {
		eu, ev, ok := e.points[i].residual(&r, m.pose.T, m.focal)
		if ok && eu*eu+ev*ev < limit {
			e.inliers = append(e.inliers, int32(i))
		}
	}
}

// Rounds and steps of a local optimization, and how many inliers it takes:
// enough for most of its gain.
const (
	localRounds  = 2
	localSteps   = 3
	localInliers = 100
)

// thin keeps at most localInliers, evenly spread.
func thin(inliers []int32) []int32 {
	n := len(inliers)
	if n <= localInliers {
		return inliers
	}
	for k := range localInliers {
		inliers[k] = inliers[k*n/localInliers]
	}
	return inliers[:localInliers]
}

func (e *absolute) refine(m *placed) {
	for range localRounds {
		e.gather(m, e.limit)
		if len(e.inliers) < minAbsolute {
			return
		}
		e.inliers = thin(e.inliers)
		minimize(linearized{e}, m, e.unknowns(), localSteps)
	}
}

func (e *absolute) unknowns() int {
	if e.problem.FocalUnknown {
		return 7
	}
	return 6
}

// linearized is the least-squares problem of the local optimization: errors to
// first order, on e.inliers.
type linearized struct{ e *absolute }

func (l linearized) equations(m *placed, s *normal) {
	r := geom.Matrix(m.pose.R)
	for _, i := range l.e.inliers {
		c := &l.e.points[i]
		x := r3.Add(r.Apply(c.x), m.pose.T)
		iz := 1 / x.Z
		a, b := x.X*iz, x.Y*iz
		f := m.focal
		u := [6]float64{f * c.w[0] * iz, f * c.w[1] * iz, -f * iz * (c.w[0]*a + c.w[1]*b)}
		u[3], u[4], u[5] = f*c.w[2]*iz, f*c.w[3]*iz, -f*iz*(c.w[2]*a+c.w[3]*b)
		addPixel(s, x, &u, f*(c.w[0]*a+c.w[1]*b)-c.target[0], f*(c.w[2]*a+c.w[3]*b)-c.target[1], m.focal)
	}
}

// addPixel adds the two residuals of a pixel with derivatives d by the
// camera-frame point x, for a motion (ω, τ) of the camera frame and, if the
// equations have it, the logarithm of the focal length.
func addPixel(s *normal, x r3.Vec, d *[6]float64, eu, ev, focal float64) {
	for k, e := range [2]float64{eu, ev} {
		g := r3.Vec{X: d[3*k], Y: d[3*k+1], Z: d[3*k+2]}
		w := r3.Cross(x, g)
		j := [maxUnknowns]float64{w.X, w.Y, w.Z, g.X, g.Y, g.Z}
		if s.n == 7 {
			// The image of x is proportional to the focal length.
			j[6] = g.X*x.X + g.Y*x.Y
		}
		s.add(e, &j)
	}
}

func (l linearized) cost(m *placed) float64 {
	r := geom.Matrix(m.pose.R)
	var sum float64
	for _, i := range l.e.inliers {
		eu, ev, ok := l.e.points[i].residual(&r, m.pose.T, m.focal)
		if !ok {
			return math.Inf(1)
		}
		sum += eu*eu + ev*ev
	}
	return sum
}

func (l linearized) step(m *placed, d *[maxUnknowns]float64) placed { return m.moved(d) }

// moved returns the model after the motion d = (ω, τ, log focal).
func (m *placed) moved(d *[maxUnknowns]float64) placed {
	p := geom.Pose{R: geom.Exp(r3.Vec{X: d[0], Y: d[1], Z: d[2]}), T: r3.Vec{X: d[3], Y: d[4], Z: d[5]}}
	next := placed{pose: m.pose.Then(p), focal: m.focal * math.Exp(d[6])}
	next.pose.R, _ = geom.Normalize(next.pose.R)
	return next
}
