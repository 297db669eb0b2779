package sfm

import (
	"errors"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
)

// Weigh works out the covariances of the points of a map that was read: those of
// points that are seen from the known poses with a noise of one pixel, as points
// that were triangulated here have them,
//
//	C = (Σ JᵀJ)⁻¹,
//
// J the derivative of a view's pixel by the point. A point that its views do not
// determine counts as exact. Images that are not in the library, or are without camera,
// do not count.
func (m *Map) Weigh(images Images) error {
	information := make([]geom.Mat3, len(m.Points))
	for _, name := range m.Images() {
		im, err := images.Image(name)
		if errors.Is(err, errNotInScene) {
			continue
		}
		if err != nil {
			return err
		}
		if im.Camera == nil {
			continue
		}
		back := geom.Matrix(im.Pose.R)
		back = back.Transpose()
		for _, p := range m.seen[name] {
			if p < 0 {
				continue
			}
			_, _, j, ok := im.Camera.ProjectJacobian(im.Pose.Apply(m.Points[p]))
			if !ok {
				continue
			}
			for k := range 2 {
				addOuter(&information[p], back.Apply(r3.Vec{X: j[3*k], Y: j[3*k+1], Z: j[3*k+2]}))
			}
		}
	}
	m.Covariances = make([][9]float64, len(m.Points))
	for p := range information {
		if c, ok := inverse(&information[p]); ok {
			m.Covariances[p] = c
		}
	}
	return nil
}

func addOuter(m *geom.Mat3, v r3.Vec) {
	x := [3]float64{v.X, v.Y, v.Z}
	for i := range 3 {
		for k := range 3 {
			m[3*i+k] += x[i] * x[k]
		}
	}
}

// inverse returns that of a symmetric positive matrix; false where it is
// singular, to a few digits.
func inverse(m *geom.Mat3) ([9]float64, bool) {
	a, b, c, d, e, f := m[0], m[1], m[2], m[4], m[5], m[8]
	aa, bb, cc := d*f-e*e, c*e-b*f, b*e-c*d
	det := a*aa + b*bb + c*cc
	if !(det > 1e-12*(a*d*f)) {
		return [9]float64{}, false
	}
	dd, ee, ff := a*f-c*c, b*c-a*e, a*d-b*b
	return [9]float64{aa / det, bb / det, cc / det, bb / det, dd / det, ee / det, cc / det, ee / det, ff / det}, true
}
