package camera

import "math"

// newtonSteps bounds Newton's method. It doubles its digits a step near the
// root; a lens at the edge of its range needs about ten steps.
const newtonSteps = 50

// newtonTolerance is the residual on the normalized plane that counts as
// solved, relative to 1 + radius: some hundred float64 epsilons, about 1e-10 px.
const newtonTolerance = 1e-13

// undistort inverts distort.
func (l *lens) undistort(x, y float64) (float64, float64, bool) {
	if l.family == fov {
		return l.undistortFOV(x, y)
	}
	if !l.straight {
		var ok bool
		if x, y, ok = l.newton(x, y); !ok {
			return 0, 0, false
		}
	}
	if l.family != fisheye {
		return x, y, finite(x, y)
	}
	theta := math.Sqrt(x*x + y*y)
	if !(theta < math.Pi/2) {
		return 0, 0, false
	}
	if theta > minDepth {
		g := math.Tan(theta) / theta
		x, y = g*x, g*y
	}
	return x, y, true
}

func finite(x, y float64) bool { return !math.IsNaN(x-x) && !math.IsNaN(y-y) }

// newton solves the polynomial for the undistorted point. It starts at the
// distorted point, from which the steps stay on the branch that holds the
// centre: barrel distortion is concave and approached from below, pincushion
// convex and approached from above. A singular or folded Jacobian on the way
// means that the pixel is outside the lens's range.
func (l *lens) newton(xd, yd float64) (x, y float64, ok bool) {
	x, y = xd, yd
	limit := newtonTolerance * (1 + math.Abs(xd) + math.Abs(yd))
	for range newtonSteps {
		px, py, j := l.polynomial(x, y)
		ex, ey := px-xd, py-yd
		a, b, c, d := j[0], j[1], j[2], j[3]
		det := a*d - b*c
		if g := l.radial(x*x + y*y); !(det > 0 && g > 0) {
			return 0, 0, false
		}
		x -= (d*ex - b*ey) / det
		y -= (a*ey - c*ex) / det
		if math.Abs(ex)+math.Abs(ey) <= limit {
			return x, y, true
		}
	}
	return 0, 0, false
}

// undistortFOV inverts the field-of-view model in closed form where it has
// one, and by Newton's method on the radius where distort takes a series.
func (l *lens) undistortFOV(x, y float64) (float64, float64, bool) {
	rd := math.Sqrt(x*x + y*y)
	if rd == 0 {
		return x, y, true
	}
	// The largest r of the series branch in r² is √fovEpsilon.
	o2 := l.omega * l.omega
	if edge := math.Sqrt(fovEpsilon); o2 >= fovEpsilon && rd > edge*l.fovFactor(fovEpsilon) {
		angle := rd * math.Abs(l.omega)
		if !(angle < math.Pi/2) {
			return 0, 0, false
		}
		g := math.Tan(angle) / math.Abs(l.tan) / rd
		return g * x, g * y, true
	}
	return l.newtonFOV(x, y, rd)
}

// newtonFOV solves the series of the model for the radius. It holds on to the
// series where a step leaves its range: the two branches meet with a step of
// some 1e-9, and a radius in between would have no solution.
func (l *lens) newtonFOV(x, y, rd float64) (float64, float64, bool) {
	o2 := l.omega * l.omega
	r := rd
	for range newtonSteps {
		g, slope := o2*r*r/3-o2/12+1, o2/3
		if o2 >= fovEpsilon {
			g, slope = l.fovSeries(r*r), -l.tan*l.tan*l.tan/(3*l.omega)
		}
		e := r*g - rd
		r -= e / (g + 2*r*r*slope)
		if math.Abs(e) <= newtonTolerance*(1+rd) {
			return x * (r / rd), y * (r / rd), finite(r, 0)
		}
	}
	return 0, 0, false
}
