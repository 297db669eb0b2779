package camera

import "math"

// lens is the distortion of a camera, on the plane z = 1. One polynomial
// serves all models but FOV: with r² = x² + y²,
//
//	g  = (1 + num₀r² + num₁r⁴ + num₂r⁶ + num₃r⁸) / (1 + den₀r² + den₁r⁴ + den₂r⁶)
//	x' = g·x + 2·p₁·x·y + p₂·(r² + 2x²) + s_x·r²
//	y' = g·y + 2·p₂·x·y + p₁·(r² + 2y²) + s_y·r²
//
// In a fisheye, (x, y) is first moved from radius r = tan θ to radius θ.
type lens struct {
	family         family
	straight       bool // no coefficient: the polynomial is the identity
	num            [4]float64
	den            [3]float64
	p1, p2, sx, sy float64

	omega float64 // FOV's parameter, radians
	tan   float64 // 2·tan(omega/2)
}

// finish derives the fields that depend on the coefficients.
func (l *lens) finish() {
	l.straight = l.num == [4]float64{} && l.den == [3]float64{} && l.p1 == 0 && l.p2 == 0 && l.sx == 0 && l.sy == 0
	l.tan = 2 * math.Tan(l.omega/2)
}

// distort maps the ray (x, y, 1) to the normalized image plane.
func (l *lens) distort(x, y float64) (float64, float64) {
	switch l.family {
	case fov:
		g := l.fovFactor(x*x + y*y)
		return g * x, g * y
	case fisheye:
		if r := math.Sqrt(x*x + y*y); r > minDepth {
			g := math.Atan(r) / r
			x, y = g*x, g*y
		}
	}
	if l.straight {
		return x, y
	}
	r2 := x*x + y*y
	g := l.radial(r2)
	xy := 2 * x * y
	return g*x + l.p1*xy + l.p2*(r2+2*x*x) + l.sx*r2,
		g*y + l.p2*xy + l.p1*(r2+2*y*y) + l.sy*r2
}

// radial returns the factor g at squared radius r2.
func (l *lens) radial(r2 float64) float64 {
	n := 1 + r2*(l.num[0]+r2*(l.num[1]+r2*(l.num[2]+r2*l.num[3])))
	if l.den == [3]float64{} {
		return n
	}
	return n / (1 + r2*(l.den[0]+r2*(l.den[1]+r2*l.den[2])))
}

// radialSlope returns g and dg/d(r²) at squared radius r2.
func (l *lens) radialSlope(r2 float64) (g, slope float64) {
	n := 1 + r2*(l.num[0]+r2*(l.num[1]+r2*(l.num[2]+r2*l.num[3])))
	dn := l.num[0] + r2*(2*l.num[1]+r2*(3*l.num[2]+r2*4*l.num[3]))
	d := 1 + r2*(l.den[0]+r2*(l.den[1]+r2*l.den[2]))
	dd := l.den[0] + r2*(2*l.den[1]+r2*3*l.den[2])
	g = n / d
	return g, (dn - g*dd) / d
}

// distortJacobian is distort with its derivatives j = ∂(x', y')/∂(x, y), row
// by row.
func (l *lens) distortJacobian(x, y float64) (xd, yd float64, j [4]float64) {
	switch l.family {
	case fov:
		return scaled(x, y, l.fovFactor(x*x+y*y), l.fovSlope(x*x+y*y))
	case fisheye:
		g, slope := equidistant(x*x + y*y)
		var outer [4]float64
		x, y, j = scaled(x, y, g, slope)
		if l.straight {
			return x, y, j
		}
		xd, yd, outer = l.polynomial(x, y)
		return xd, yd, [4]float64{
			outer[0]*j[0] + outer[1]*j[2], outer[0]*j[1] + outer[1]*j[3],
			outer[2]*j[0] + outer[3]*j[2], outer[2]*j[1] + outer[3]*j[3],
		}
	}
	if l.straight {
		return x, y, [4]float64{1, 0, 0, 1}
	}
	return l.polynomial(x, y)
}

// scaled returns g·(x, y), where g depends on r² with the given slope, and the
// derivatives.
func scaled(x, y, g, slope float64) (float64, float64, [4]float64) {
	m := 2 * slope * x * y
	return g * x, g * y, [4]float64{g + 2*slope*x*x, m, m, g + 2*slope*y*y}
}

// polynomial is the distortion of a lens that is not straight, with its
// derivatives, row by row.
func (l *lens) polynomial(x, y float64) (xd, yd float64, j [4]float64) {
	r2 := x*x + y*y
	g, slope := l.radialSlope(r2)
	xy := 2 * x * y
	mixed := slope*xy + 2*l.p1*x + 2*l.p2*y
	return g*x + l.p1*xy + l.p2*(r2+2*x*x) + l.sx*r2,
		g*y + l.p2*xy + l.p1*(r2+2*y*y) + l.sy*r2,
		[4]float64{
			g + 2*slope*x*x + 2*l.p1*y + 6*l.p2*x + 2*l.sx*x, mixed + 2*l.sx*y,
			mixed + 2*l.sy*x, g + 2*slope*y*y + 2*l.p2*x + 6*l.p1*y + 2*l.sy*y,
		}
}

// equidistant returns atan(r)/r and its slope by r². Below r = 1e-4 the slope
// is its limit: the error is r²·2/5, times r² again in what it is used for.
func equidistant(r2 float64) (g, slope float64) {
	if r2 < 1e-8 {
		return 1 - r2/3, -1. / 3
	}
	r := math.Sqrt(r2)
	theta := math.Atan(r)
	return theta / r, (r/(1+r2) - theta) / (2 * r2 * r)
}

// fovEpsilon is COLMAP's bound on omega² and r², below which it takes series
// in place of the closed forms. We follow it so that poses agree to the last
// digit that matters; its series in omega has, by our reckoning, the opposite
// sign of the limit of the closed form, an effect below 0.01 px.
const fovEpsilon = 1e-4

// fovFactor returns atan(2·r·tan(ω/2)) / (r·ω).
func (l *lens) fovFactor(r2 float64) float64 {
	o2 := l.omega * l.omega
	switch {
	case o2 < fovEpsilon:
		return o2*r2/3 - o2/12 + 1
	case r2 < fovEpsilon:
		return l.fovSeries(r2)
	}
	r := math.Sqrt(r2)
	return math.Atan(r*l.tan) / (r * l.omega)
}

// fovSeries is fovFactor near the axis.
func (l *lens) fovSeries(r2 float64) float64 {
	return l.tan * (3 - r2*l.tan*l.tan) / (3 * l.omega)
}

// fovSlope returns the derivative of fovFactor by r².
func (l *lens) fovSlope(r2 float64) float64 {
	o2 := l.omega * l.omega
	switch {
	case o2 < fovEpsilon:
		return o2 / 3
	case r2 < fovEpsilon:
		return -l.tan * l.tan * l.tan / (3 * l.omega)
	}
	r := math.Sqrt(r2)
	return (r*l.tan/(1+r2*l.tan*l.tan) - math.Atan(r*l.tan)) / (2 * r2 * r * l.omega)
}
