package robust

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
)

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

func (e *poser) refine(m *placed) {
	for range localRounds {
		e.gather(m)
		if len(e.inliers) < e.need() {
			return
		}
		e.inliers = thin(e.inliers)
		minimize(linearized{e}, m, e.unknowns(), localSteps)
	}
}

// inCamera maps a point of the rig's frame to the camera's.
func (s *sensor) inCamera(x r3.Vec) r3.Vec {
	if s.atRig {
		return x
	}
	return r3.Add(s.r.Apply(x), s.pose.T)
}

// inRig turns derivatives by the camera-frame point into those by the rig's.
func (s *sensor) inRig(d *[6]float64) {
	if s.atRig {
		return
	}
	r := s.r.Transpose()
	u, v := r.Apply(r3.Vec{X: d[0], Y: d[1], Z: d[2]}), r.Apply(r3.Vec{X: d[3], Y: d[4], Z: d[5]})
	*d = [6]float64{u.X, u.Y, u.Z, v.X, v.Y, v.Z}
}

// linearized is the least-squares problem of the local optimization: errors to
// first order, on e.inliers.
type linearized struct{ e *poser }

// residual returns the error of correspondence i to first order; it is false
// behind the camera.
func (e *poser) residual(i int32, r *geom.Mat3, m *placed) (eu, ev float64, ok bool) {
	c := &e.points[i]
	x := e.sensors[c.sensor].inCamera(r3.Add(r.Apply(c.x), m.pose.T))
	if !(x.Z > 0) {
		return 0, 0, false
	}
	s := m.focal / x.Z
	a, b := x.X*s, x.Y*s
	return c.w[0]*a + c.w[1]*b - c.target[0], c.w[2]*a + c.w[3]*b - c.target[1], true
}

// gather collects the inliers of a model in e.inliers.
func (e *poser) gather(m *placed) {
	r := geom.Matrix(m.pose.R)
	e.inliers = e.inliers[:0]
	for i := range e.points {
		if eu, ev, ok := e.residual(int32(i), &r, m); ok && eu*eu+ev*ev < e.limit {
			e.inliers = append(e.inliers, int32(i))
		}
	}
}

func (l linearized) equations(m *placed, s *normal) {
	r := geom.Matrix(m.pose.R)
	for _, i := range l.e.inliers {
		c := &l.e.points[i]
		sensor := &l.e.sensors[c.sensor]
		rig := r3.Add(r.Apply(c.x), m.pose.T)
		x := sensor.inCamera(rig)
		iz := 1 / x.Z
		a, b := m.focal*x.X*iz, m.focal*x.Y*iz
		u, v := c.w[0]*a+c.w[1]*b, c.w[2]*a+c.w[3]*b
		f := m.focal * iz
		d := [6]float64{f * c.w[0], f * c.w[1], -u * iz, f * c.w[2], f * c.w[3], -v * iz}
		sensor.inRig(&d)
		addPixel(s, rig, &d, [2]float64{u - c.target[0], v - c.target[1]}, [2]float64{u, v})
	}
}

// addPixel adds the two residuals of a pixel with derivatives d by the point x
// of the rig's frame, for a motion (ω, τ) of that frame and, if the equations
// have it, the logarithm of the focal length, which the pixel about the
// principal point is proportional to.
func addPixel(s *normal, x r3.Vec, d *[6]float64, residual, pixel [2]float64) {
	for k, e := range residual {
		g := r3.Vec{X: d[3*k], Y: d[3*k+1], Z: d[3*k+2]}
		w := r3.Cross(x, g)
		s.add(e, &[maxUnknowns]float64{w.X, w.Y, w.Z, g.X, g.Y, g.Z, pixel[k]})
	}
}

func (l linearized) cost(m *placed) float64 {
	r := geom.Matrix(m.pose.R)
	var sum float64
	for _, i := range l.e.inliers {
		eu, ev, ok := l.e.residual(i, &r, m)
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
