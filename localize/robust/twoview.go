package robust

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/camera"
	"locbench/kapture/geom"
)

// finish fits the geometry to all inliers, judges it, and names its kind.
func (e *relative) finish(best *found[epipole]) (Relative, string) {
	m := best.model
	need := e.sampleSize() + 1
	limit := e.limit
	var before []int32
	for range finalRounds {
		e.gather(&m.f, limit)
		if len(e.inliers) < need || slices.Equal(e.inliers, before) {
			break
		}
		e.fit(&m, finalSteps)
		limit = tighter(e.errors(&m.f), medianLine, e.limit)
		before = append(before[:0], e.inliers...)
	}
	e.gather(&m.f, e.limit)
	if count := len(e.inliers); count < need || !e.beyondChance(&m.f, best.models) {
		return Relative{}, noMoreThanChance(count, len(e.matches))
	}
	r := Relative{Kind: Fundamental, Pose: geom.Identity(), Iterations: best.iterations, Inliers: make([]bool, len(e.problem.Pixels1))}
	f := m.f
	if e.calibrated {
		pose, ok := e.pose(&m.f)
		if !ok {
			return Relative{}, "the inliers are not in front of both cameras"
		}
		r.Kind, r.Pose = Essential, pose
		k1, k2 := calibration(e.problem.Camera1), calibration(e.problem.Camera2)
		f = between(&k2, &f, &k1)
	} else {
		s1, s2 := e.scale1.matrix(), e.scale2.matrix()
		f = between(&s2, &f, &s1)
	}
	r.F = unit(f)
	e.degeneracy(&r)
	r.NumInliers = len(e.inliers)
	for _, i := range e.inliers {
		r.Inliers[e.matches[i].index] = true
	}
	return r, ""
}

// errors returns the squared errors of the inliers, pixels.
func (e *relative) errors(f *geom.Mat3) []float64 {
	d := make([]float64, len(e.inliers))
	for k, i := range e.inliers {
		d[k] = e.matches[i].sampson(f)
	}
	return d
}

// calibration returns K⁻¹: from pixels without distortion to z = 1.
func calibration(c *camera.Camera) geom.Mat3 {
	fx, fy := c.Focal()
	cx, cy := c.Principal()
	return geom.Mat3{1 / fx, 0, -cx / fx, 0, 1 / fy, -cy / fy, 0, 0, 1}
}

// between returns bᵀ·f·a.
func between(b, f, a *geom.Mat3) geom.Mat3 {
	bt := b.Transpose()
	m := bt.Mul(f)
	return m.Mul(a)
}

// unit returns the matrix at unit norm.
func unit(m geom.Mat3) geom.Mat3 {
	var sum float64
	for _, v := range m {
		sum += v * v
	}
	s := 1 / math.Sqrt(sum)
	for i := range m {
		m[i] *= s
	}
	return m
}

// degenerateShare of the inliers, when a simpler geometry explains them, is
// what makes the pair planar or a pure rotation (COLMAP's two-view geometry has
// the same share).
const degenerateShare = 0.8

// degeneracy names pairs that a homography or a rotation explains, and leaves
// the inliers of what determines them in e.inliers.
func (e *relative) degeneracy(r *Relative) {
	all := append([]int32(nil), e.inliers...)
	enough := int(math.Ceil(degenerateShare * float64(len(all))))
	h, inliers := e.homography(all)
	if len(inliers) < enough {
		return
	}
	r.Kind = Planar
	if !e.calibrated {
		// Of all fundamental matrices that a plane allows, this is any one.
		e.inliers = inliers
		return
	}
	if q, inliers := e.rotation(&h, all); len(inliers) >= enough {
		r.Kind, r.Pose.R = PureRotation, q
		e.inliers = inliers
		r.F = [9]float64{}
	}
}

// transfer returns the error in pixels of the second image of the point that h
// moves there, and its derivatives by what h moves it to; false behind.
func (m *match) transfer(h *geom.Mat3) (eu, ev float64, y r3.Vec, w [4]float64, ok bool) {
	y = h.Apply(ray(m.a))
	if !(y.Z > 0) {
		return 0, 0, y, w, false
	}
	det := m.vb[0]*m.vb[3] - m.vb[1]*m.vb[2]
	w = [4]float64{m.vb[3] / det, -m.vb[1] / det, -m.vb[2] / det, m.vb[0] / det}
	ex, ey := y.X/y.Z-m.b[0], y.Y/y.Z-m.b[1]
	return w[0]*ex + w[1]*ey, w[2]*ex + w[3]*ey, y, w, true
}
