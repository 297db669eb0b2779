package synth

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// ray is the half line o + t·d, t > 0, with the reciprocals of d.
type ray struct{ o, d, inv r3.Vec }

func newRay(o, d r3.Vec) ray {
	return ray{o: o, d: d, inv: r3.Vec{X: 1 / d.X, Y: 1 / d.Y, Z: 1 / d.Z}}
}

func (r *ray) at(t float64) r3.Vec {
	return r3.Vec{X: r.o.X + t*r.d.X, Y: r.o.Y + t*r.d.Y, Z: r.o.Z + t*r.d.Z}
}

// shape is the geometry of a solid.
type shape uint8

const (
	box       shape = iota
	house           // a box whose top is a gable or hipped roof
	cylinder        // upright, on the box's footprint
	ellipsoid       // inscribed in the box
)

// Faces of a solid: the sides by their outward normal, then what is on top.
const (
	faceWest  = iota // −x
	faceEast         // +x
	faceSouth        // −y
	faceNorth        // +y
	faceTop          // of a house: the roof's west or south slope
	faceTop2         // the roof's other slope
	faceRound        // of cylinders and ellipsoids
)

var faceNormals = [4]r3.Vec{{X: -1}, {X: 1}, {Y: -1}, {Y: 1}}

// solid is one convex body of the town, upright on z, metres.
type solid struct {
	shape  shape
	stuff  stuff
	seed   uint64
	color  rgb
	lo, hi r3.Vec // bounds; a house's hi.Z is its ridge
	// Roof of a house: a slope of rise over run along x, along y, or both.
	slopeX, slopeY float64
	cos, sin       float64    // yaw of a box about its centre; cos 0 and sin 0: not turned
	facades        [4]*facade // by side; nil: a blank wall
	// Of a round solid: its centre, and the reciprocals of its radii.
	middle, inverse r3.Vec
}

// norm is r3.Norm without its care for overflow, which costs three times as
// much; unitVec likewise.
func norm(v r3.Vec) float64 { return math.Sqrt(v.X*v.X + v.Y*v.Y + v.Z*v.Z) }

func unitVec(v r3.Vec) r3.Vec { return r3.Scale(1/norm(v), v) }

// hit is where a ray meets the town.
type hit struct {
	t     float64
	solid *solid // nil: the ground, or the sky if t is infinite
	face  uint8
}

// meet returns the distance at which r enters s, and through which face, if it
// is less than limit.
func (s *solid) meet(r *ray, limit float64) (float64, uint8, bool) {
	switch s.shape {
	case cylinder, ellipsoid:
		return s.meetRound(r, limit)
	}
	if s.cos != 0 || s.sin != 0 {
		turned := s.turn(r)
		r = &turned
	}
	t0, t1 := (s.lo.X-r.o.X)*r.inv.X, (s.hi.X-r.o.X)*r.inv.X
	face := uint8(faceWest)
	if t0 > t1 {
		t0, t1, face = t1, t0, faceEast
	}
	u0, u1 := (s.lo.Y-r.o.Y)*r.inv.Y, (s.hi.Y-r.o.Y)*r.inv.Y
	side := uint8(faceSouth)
	if u0 > u1 {
		u0, u1, side = u1, u0, faceNorth
	}
	if u0 > t0 {
		t0, face = u0, side
	}
	t1 = min(t1, u1, limit)
	if t0 >= t1 || t1 <= 0 {
		return 0, 0, false
	}
	if s.shape == house {
		return s.meetRoof(r, t0, t1, face)
	}
	v0, v1 := (s.lo.Z-r.o.Z)*r.inv.Z, (s.hi.Z-r.o.Z)*r.inv.Z
	if v0 > v1 {
		v0, v1 = v1, v0
	}
	if v0 > t0 {
		t0, face = v0, faceTop
	}
	return t0, face, t0 < min(t1, v1) && t0 > 0
}

// meetRoof cuts the interval [t0, t1] inside the walls by the planes of the
// roof: z ± slope·(distance from the middle) ≤ the ridge.
func (s *solid) meetRoof(r *ray, t0, t1 float64, face uint8) (float64, uint8, bool) {
	cut := func(at, speed float64, f uint8) {
		// at + t·speed ≤ 0
		switch {
		case speed < 0:
			if t := -at / speed; t > t0 {
				t0, face = t, f
			}
		case speed > 0:
			t1 = min(t1, -at/speed)
		case at > 0:
			t1 = t0
		}
	}
	z := r.o.Z - s.hi.Z
	if s.slopeX != 0 {
		x := (r.o.X - (s.lo.X+s.hi.X)/2) * s.slopeX
		cut(z-x, r.d.Z-r.d.X*s.slopeX, faceTop)
		cut(z+x, r.d.Z+r.d.X*s.slopeX, faceTop2)
	}
	if s.slopeY != 0 {
		y := (r.o.Y - (s.lo.Y+s.hi.Y)/2) * s.slopeY
		cut(z-y, r.d.Z-r.d.Y*s.slopeY, faceTop)
		cut(z+y, r.d.Z+r.d.Y*s.slopeY, faceTop2)
	}
	return t0, face, t0 < t1 && t0 > 0
}

// meetRound solves the quadratic of an ellipsoid or an upright cylinder in
// coordinates scaled to the unit ball; a cylinder's caps are left open, for
// they are above the eye or out of sight.
func (s *solid) meetRound(r *ray, limit float64) (float64, uint8, bool) {
	k, m := s.inverse, s.middle
	ox, oy, oz := (r.o.X-m.X)*k.X, (r.o.Y-m.Y)*k.Y, (r.o.Z-m.Z)*k.Z
	dx, dy, dz := r.d.X*k.X, r.d.Y*k.Y, r.d.Z*k.Z
	a, b, c := dx*dx+dy*dy, ox*dx+oy*dy, ox*ox+oy*oy-1
	if s.shape == ellipsoid {
		a, b, c = a+dz*dz, b+oz*dz, c+oz*oz
	}
	disc := b*b - a*c
	if disc <= 0 {
		return 0, 0, false
	}
	t := (-b - math.Sqrt(disc)) / a
	if !(t > 0 && t < limit) || s.shape == cylinder && math.Abs(oz+t*dz) > 1 {
		return 0, 0, false
	}
	return t, faceRound, true
}

// turn returns r in the frame of a box that is turned by its yaw.
func (s *solid) turn(r *ray) ray {
	cx, cy := (s.lo.X+s.hi.X)/2, (s.lo.Y+s.hi.Y)/2
	x, y := r.o.X-cx, r.o.Y-cy
	return newRay(
		r3.Vec{X: cx + s.cos*x + s.sin*y, Y: cy - s.sin*x + s.cos*y, Z: r.o.Z},
		r3.Vec{X: s.cos*r.d.X + s.sin*r.d.Y, Y: s.cos*r.d.Y - s.sin*r.d.X, Z: r.d.Z})
}

// normal returns the outward unit normal at point p on a face.
func (s *solid) normal(p r3.Vec, face uint8) r3.Vec {
	var n r3.Vec
	switch {
	case face == faceRound:
		n = r3.Vec{X: (p.X - s.middle.X) * s.inverse.X * s.inverse.X, Y: (p.Y - s.middle.Y) * s.inverse.Y * s.inverse.Y}
		if s.shape == ellipsoid {
			n.Z = (p.Z - s.middle.Z) * s.inverse.Z * s.inverse.Z
		}
		return unitVec(n)
	case face < faceTop:
		n = faceNormals[face]
	case s.shape == house:
		return s.roofNormal(p, face)
	default:
		return r3.Vec{Z: 1}
	}
	if s.cos != 0 || s.sin != 0 {
		n = r3.Vec{X: s.cos*n.X - s.sin*n.Y, Y: s.sin*n.X + s.cos*n.Y}
	}
	return n
}

// roofNormal tells the pair of slopes of a hipped roof apart by the point.
func (s *solid) roofNormal(p r3.Vec, face uint8) r3.Vec {
	x, y := math.Abs(p.X-(s.lo.X+s.hi.X)/2)*s.slopeX, math.Abs(p.Y-(s.lo.Y+s.hi.Y)/2)*s.slopeY
	sign := 1.0
	if face == faceTop {
		sign = -1
	}
	if x > y {
		return unitVec(r3.Vec{X: sign * s.slopeX, Z: 1})
	}
	return unitVec(r3.Vec{Y: sign * s.slopeY, Z: 1})
}
