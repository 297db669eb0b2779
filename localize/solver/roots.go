package solver

import "math"

// quadraticRoots returns the real roots of a·t² + b·t + c. A discriminant that
// is negative by rounding alone counts as zero. A leading coefficient of zero
// leaves the root of the line.
func quadraticRoots(a, b, c float64, roots *[2]float64) int {
	if a == 0 {
		if b == 0 {
			return 0
		}
		roots[0] = -c / b
		return 1
	}
	disc := b*b - 4*a*c
	if disc < 0 {
		if disc < -1e-12*b*b {
			return 0
		}
		disc = 0
	}
	// The sum below has no cancellation.
	q := -0.5 * (b + math.Copysign(math.Sqrt(disc), b))
	if q == 0 {
		roots[0] = 0
		return 1
	}
	roots[0], roots[1] = q/a, c/q
	return 2
}

// cubicRoots returns the real roots of c3·t³ + c2·t² + c1·t + c0, polished. The
// closed forms are those of Cardano and Viète on the depressed cubic. A leading
// coefficient that is nothing beside the others leaves a quadratic.
func cubicRoots(c3, c2, c1, c0 float64, roots *[3]float64) int {
	if math.Abs(c3) <= 1e-14*math.Max(math.Abs(c2), math.Max(math.Abs(c1), math.Abs(c0))) {
		var two [2]float64
		n := quadraticRoots(c2, c1, c0, &two)
		roots[0], roots[1] = two[0], two[1]
		return n
	}
	b, c, d := c2/c3, c1/c3, c0/c3
	q := (b*b - 3*c) / 9
	r := (b*(2*b*b-9*c) + 27*d) / 54
	n := 1
	if q3 := q * q * q; r*r < q3 {
		n = 3
		s := -2 * math.Sqrt(q)
		theta := math.Acos(r/math.Sqrt(q3)) / 3
		sin, cos := math.Sincos(theta)
		const half3 = 0.86602540378443864676 // √3/2
		roots[0] = s*cos - b/3
		roots[1] = s*(-0.5*cos-half3*sin) - b/3
		roots[2] = s*(-0.5*cos+half3*sin) - b/3
	} else {
		e := -math.Copysign(math.Cbrt(math.Abs(r)+math.Sqrt(r*r-q3)), r)
		if e != 0 {
			e += q / e
		}
		roots[0] = e - b/3
	}
	for i := range n {
		roots[i] = polishCubic(b, c, d, roots[i])
	}
	return n
}

// polishCubic takes Newton steps while they reduce t³ + b·t² + c·t + d.
func polishCubic(b, c, d, t float64) float64 {
	f := d + t*(c+t*(b+t))
	for range 4 {
		slope := c + t*(2*b+3*t)
		if f == 0 || slope == 0 {
			return t
		}
		next := t - f/slope
		g := d + next*(c+next*(b+next))
		if !(math.Abs(g) < math.Abs(f)) {
			return t
		}
		t, f = next, g
	}
	return t
}
