package robust

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
	"locbench/localize/solver"
)

// poser is the estimator of the pose of a rig; a camera is a rig of one.
type poser struct {
	views        []RigView
	focalUnknown bool
	options      Options
	limit        float64 // squared pixels
	center       r3.Vec
	sensors      []sensor
	points       []correspondence // of one sensor after the other
	inliers      []int32          // scratch: of points
}

// sensor is a camera of the rig as the search needs it.
type sensor struct {
	pose   geom.Pose // rig → camera
	r      geom.Mat3 // of pose
	center r3.Vec    // in the rig
	atRig  bool      // pose is the identity
	size   int       // correspondences
	blocks []pointBlock
}

// correspondence is a pixel with its point, as the search needs them.
type correspondence struct {
	sensor int
	index  int // in the view
	pixel  [2]float64
	x      r3.Vec // in the world, about the centre
	ray    r3.Vec // unit, in the camera frame
	// Error in pixels near the ray: w·(a, b) − target for the camera-frame ray
	// (a, b, 1), the first order of the distorted image about the pixel.
	w      [4]float64
	target [2]float64
}

// placed is a model: the pose world → rig, and the focal length if it is
// unknown, else 1.
type placed struct {
	pose  geom.Pose
	focal float64
}

func newPoser(views []RigView, focalUnknown bool, o Options) (*poser, string) {
	if !(o.MaxErrorPx > 0) {
		return nil, fmt.Sprintf("a maximal error of %v pixels", o.MaxErrorPx)
	}
	e := &poser{views: views, focalUnknown: focalUnknown, options: o, limit: o.MaxErrorPx * o.MaxErrorPx}
	for i := range views {
		v := &views[i]
		if reason := v.check(); reason != "" {
			return nil, reason
		}
		s := sensor{pose: v.Pose, r: geom.Matrix(v.Pose.R), center: v.Pose.Center(), atRig: v.Pose == geom.Identity()}
		for _, k := range v.sorted() {
			c := correspondence{sensor: i, index: k, pixel: v.Pixels[k], x: v.Points[k]}
			if c.look(v, focalUnknown) {
				e.points = append(e.points, c)
				s.size++
			}
		}
		e.sensors = append(e.sensors, s)
	}
	if need := e.need(); len(e.points) < need {
		return nil, fmt.Sprintf("%d correspondences, %d needed", len(e.points), need)
	}
	for i := range e.points {
		e.center = r3.Add(e.center, r3.Scale(1/float64(len(e.points)), e.points[i].x))
	}
	for i := range e.points {
		e.points[i].x = r3.Sub(e.points[i].x, e.center)
	}
	first := 0
	for i := range e.sensors {
		s := &e.sensors[i]
		s.blocks = pack(e.points[first : first+s.size])
		first += s.size
	}
	return e, ""
}

// sorted returns the indices of the correspondences of finite numbers, in an
// order that does not depend on theirs.
func (v *RigView) sorted() []int {
	order := make([]int, 0, len(v.Pixels))
	for i, px := range v.Pixels {
		if x := v.Points[i]; finite(px[0], px[1], x.X, x.Y, x.Z) {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := &v.Pixels[i], &v.Pixels[j]
		switch {
		case a[0] < b[0]:
			return -1
		case a[0] > b[0]:
			return 1
		}
		x, y := v.Points[i], v.Points[j]
		return cmp.Or(cmp.Compare(a[1], b[1]), cmp.Compare(x.X, y.X), cmp.Compare(x.Y, y.Y), cmp.Compare(x.Z, y.Z))
	})
	return order
}

// look fills what the camera says about the pixel; false where it has no ray.
func (c *correspondence) look(v *RigView, focalUnknown bool) bool {
	if focalUnknown {
		cx, cy := v.Camera.Principal()
		c.w = [4]float64{1, 0, 0, 1}
		c.target = [2]float64{c.pixel[0] - cx, c.pixel[1] - cy}
		return true
	}
	x, y, ok := v.Camera.Unproject(c.pixel[0], c.pixel[1])
	if !ok {
		return false
	}
	_, _, j, ok := v.Camera.ProjectJacobian(r3.Vec{X: x, Y: y, Z: 1})
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

// need is the least number of correspondences: one more than a sample, to tell
// its solutions apart.
func (e *poser) need() int { return e.sampleSize() + 1 }

func (e *poser) sampleSize() int {
	if e.focalUnknown {
		return 4
	}
	return 3
}

func (e *poser) unknowns() int {
	if e.focalUnknown {
		return 7
	}
	return 6
}

// estimate searches for the pose and fits it.
func (e *poser) estimate() (fitted, string) {
	rng := rand.New(rand.NewPCG(e.options.Seed, 0x6162736f6c757465))
	best := ransac(e, len(e.points), e.options, rng)
	if best.inliers == 0 {
		return fitted{}, "no sample of the correspondences has a pose"
	}
	return e.finish(&best)
}

func (e *poser) generate(sample []int, dst []placed) int {
	if e.focalUnknown {
		return e.generateFocal(sample, dst)
	}
	var x, world [3]r3.Vec
	one := true // sensor
	for i, s := range sample {
		x[i], world[i] = e.points[s].ray, e.points[s].x
		one = one && e.points[s].sensor == e.points[sample[0]].sensor
	}
	if !one {
		return e.generateRig(&x, &world, sample, dst)
	}
	var poses [4]geom.Pose
	n := solver.P3P(&x, &world, &poses)
	s := &e.sensors[e.points[sample[0]].sensor]
	for i := range n {
		dst[i] = placed{pose: poses[i], focal: 1}
		if !s.atRig {
			dst[i].pose = poses[i].Then(s.pose.Inverse())
		}
	}
	return n
}

// generateRig solves a sample of several cameras.
func (e *poser) generateRig(x, world *[3]r3.Vec, sample []int, dst []placed) int {
	var o [3]r3.Vec
	for i, k := range sample {
		s := &e.sensors[e.points[k].sensor]
		o[i] = s.center
		back := s.r.Transpose()
		x[i] = back.Apply(x[i])
	}
	var poses [8]geom.Pose
	n := solver.GP3P(&o, x, world, &poses)
	for i := range n {
		dst[i] = placed{pose: poses[i], focal: 1}
	}
	return n
}

// generateFocal solves a sample of a camera of unknown focal length.
func (e *poser) generateFocal(sample []int, dst []placed) int {
	var u [4][2]float64
	var world [4]r3.Vec
	for i, s := range sample {
		u[i], world[i] = e.points[s].target, e.points[s].x
	}
	var poses [8]geom.Pose
	var focals [8]float64
	n := solver.P4Pf(&u, &world, &poses, &focals)
	for i := range n {
		dst[i] = placed{pose: poses[i], focal: focals[i]}
	}
	return n
}

func (e *poser) score(m *placed, bound float64) (cost float64, inliers int) {
	for i := range e.sensors {
		s := &e.sensors[i]
		v := m.view(s)
		padding := e.limit * float64(len(s.blocks)*lanes-s.size)
		c, k := tallyPoints(s.blocks, &v, e.limit, bound-cost+padding)
		if cost += c - padding; cost > bound {
			return cost, 0
		}
		inliers += k
	}
	return cost, inliers
}

// view returns the model as the kernels want it for a sensor.
func (m *placed) view(s *sensor) view {
	p, f := m.pose, m.focal
	if !s.atRig {
		p = p.Then(s.pose)
	}
	r, t := geom.Matrix(p.R), p.T
	return view{
		f * r[0], f * r[1], f * r[2], f * t.X,
		f * r[3], f * r[4], f * r[5], f * t.Y,
		r[6], r[7], r[8], t.Z,
	}
}
