package robust

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
)

// finalRounds bounds how often the inliers of the final fit are looked for.
const finalRounds = 5

// finish fits the pose to all inliers in pixels of the distorted image, and
// judges the result.
func (e *absolute) finish(best *found[placed]) (Absolute, string) {
	m := best.model
	var s normal
	limit := e.limit
	var before []int32
	for range finalRounds {
		e.gatherExact(&m, limit)
		if len(e.inliers) < minAbsolute || slices.Equal(e.inliers, before) {
			break
		}
		s = minimize(exact{e}, &m, e.unknowns(), 10)
		limit = tighter(e.errors(&m), medianPoint, e.limit)
		before = append(before[:0], e.inliers...)
	}
	fitted := len(e.inliers)
	e.gatherExact(&m, e.limit)
	if count := len(e.inliers); count < minAbsolute || fitted < minAbsolute || !e.beyondChance(&m, best.models) {
		return Absolute{}, noMoreThanChance(count, len(e.points))
	}
	return e.report(&m, &s, fitted, best.iterations)
}

// Medians of squared errors with unit variance in each coordinate: of a
// distance on a line and in the plane.
const (
	medianLine  = 0.4549364 // χ², one degree of freedom
	medianPoint = 1.3862944 // two degrees: 2·ln 2
)

// finalDeviations is how many standard deviations the errors of the final fit
// may have. Beyond, an inlier is more likely an outlier that happens to be near.
const finalDeviations = 3.5

// tighter returns the limit of the final fit in squared pixels: by the spread
// of the squared errors (which it sorts), whose median under noise of unit
// variance is given, but at most that of an inlier.
func tighter(squared []float64, median, limit float64) float64 {
	slices.Sort(squared)
	variance := squared[len(squared)/2] / median
	return math.Min(limit, math.Max(finalDeviations*finalDeviations*variance, 1e-12))
}

// project returns the pixel of the camera-frame point x, and its derivatives.
func (e *absolute) project(x r3.Vec, focal float64) (u, v float64, d [6]float64, ok bool) {
	if !e.problem.FocalUnknown {
		return e.problem.Camera.ProjectJacobian(x)
	}
	cx, cy := e.problem.Camera.Principal()
	if !(x.Z > 0) {
		return 0, 0, d, false
	}
	s := focal / x.Z
	a, b := s*x.X, s*x.Y
	return a + cx, b + cy, [6]float64{s, 0, -a / x.Z, 0, s, -b / x.Z}, true
}

// error returns the squared error of correspondence i in pixels of the
// distorted image; false behind the camera.
func (e *absolute) error(i int32, r *geom.Mat3, m *placed) (d float64, ok bool) {
	c := &e.points[i]
	x := r3.Add(r.Apply(c.x), m.pose.T)
	var u, v float64
	if e.problem.FocalUnknown {
		u, v, _, ok = e.project(x, m.focal)
	} else {
		u, v, ok = e.problem.Camera.Project(x)
	}
	eu, ev := u-c.pixel[0], v-c.pixel[1]
	return eu*eu + ev*ev, ok
}

// gatherExact collects the inliers by the camera's own projection.
func (e *absolute) gatherExact(m *placed, limit float64) {
	r := geom.Matrix(m.pose.R)
	e.inliers = e.inliers[:0]
	for i := range e.points {
		if d, ok := e.error(int32(i), &r, m); ok && d < limit {
			e.inliers = append(e.inliers, int32(i))
		}
	}
}

// errors returns the squared errors of the inliers, pixels.
func (e *absolute) errors(m *placed) []float64 {
	r := geom.Matrix(m.pose.R)
	errors := make([]float64, len(e.inliers))
	for k, i := range e.inliers {
		errors[k], _ = e.error(i, &r, m)
	}
	return errors
}

// exact is the final least-squares problem: errors in pixels of the distorted
// image on e.inliers.
type exact struct{ e *absolute }

func (f exact) equations(m *placed, s *normal) {
	r := geom.Matrix(m.pose.R)
	for _, i := range f.e.inliers {
		c := &f.e.points[i]
		x := r3.Add(r.Apply(c.x), m.pose.T)
		u, v, d, _ := f.e.project(x, m.focal)
		addPixel(s, x, &d, u-c.pixel[0], v-c.pixel[1], m.focal)
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

// report turns the fit into a result, unless it leaves the pose undetermined.
func (e *absolute) report(m *placed, s *normal, fitted, iterations int) (Absolute, string) {
	n := len(e.inliers)
	inverse, ok := s.inverse()
	variance := s.cost / float64(max(2*fitted-s.n, 1))
	if !ok || undetermined(&inverse, math.Max(variance, 1e-4), e.depth(m)) {
		return Absolute{}, "the inliers do not determine the pose (points on one line, or in one place)"
	}
	a := Absolute{
		Pose:       geom.Pose{R: m.pose.R, T: m.pose.T},
		Inliers:    make([]bool, len(e.problem.Pixels)),
		NumInliers: n,
		RMSEPx:     math.Sqrt(mean(e.errors(m))),
		Iterations: iterations,
		Focal:      m.focal,
	}
	// The centre comes back in where it costs the fewest digits.
	a.Pose.T = r3.Sub(m.pose.T, geom.Rotate(m.pose.R, e.center))
	if !e.problem.FocalUnknown {
		fx, fy := e.problem.Camera.Focal()
		a.Focal = (fx + fy) / 2
	}
	for _, i := range e.inliers {
		a.Inliers[e.points[i].index] = true
	}
	for i := range 6 {
		for j := range 6 {
			a.Covariance[i][j] = variance * inverse[i][j]
		}
	}
	return a, ""
}

// depth is the mean depth of the inliers, metres.
func (e *absolute) depth(m *placed) float64 {
	var sum float64
	for _, i := range e.inliers {
		sum += m.pose.Apply(e.points[i].x).Z
	}
	return sum / float64(len(e.inliers))
}

// undetermined says that the pose could be off by half a radian or by the
// distance of what the camera sees: a linear covariance that large means that
// the points do not fix it.
func undetermined(inverse *[maxUnknowns][maxUnknowns]float64, variance, depth float64) bool {
	var rotation, translation float64
	for i := range 3 {
		rotation += inverse[i][i]
		translation += inverse[3+i][3+i]
	}
	return !(rotation*variance < 0.25) || !(translation*variance < depth*depth)
}

func mean(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}
