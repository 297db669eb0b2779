package robust

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/camera"
	"locbench/kapture/geom"
)

// match is a correspondence of two images, as the search needs it.
type match struct {
	index          int // in the problem
	pixel1, pixel2 [2]float64
	// Points of the planes z = 1: rays of known cameras, scaled pixels of
	// unknown ones.
	a, b [2]float64
	// Derivatives of those by the pixels, row by row.
	va, vb [4]float64
}

// look fills one side of a match from the camera, or from the scale of the
// pixels where there is none.
func look(c *camera.Camera, n *scaling, px [2]float64) (x [2]float64, v [4]float64, ok bool) {
	if c == nil {
		return n.apply(px), [4]float64{n.scale, 0, 0, n.scale}, true
	}
	x[0], x[1], ok = c.Unproject(px[0], px[1])
	if !ok {
		return x, v, false
	}
	_, _, j, ok := c.ProjectJacobian(r3.Vec{X: x[0], Y: x[1], Z: 1})
	det := j[0]*j[4] - j[1]*j[3]
	return x, [4]float64{j[4] / det, -j[1] / det, -j[3] / det, j[0] / det}, ok && det != 0
}

// scaling brings the pixels of an image to the neighbourhood of the unit square
// (Hartley, In defense of the eight-point algorithm, PAMI 1997).
type scaling struct {
	center [2]float64
	scale  float64
}

func newScaling(pixels [][2]float64) scaling {
	s := scaling{scale: 1}
	n := 0.
	for _, p := range pixels {
		if finite(p[0], p[1]) {
			s.center[0] += p[0]
			s.center[1] += p[1]
			n++
		}
	}
	if n == 0 {
		return s
	}
	s.center[0] /= n
	s.center[1] /= n
	var spread float64
	for _, p := range pixels {
		if finite(p[0], p[1]) {
			spread += math.Hypot(p[0]-s.center[0], p[1]-s.center[1])
		}
	}
	if spread > 0 {
		s.scale = n / spread
	}
	return s
}

func (s *scaling) apply(p [2]float64) [2]float64 {
	return [2]float64{(p[0] - s.center[0]) * s.scale, (p[1] - s.center[1]) * s.scale}
}

// matrix maps homogeneous pixels as apply does.
func (s *scaling) matrix() geom.Mat3 {
	return geom.Mat3{s.scale, 0, -s.center[0] * s.scale, 0, s.scale, -s.center[1] * s.scale, 0, 0, 1}
}

// epipolar returns the algebraic error e = bᵀ·F·a and its gradient by the four
// pixel coordinates.
func (m *match) epipolar(f *geom.Mat3) (e float64, g [4]float64) {
	ax, ay, bx, by := m.a[0], m.a[1], m.b[0], m.b[1]
	// Lines in the second and the first image.
	l0, l1, l2 := f[0]*ax+f[1]*ay+f[2], f[3]*ax+f[4]*ay+f[5], f[6]*ax+f[7]*ay+f[8]
	k0, k1 := f[0]*bx+f[3]*by+f[6], f[1]*bx+f[4]*by+f[7]
	return bx*l0 + by*l1 + l2, [4]float64{
		k0*m.va[0] + k1*m.va[2], k0*m.va[1] + k1*m.va[3],
		l0*m.vb[0] + l1*m.vb[2], l0*m.vb[1] + l1*m.vb[3],
	}
}

// sampson returns the squared distance in pixels, to first order, of the four
// coordinates from the nearest that satisfy the epipolar constraint (Hartley and
// Zisserman, section 11.4.3), through the lenses' distortion (Terekhov and
// Larsson, Tangent Sampson error, ICCV 2023).
func (m *match) sampson(f *geom.Mat3) float64 {
	e, g := m.epipolar(f)
	return e * e / (g[0]*g[0] + g[1]*g[1] + g[2]*g[2] + g[3]*g[3])
}

// addSampson adds the residual e/|g| to the equations, with the derivatives
// that follow from those of F by each unknown.
func (m *match) addSampson(s *normal, f *geom.Mat3, d []geom.Mat3) {
	e, g := m.epipolar(f)
	g2 := g[0]*g[0] + g[1]*g[1] + g[2]*g[2] + g[3]*g[3]
	inv := 1 / math.Sqrt(g2)
	var j [maxUnknowns]float64
	for k := range d {
		de, dg := m.epipolar(&d[k])
		along := g[0]*dg[0] + g[1]*dg[1] + g[2]*dg[2] + g[3]*dg[3]
		j[k] = inv * (de - e*along/g2)
	}
	s.add(e*inv, &j)
}
