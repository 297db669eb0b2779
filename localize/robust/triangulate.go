package robust

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/camera"
	"locbench/kapture/geom"
	"locbench/localize/solver"
)

// TrackView is one observation of a point.
type TrackView struct {
	Camera *camera.Camera
	Pose   geom.Pose  // world → camera
	Pixel  [2]float64 // of the distorted image
}

// TriangulateOptions say what makes a point.
type TriangulateOptions struct {
	MaxErrorPx  float64 // an inlier's largest reprojection error
	MinAngleDeg float64 // least of the largest angle between two inliers' rays
	MinViews    int     // least inliers; two at least
	Seed        uint64
}

// Point is a triangulated point.
type Point struct {
	X          r3.Vec // world, metres
	Inliers    []bool // by view
	NumInliers int
	RMSEPx     float64 // of the inliers, √ of the mean squared distance
	AngleDeg   float64 // largest angle between the rays of two inliers
	// Covariance of X (m²), row-major, for pixels with a standard deviation of
	// one in each coordinate; multiply by their variance. Two views tell too
	// little of it to estimate it from the residuals.
	Covariance [9]float64
}

// maxPairs of views that are tried; up to 45 views that is all of them.
const maxPairs = 990

// Triangulate returns the point that most of the views see, by the least sum of
// squared errors cut off at the threshold over the points between two views,
// fitted to its inliers. It is false where there are too few or their rays are
// too near to parallel.
func Triangulate(views []TrackView, o TriangulateOptions) (p Point, ok bool) {
	t := newTrack(views, o)
	if len(t.sights) < t.need || !(o.MaxErrorPx > 0) {
		return Point{}, false
	}
	x, ok := t.search(o.Seed)
	if !ok {
		return Point{}, false
	}
	var s normal
	count := 0
	for range finalRounds {
		before := count
		t.gather(x)
		if count = len(t.inliers); count < t.need || count == before {
			break
		}
		s = minimize(pointFit{t}, &x, 3, finalSteps)
	}
	if count < t.need {
		return Point{}, false
	}
	return t.report(x, &s)
}

// sight is a view as the search needs it.
type sight struct {
	index  int // in the views
	view   *TrackView
	r      geom.Mat3
	t      r3.Vec // of the pose about the track's origin
	center r3.Vec // of the camera, about the origin
	ray    r3.Vec // unit, in the world
}

// track is the problem of one point.
type track struct {
	views   int
	need    int // inliers
	angle   float64
	limit   float64 // squared pixels
	origin  r3.Vec
	sights  []sight
	inliers []int
}

func newTrack(views []TrackView, o TriangulateOptions) *track {
	t := &track{views: len(views), need: max(o.MinViews, 2), angle: o.MinAngleDeg, limit: o.MaxErrorPx * o.MaxErrorPx}
	for i := range views {
		v := &views[i]
		if v.Camera == nil || !finite(v.Pixel[0], v.Pixel[1], v.Pose.T.X, v.Pose.T.Y, v.Pose.T.Z, v.Pose.R.Real, v.Pose.R.Imag, v.Pose.R.Jmag, v.Pose.R.Kmag) {
			continue
		}
		x, y, ok := v.Camera.Unproject(v.Pixel[0], v.Pixel[1])
		if !ok {
			continue
		}
		s := sight{index: i, view: v, r: geom.Matrix(v.Pose.R), center: v.Pose.Center()}
		inverse := s.r.Transpose()
		s.ray = inverse.Apply(r3.Unit(r3.Vec{X: x, Y: y, Z: 1}))
		t.sights = append(t.sights, s)
	}
	slices.SortFunc(t.sights, func(a, b sight) int {
		return cmp.Or(cmp.Compare(a.center.X, b.center.X), cmp.Compare(a.center.Y, b.center.Y), cmp.Compare(a.center.Z, b.center.Z),
			cmp.Compare(a.ray.X, b.ray.X), cmp.Compare(a.ray.Y, b.ray.Y), cmp.Compare(a.ray.Z, b.ray.Z))
	})
	if len(t.sights) > 0 {
		t.origin = t.sights[0].center
	}
	for i := range t.sights {
		s := &t.sights[i]
		s.center = r3.Sub(s.center, t.origin)
		s.t = r3.Scale(-1, s.r.Apply(s.center))
	}
	return t
}

// search returns the best of the points between two views.
func (t *track) search(seed uint64) (best r3.Vec, ok bool) {
	n := len(t.sights)
	least := math.Inf(1)
	try := func(i, j int) {
		a, b := &t.sights[i], &t.sights[j]
		x, met := solver.TriangulateTwo(a.center, a.ray, b.center, b.ray)
		if !met {
			return
		}
		if cost := t.cost(x, least); cost < least {
			least, best, ok = cost, x, true
		}
	}
	if n*(n-1)/2 <= maxPairs {
		for i := range n {
			for j := i + 1; j < n; j++ {
				try(i, j)
			}
		}
		return best, ok
	}
	rng := rand.New(rand.NewPCG(seed, 0x747269616e67))
	var pair [2]int
	for range maxPairs {
		draw(rng, n, pair[:])
		try(pair[0], pair[1])
	}
	return best, ok
}

// error returns the squared error of a view in pixels; false behind it.
func (s *sight) error(x r3.Vec) (d float64, ok bool) {
	u, v, ok := s.view.Camera.Project(r3.Add(s.r.Apply(x), s.t))
	eu, ev := u-s.view.Pixel[0], v-s.view.Pixel[1]
	return eu*eu + ev*ev, ok
}

// cost is the sum of squared errors, each cut off, up to the bound.
func (t *track) cost(x r3.Vec, bound float64) float64 {
	var sum float64
	for i := range t.sights {
		if d, ok := t.sights[i].error(x); ok && d < t.limit {
			sum += d
		} else {
			sum += t.limit
		}
		if sum >= bound {
			break
		}
	}
	return sum
}

// gather collects the inliers of a point.
func (t *track) gather(x r3.Vec) {
	t.inliers = t.inliers[:0]
	for i := range t.sights {
		if d, ok := t.sights[i].error(x); ok && d < t.limit {
			t.inliers = append(t.inliers, i)
		}
	}
}

// pointFit is the least-squares problem of a point on t.inliers.
type pointFit struct{ t *track }

func (f pointFit) equations(x *r3.Vec, s *normal) {
	for _, i := range f.t.inliers {
		v := &f.t.sights[i]
		p, q, d, _ := v.view.Camera.ProjectJacobian(r3.Add(v.r.Apply(*x), v.t))
		m := &v.r
		for k, e := range [2]float64{p - v.view.Pixel[0], q - v.view.Pixel[1]} {
			g := d[3*k : 3*k+3]
			s.add(e, &[maxUnknowns]float64{
				g[0]*m[0] + g[1]*m[3] + g[2]*m[6],
				g[0]*m[1] + g[1]*m[4] + g[2]*m[7],
				g[0]*m[2] + g[1]*m[5] + g[2]*m[8],
			})
		}
	}
}

func (f pointFit) cost(x *r3.Vec) float64 {
	var sum float64
	for _, i := range f.t.inliers {
		d, ok := f.t.sights[i].error(*x)
		if !ok {
			return math.Inf(1)
		}
		sum += d
	}
	return sum
}

func (f pointFit) step(x *r3.Vec, d *[maxUnknowns]float64) r3.Vec {
	return r3.Add(*x, r3.Vec{X: d[0], Y: d[1], Z: d[2]})
}

// report turns the fit into a point, unless its rays are too near to parallel.
func (t *track) report(x r3.Vec, s *normal) (Point, bool) {
	n := len(t.inliers)
	p := Point{
		X: r3.Add(x, t.origin), Inliers: make([]bool, t.views), NumInliers: n,
		RMSEPx: math.Sqrt(s.cost / float64(n)), AngleDeg: t.largestAngle(),
	}
	inverse, ok := s.inverse()
	if !ok || p.AngleDeg < t.angle {
		return Point{}, false
	}
	for _, i := range t.inliers {
		p.Inliers[t.sights[i].index] = true
	}
	for i := range 3 {
		for j := range 3 {
			p.Covariance[3*i+j] = inverse[i][j]
		}
	}
	return p, true
}

// largestAngle is that between the rays of two inliers, degrees.
func (t *track) largestAngle() float64 {
	var largest float64
	for k, i := range t.inliers {
		for _, j := range t.inliers[:k] {
			a, b := t.sights[i].ray, t.sights[j].ray
			largest = math.Max(largest, math.Atan2(r3.Norm(r3.Cross(a, b)), r3.Dot(a, b)))
		}
	}
	return largest * 180 / math.Pi
}
