// Package camera projects camera-frame points to pixels and pixels back to
// rays, for the eleven camera models that kapture takes from COLMAP.
//
// # Coordinates
//
// Camera frame: x right, y down, z forward, in metres. Pixels: u right, v
// down, as kapture counts them: (0, 0) is the upper left corner of the image,
// so the centre of the first pixel is (0.5, 0.5).
package camera

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/spatial/r3"
)

// minDepth is the depth at and below which a point has no image: COLMAP's
// bound, the float64 epsilon.
const minDepth = 0x1p-52

// Camera is a camera model with its parameters: a value, safe for concurrent
// use. Make one with [New]; the zero Camera projects nothing.
type Camera struct {
	fx, fy, cx, cy float64
	lens           lens
}

// New returns the camera of a COLMAP model, such as "OPENCV", with the model's
// own parameters in COLMAP's order (in kapture's sensors.txt they follow the
// width and the height). It is an error if the model is unknown, if the number
// of parameters is not the model's, or if a parameter is not finite or a focal
// length not positive.
func New(model string, params []float64) (Camera, error) {
	m, ok := models[model]
	if !ok {
		return Camera{}, fmt.Errorf("want a camera model of %s, found %q", strings.Join(modelNames(), ", "), model)
	}
	names := strings.Fields(m.params)
	if len(params) != len(names) {
		return Camera{}, fmt.Errorf("want %d parameters of camera model %s (%s), found %d",
			len(names), model, strings.Join(names, ", "), len(params))
	}
	c := Camera{lens: lens{family: m.family}}
	for i, name := range names {
		if math.IsNaN(params[i]) || math.IsInf(params[i], 0) {
			return Camera{}, fmt.Errorf("want a finite parameter %s of camera model %s, found %v", name, model, params[i])
		}
		c.set(name, params[i])
	}
	if !(c.fx > 0 && c.fy > 0) {
		return Camera{}, fmt.Errorf("want positive focal lengths of camera model %s, found %v, %v", model, c.fx, c.fy)
	}
	c.lens.finish()
	return c, nil
}

// modelNames returns the names of all models, sorted.
func modelNames() []string {
	names := make([]string, 0, len(models))
	for name := range models {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// set stores one parameter under the name that the table of models gives it.
func (c *Camera) set(name string, v float64) {
	l := &c.lens
	switch name {
	case "f":
		c.fx, c.fy = v, v
	case "fx":
		c.fx = v
	case "fy":
		c.fy = v
	case "cx":
		c.cx = v
	case "cy":
		c.cy = v
	case "k", "k1":
		l.num[0] = v
	case "k2":
		l.num[1] = v
	case "k3":
		l.num[2] = v
	case "k4":
		if l.family == rational {
			l.den[0] = v
		} else {
			l.num[3] = v
		}
	case "k5":
		l.den[1] = v
	case "k6":
		l.den[2] = v
	case "p1":
		l.p1 = v
	case "p2":
		l.p2 = v
	case "sx1":
		l.sx = v
	case "sy1":
		l.sy = v
	case "omega":
		l.omega = v
	}
}

// Project returns the pixel where the camera sees camera-frame point x (m).
// It is false for points at or behind the camera plane, for every model: as in
// COLMAP, a fisheye sees no more than the half space in front of it.
func (c Camera) Project(x r3.Vec) (u, v float64, ok bool) {
	if !(x.Z >= minDepth) || c.fx == 0 {
		return 0, 0, false
	}
	a, b := c.lens.distort(x.X/x.Z, x.Y/x.Z)
	return c.fx*a + c.cx, c.fy*b + c.cy, true
}

// ProjectJacobian is [Camera.Project] with the derivatives of the pixel by the
// camera-frame point: those of u by x, y and z, then those of v (px/m).
func (c Camera) ProjectJacobian(x r3.Vec) (u, v float64, j [6]float64, ok bool) {
	if !(x.Z >= minDepth) || c.fx == 0 {
		return 0, 0, j, false
	}
	iz := 1 / x.Z
	rx, ry := x.X*iz, x.Y*iz
	a, b, d := c.lens.distortJacobian(rx, ry)
	ux, uy := c.fx*d[0]*iz, c.fx*d[1]*iz
	vx, vy := c.fy*d[2]*iz, c.fy*d[3]*iz
	return c.fx*a + c.cx, c.fy*b + c.cy, [6]float64{
		ux, uy, -(ux*rx + uy*ry),
		vx, vy, -(vx*rx + vy*ry),
	}, true
}

// Focal returns the focal lengths in pixels.
func (c Camera) Focal() (fx, fy float64) { return c.fx, c.fy }

// Principal returns the pixel on the optical axis.
func (c Camera) Principal() (cx, cy float64) { return c.cx, c.cy }

// Unproject returns the ray (x, y, 1) in the camera frame that [Camera.Project]
// maps to pixel (u, v), to about 1e-12 of the ray. It is false where the model
// has no such ray: beyond the radius where the distortion folds back, or 90°
// from the axis of a fisheye.
func (c Camera) Unproject(u, v float64) (x, y float64, ok bool) {
	if c.fx == 0 {
		return 0, 0, false
	}
	return c.lens.undistort((u-c.cx)/c.fx, (v-c.cy)/c.fy)
}
