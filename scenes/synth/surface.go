package synth

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// stuff is what a solid is made of.
type stuff uint8

const (
	stuffPlain stuff = iota
	stuffHouse
	stuffStone
	stuffWood
	stuffLeaves
	stuffLamp
	stuffSign
	stuffCar
	stuffCabin
)

// onFace returns coordinates along and up a side of s at p: along runs from
// the left as seen from outside.
func (s *solid) onFace(p r3.Vec, face uint8) (u, v float64) {
	switch face {
	case faceWest:
		return s.hi.Y - p.Y, p.Z
	case faceEast:
		return p.Y - s.lo.Y, p.Z
	case faceSouth:
		return p.X - s.lo.X, p.Z
	case faceNorth:
		return s.hi.X - p.X, p.Z
	}
	return p.X - s.lo.X, p.Y - s.lo.Y
}

// local returns p in the frame of a turned box.
func (s *solid) local(p r3.Vec) r3.Vec {
	if s.cos == 0 && s.sin == 0 {
		return p
	}
	cx, cy := (s.lo.X+s.hi.X)/2, (s.lo.Y+s.hi.Y)/2
	x, y := p.X-cx, p.Y-cy
	return r3.Vec{X: cx + s.cos*x + s.sin*y, Y: cy - s.sin*x + s.cos*y, Z: p.Z}
}

// paint returns what solid s shows at p on a face, seen with pixels of size
// fine metres.
func (t *town) paint(s *solid, p r3.Vec, face uint8, fine float64) paint {
	n := t.noise
	u, v := s.onFace(s.local(p), face)
	switch s.stuff {
	case stuffHouse:
		if face >= faceTop {
			return paint{albedo: t.roof(s, p, face, fine)}
		}
		if f := s.facades[face]; f != nil {
			return f.paint(u, v, fine, n)
		}
		return paint{albedo: hex(0xB5AA98).scale(0.7 + 0.3*n.at(u*1.3, v*0.8+unit(s.seed)*50))}
	case stuffStone:
		return paint{albedo: s.color.scale(0.7 + 0.2*n.at(u*8, v*8) + 0.2*n.at((u+p.X)*2, v*2))}
	case stuffWood:
		k := 0.75 + 0.4*n.at(u*4+p.X, v*30)
		if math.Mod(v+10, 0.22) < 0.025 {
			k *= 0.55
		}
		return paint{albedo: s.color.scale(k)}
	case stuffLeaves:
		k := 0.35 + 1.3*n.at(p.X*9+p.Z*5, p.Y*9-p.Z*7)*n.at(p.X*23+3, p.Z*23+p.Y*11)
		return paint{albedo: s.color.scale(k + 0.25)}
	case stuffLamp:
		return paint{albedo: hex(0xE8E2D0), glow: s.color.scale(6)}
	case stuffSign:
		return paint{albedo: s.sign(u, v-s.lo.Z)}
	case stuffCar:
		return paint{albedo: s.car(u, v)}
	case stuffCabin:
		if face < faceTop && v > 1.02 && v < 1.45 && math.Abs(math.Mod(u, 1)-0.5) < 0.45 {
			return paint{albedo: hex(0x28323A)}
		}
	}
	return paint{albedo: s.color}
}

// sign paints an emblem that is the sign's own: a few light figures on its ground.
func (s *solid) sign(u, v float64) rgb {
	const dot = 0.11
	i, j := int(u/dot), int(v/dot)
	h := cellHash(s.seed, min(i, 6-i), j) // symmetric, as emblems are
	switch {
	case u < 0.05 || v < 0.05:
		return s.color.scale(0.5)
	case h&1 == 1:
		return hex(0xF2E6C6)
	}
	return s.color
}

func (s *solid) car(u, v float64) rgb {
	switch {
	case v < 0.34:
		return hex(0x2A2A2A)
	case v > 0.55 && v < 0.7 && (u < 0.3 || u > s.hi.X-s.lo.X-0.3):
		return hex(0xE8E0D0)
	case math.Abs(u-1.6) < 0.012 || math.Abs(u-2.6) < 0.012:
		return s.color.scale(0.4)
	}
	return s.color.scale(0.8 + 0.25*v)
}

// roof paints rows of tiles.
func (t *town) roof(s *solid, p r3.Vec, face uint8, fine float64) rgb {
	n := s.normal(p, face)
	along := p.X
	if math.Abs(n.X) > math.Abs(n.Y) {
		along = p.Y
	}
	k := 0.75 + 0.3*t.noise.at(along*0.8+unit(s.seed)*60, p.Z*0.9) + 0.15*t.noise.at(along*4, p.Z*6)
	if fine < 0.2 {
		line := math.Floor(p.Z / 0.22)
		shift := 0.5 * float64(int(line)&1)
		tile := 0.82 + 0.36*unit(cellHash(s.seed, int(math.Floor(along/0.3+shift)), int(line)))
		if p.Z-line*0.22 < 0.05 {
			tile *= 0.7
		}
		k *= 1 + (tile-1)*clamp(2-fine/0.1)
	}
	return s.color.scale(k)
}

// Ground, metres.
const (
	sidewalk = 1.3
	curb     = 0.14
)

// ground paints the street at (x, y): cobbles, curbs, sidewalks, and on a
// square large slabs.
func (t *town) ground(x, y, fine float64) rgb {
	n := t.noise
	d, plaza := t.inset(x, y)
	k := 0.78 + 0.25*n.at(x*0.35, y*0.35) + 0.2*n.at(x*1.7+40, y*1.7)
	k *= 0.72 + 0.28*clamp(d/0.8) // dirt, and the shade of the wall
	switch {
	case plaza:
		return t.pavement(x, y, [2]float64{1.1, 1.1}, fine).scale(k * 1.05)
	case d < sidewalk:
		return t.pavement(x, y, [2]float64{0.6, 0.6}, fine).scale(k)
	case d < sidewalk+curb:
		return hex(0xB5AFA4).scale(k)
	case d < sidewalk+curb+0.3:
		k *= 0.8
	}
	return t.cobbles(x, y, fine).scale(k)
}

// pavement paints slabs of the given size.
func (t *town) pavement(x, y float64, size [2]float64, fine float64) rgb {
	i, j := math.Floor(x/size[0]), math.Floor(y/size[1])
	shade := 0.86 + 0.28*unit(cellHash(t.seed, int(i), int(j)))
	if x-i*size[0] < 0.03 || y-j*size[1] < 0.03 {
		shade = 0.6
	}
	return hex(0xA39B8E).scale(1 + (shade-1)*clamp(2-fine/0.35))
}

// cobbles paints rows of small stones with rounded tops.
func (t *town) cobbles(x, y, fine float64) rgb {
	const w, h = 0.24, 0.17
	line := math.Floor(y / h)
	u := x/w + 0.5*float64(int(line)&1) + 0.25*t.noise.at(x*2, y*2)
	col := math.Floor(u)
	id := cellHash(t.seed^3, int(col), int(line))
	dx, dy := u-col-0.5, y/h-line-0.5
	shade := (0.72 + 0.5*unit(id)) * (1.15 - 1.6*(dx*dx*dx*dx+dy*dy*dy*dy)*4)
	base := hex(0x8B8780).blend(hex(0x98856F), unit(mix(id))*0.6)
	return base.scale(1 + (shade-1)*clamp(1.7-fine/0.1))
}
