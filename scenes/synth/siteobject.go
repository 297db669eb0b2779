package synth

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/spatial/r3"
)

// object builds a church or a monument on a square: its form comes from the
// builder, its details from r.
func (s *site) object(b *builder, r *rand.Rand, cx, cy float64) {
	for _, k := range [][2]float64{{8.5, 1}, {-8.5, -1}, {1, -6}, {-1, 6}} {
		b.lampPost(r3.Vec{X: cx + k[0], Y: cy + k[1]})
	}
	if b.rand.IntN(4) == 0 {
		b.church(cx, cy)
		s.focus = r3.Vec{X: cx - 4.8, Y: cy, Z: 6} // the tower
		return
	}
	m := monument{builder: b, details: r, at: r3.Vec{X: cx, Y: cy}}
	m.steps()
	m.pedestal()
	switch b.rand.IntN(5) {
	case 0:
		m.column()
	case 1:
		m.obelisk()
	case 2:
		m.statue()
	case 3:
		m.fountain()
	default:
		m.pavilion()
	}
	s.focus = r3.Vec{X: cx, Y: cy, Z: min(2.2, m.at.Z/2)}
}

// monument is a pile of solids that grows from the ground.
type monument struct {
	*builder
	details *rand.Rand
	at      r3.Vec // the middle of what is built so far, on top
}

// Colours of stone and of metal, sRGB.
var (
	blockColors = []uint32{0xB9B2A4, 0x8F8578, 0xC9A88A, 0x9A9FA3, 0xB08A70, 0xD4CDBD}
	metalColors = []uint32{0xC9A23A, 0x4F7A6A, 0x5A4632, 0x6E7478, 0x8A4B32, 0x2F4A44}
)

// pile puts a solid on top of the rest: half its width, and its height.
func (m *monument) pile(sh shape, st stuff, half, height float64, c rgb) {
	m.solids = append(m.solids, upright(sh, st, m.at, r3.Vec{X: half, Y: half, Z: height}, c))
	m.at.Z += height
}

// form is one of the shapes that stones are cut to.
func (m *monument) form() shape { return []shape{box, cylinder}[m.rand.IntN(2)] }

func (m *monument) steps() {
	sh, half := m.form(), between(m.rand, 1.5, 2.6)
	c := pick(m.details, blockColors)
	for range 1 + m.rand.IntN(3) {
		// A cylinder has no cap: an ellipsoid closes it.
		if sh == cylinder {
			m.solids = append(m.solids, upright(ellipsoid, stuffStone, r3.Vec{X: m.at.X, Y: m.at.Y, Z: m.at.Z + 0.15}, r3.Vec{X: half, Y: half, Z: 0.12}, c))
		}
		m.pile(sh, stuffStone, half, 0.22, c)
		half -= 0.35
	}
}

func (m *monument) pedestal() {
	half, height := between(m.rand, 0.6, 1), between(m.rand, 0.9, 2)
	foot := m.at
	m.pile(m.form(), stuffStone, half, height, pick(m.details, blockColors))
	m.pile(box, stuffStone, half+0.12, 0.16, pick(m.details, blockColors))
	// A tablet with an emblem on two of the sides.
	for _, side := range [][2]float64{{1, 0}, {0, 1}} {
		size := r3.Vec{X: 0.33 + (half-0.27)*side[0], Y: 0.33 + (half-0.27)*side[1], Z: min(0.7, height-0.3)}
		tablet := upright(box, stuffSign, r3.Vec{X: foot.X, Y: foot.Y, Z: foot.Z + 0.2}, size, pick(m.details, signColors))
		tablet.seed = m.details.Uint64()
		m.solids = append(m.solids, tablet)
	}
}

// top crowns what is below it.
func (m *monument) top() {
	c := pick(m.details, metalColors)
	switch m.details.IntN(3) {
	case 0:
		size := between(m.details, 0.3, 0.6)
		m.pile(ellipsoid, stuffPlain, size, 2*size, c)
	case 1:
		m.pile(ellipsoid, stuffPlain, 0.22, 1.5, c)
		m.pile(box, stuffPlain, 0.07, 0.7, c)
	default:
		m.person(c, 1)
	}
}

func (m *monument) column() {
	half := between(m.rand, 0.22, 0.4)
	m.pile(cylinder, stuffStone, half, between(m.rand, 2.2, 4), pick(m.details, blockColors))
	m.pile(box, stuffStone, half+0.15, 0.25, pick(m.details, blockColors))
	m.top()
}

func (m *monument) obelisk() {
	half, c := between(m.rand, 0.4, 0.6), pick(m.details, blockColors)
	height := between(m.rand, 0.45, 0.75)
	for ; half > 0.12; half *= 0.84 {
		m.pile(box, stuffStone, half, height, c)
	}
	m.pile(ellipsoid, stuffPlain, half+0.05, 0.4, pick(m.details, metalColors))
}

func (m *monument) statue() { m.person(pick(m.details, metalColors), between(m.rand, 1.3, 1.8)) }

// person is a figure of one colour, times as large as life.
func (m *monument) person(c rgb, times float64) {
	base := m.at
	for _, s := range person(m.details, r3.Vec{}) {
		at, half := r3.Scale(0.5, r3.Add(s.lo, s.hi)), r3.Scale(0.5*times, r3.Sub(s.hi, s.lo))
		foot := r3.Add(base, r3.Scale(times, at))
		foot.Z -= half.Z
		half.Z *= 2
		m.solids = append(m.solids, upright(ellipsoid, stuffPlain, foot, half, c))
	}
	m.at.Z += 1.8 * times
}

func (m *monument) fountain() {
	c := pick(m.details, blockColors)
	water := hex(0x5A8CA0)
	for half := between(m.rand, 1.3, 1.8); half > 0.4; half *= 0.5 {
		m.pile(ellipsoid, stuffStone, half, 0.5, c)
		m.solids = append(m.solids, upright(ellipsoid, stuffPlain, r3.Vec{X: m.at.X, Y: m.at.Y, Z: m.at.Z - 0.17}, r3.Vec{X: half * 0.9, Y: half * 0.9, Z: 0.14}, water))
		m.pile(cylinder, stuffStone, 0.16, between(m.rand, 0.6, 1), c)
	}
	m.top()
}

func (m *monument) pavilion() {
	half, height := between(m.rand, 0.9, 1.3), between(m.rand, 2, 2.6)
	posts, roof := pick(m.details, blockColors), pick(m.details, metalColors)
	for _, k := range [][2]float64{{1, 1}, {1, -1}, {-1, 1}, {-1, -1}} {
		m.solids = append(m.solids, upright(cylinder, stuffStone, r3.Vec{X: m.at.X + k[0]*half, Y: m.at.Y + k[1]*half, Z: m.at.Z},
			r3.Vec{X: 0.13, Y: 0.13, Z: height}, posts))
	}
	m.person(pick(m.details, metalColors), 1)
	m.at.Z += height - 1.8
	m.pile(box, stuffStone, half+0.3, 0.22, posts)
	m.at.Z -= 0.5
	m.pile(ellipsoid, stuffPlain, half+0.2, between(m.rand, 1.6, 2.6), roof)
}
