package robust

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
)

// Bounds of the final fit: how often its inliers are looked for, and the steps
// in between.
const (
	finalRounds = 5
	finalSteps  = 10
)

// finalDeviations is how many standard deviations the errors of the final fit
// may have. Beyond, an inlier is more likely an outlier that happens to be near.
const finalDeviations = 3.5

// Medians of squared errors with unit variance in each coordinate: of a
// distance on a line and in the plane.
const (
	medianLine  = 0.4549364 // χ², one degree of freedom
	medianPoint = 1.3862944 // two degrees: 2·ln 2
)

// tighter returns the limit of the final fit in squared pixels: by the spread
// of the squared errors (which it sorts), whose median under noise of unit
// variance is given, but at most that of an inlier.
func tighter(squared []float64, median, limit float64) float64 {
	slices.Sort(squared)
	variance := squared[len(squared)/2] / median
	return math.Min(limit, math.Max(finalDeviations*finalDeviations*variance, 1e-12))
}

// fitted is the outcome of a poser.
type fitted struct {
	pose       geom.Pose
	focal      float64
	inliers    [][]bool // by view
	count      int
	covariance [6][6]float64
	rmse       float64
	iterations int
}

// finish fits the pose to all inliers in pixels of the distorted image, and
// judges the result.
func (e *poser) finish(best *found[placed]) (fitted, string) {
	m := best.model
	var s normal
	var before []int32
	limit := e.limit
	for range finalRounds {
		e.gatherExact(&m, limit)
		if len(e.inliers) < e.need() || slices.Equal(e.inliers, before) {
			break
		}
		s = minimize(exact{e}, &m, e.unknowns(), finalSteps)
		limit = tighter(e.errors(&m), medianPoint, e.limit)
		before = append(before[:0], e.inliers...)
	}
	e.gatherExact(&m, e.limit)
	if n := len(e.inliers); n < e.need() || len(before) < e.need() || !e.beyondChance(&m, best.models) {
		return fitted{}, noMoreThanChance(n, len(e.points))
	}
	variance := s.cost / float64(max(2*len(before)-s.n, 1))
	inverse, ok := s.inverse()
	if !ok || e.undetermined(&m, &inverse, math.Max(variance, 1e-4)) {
		return fitted{}, "the inliers do not determine the pose (points on one line, or in one place)"
	}
	f := e.report(&m)
	f.iterations = best.iterations
	for i := range 6 {
		for j := range 6 {
			f.covariance[i][j] = variance * inverse[i][j]
		}
	}
	return f, ""
}

// report gathers what the model says about the correspondences.
func (e *poser) report(m *placed) fitted {
	f := fitted{pose: m.pose, focal: m.focal, count: len(e.inliers), rmse: math.Sqrt(mean(e.errors(m)))}
	f.pose.T = r3.Sub(m.pose.T, geom.Rotate(m.pose.R, e.center))
	for i := range e.views {
		f.inliers = append(f.inliers, make([]bool, len(e.views[i].Pixels)))
	}
	for _, i := range e.inliers {
		c := &e.points[i]
		f.inliers[c.sensor][c.index] = true
	}
	return f
}

func mean(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// undetermined says that the pose could be off by half a radian or by the
// distance of what the cameras see: a linear covariance that large means that
// the points do not fix it.
func (e *poser) undetermined(m *placed, inverse *[maxUnknowns][maxUnknowns]float64, variance float64) bool {
	var rotation, translation, depth float64
	for i := range 3 {
		rotation += inverse[i][i]
		translation += inverse[3+i][3+i]
	}
	for _, i := range e.inliers {
		depth += r3.Norm(m.pose.Apply(e.points[i].x)) / float64(len(e.inliers))
	}
	return !(rotation*variance < 0.25) || !(translation*variance < depth*depth)
}

// project returns the pixel of the camera-frame point x of correspondence c,
// with derivatives; false behind the camera.
func (e *poser) project(c *correspondence, x r3.Vec, focal float64) (u, v float64, d [6]float64, ok bool) {
	camera := &e.views[c.sensor].Camera
	if !e.focalUnknown {
		return camera.ProjectJacobian(x)
	}
	cx, cy := camera.Principal()
	if !(x.Z > 0) {
		return 0, 0, d, false
	}
	s := focal / x.Z
	a, b := s*x.X, s*x.Y
	return a + cx, b + cy, [6]float64{s, 0, -a / x.Z, 0, s, -b / x.Z}, true
}

// error returns the squared error of correspondence i in pixels of the
// distorted image; false behind the camera.
func (e *poser) error(i int32, r *geom.Mat3, m *placed) (d float64, ok bool) {
	c := &e.points[i]
	x := e.sensors[c.sensor].inCamera(r3.Add(r.Apply(c.x), m.pose.T))
	var u, v float64
	if e.focalUnknown {
		u, v, _, ok = e.project(c, x, m.focal)
	} else {
		u, v, ok = e.views[c.sensor].Camera.Project(x)
	}
	eu, ev := u-c.pixel[0], v-c.pixel[1]
	return eu*eu + ev*ev, ok
}

// gatherExact collects the inliers by the cameras' own projections.
func (e *poser) gatherExact(m *placed, limit float64) {
	r := geom.Matrix(m.pose.R)
	e.inliers = e.inliers[:0]
	for i := range e.points {
		if d, ok := e.error(int32(i), &r, m); ok && d < limit {
			e.inliers = append(e.inliers, int32(i))
		}
	}
}

// errors returns the squared errors of the inliers, pixels.
func (e *poser) errors(m *placed) []float64 {
	r := geom.Matrix(m.pose.R)
	errors := make([]float64, len(e.inliers))
	for k, i := range e.inliers {
		errors[k], _ = e.error(i, &r, m)
	}
	return errors
}

// exact is the final least-squares problem: errors in pixels of the distorted
// images on e.inliers.
type exact struct{ e *poser }

func (f exact) equations(m *placed, s *normal) {
	r := geom.Matrix(m.pose.R)
	for _, i := range f.e.inliers {
		c := &f.e.points[i]
		sensor := &f.e.sensors[c.sensor]
		rig := r3.Add(r.Apply(c.x), m.pose.T)
		u, v, d, _ := f.e.project(c, sensor.inCamera(rig), m.focal)
		cx, cy := f.e.views[c.sensor].Camera.Principal()
		sensor.inRig(&d)
		addPixel(s, rig, &d, [2]float64{u - c.pixel[0], v - c.pixel[1]}, [2]float64{u - cx, v - cy})
	}
}

func (f exact) cost(m *placed) float64 {
	r := geom.Matrix(m.pose.R)
	var sum float64
	for _, i := range f.e.inliers {
		d, ok := f.e.error(i, &r, m)
		if !ok {
			return math.Inf(1)
		}
		sum += d
	}
	return sum
}

func (f exact) step(m *placed, d *[maxUnknowns]float64) placed { return m.moved(d) }
