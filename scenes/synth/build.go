package synth

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/spatial/r3"
)

// builder fills a planned town with solids.
type builder struct {
	town   *town
	rand   *rand.Rand
	solids []solid
	// object, if not nil, builds what stands in the middle of a square.
	object func(cx, cy float64)
}

// frontage is a straight line of houses: they stand side by side from a to b
// and look out of the given face onto the street at line.
type frontage struct {
	face     uint8
	line     float64
	a, b     float64
	openEnds bool // both ends stand free on a corner
}

func (b *builder) build() {
	t := b.town
	for _, rw := range t.rows {
		for _, bl := range rw.blocks {
			if bl.plaza {
				b.plaza(bl)
			} else {
				b.block(bl)
			}
		}
	}
	// The outer ring closes every view.
	b.terrace(frontage{face: faceNorth, line: 0, a: -houseDepth, b: t.width + houseDepth})
	b.terrace(frontage{face: faceSouth, line: t.depth, a: -houseDepth, b: t.width + houseDepth})
	b.terrace(frontage{face: faceEast, line: 0, a: 0, b: t.depth})
	b.terrace(frontage{face: faceWest, line: t.width, a: 0, b: t.depth})
	for _, e := range t.roads.edges {
		p, q := t.roads.nodes[e[0]], t.roads.nodes[e[1]]
		b.furnish(r3.Vec{X: p.X, Y: p.Y}, r3.Vec{X: q.X, Y: q.Y})
	}
}

func (b *builder) block(bl block) {
	depth := min(houseDepth, (bl.y1-bl.y0)/2)
	b.terrace(frontage{face: faceSouth, line: bl.y0, a: bl.x0, b: bl.x1, openEnds: true})
	b.terrace(frontage{face: faceNorth, line: bl.y1, a: bl.x0, b: bl.x1, openEnds: true})
	b.terrace(frontage{face: faceWest, line: bl.x0, a: bl.y0 + depth, b: bl.y1 - depth})
	b.terrace(frontage{face: faceEast, line: bl.x1, a: bl.y0 + depth, b: bl.y1 - depth})
}

// terrace divides a frontage into houses of 5 to 9 m.
func (b *builder) terrace(f frontage) {
	for at := f.a; at < f.b-0.01; {
		end := at + between(b.rand, 5, 9)
		if f.b-end < 4.5 {
			end = f.b
		}
		if end-at > 10.5 {
			end = (at + end) / 2
		}
		b.house(f, at, end)
		at = end
	}
}

// house builds one house of a frontage.
func (b *builder) house(f frontage, from, to float64) {
	r := b.rand
	st := &b.town.styles[r.IntN(len(b.town.styles))]
	eaves := 3.5 + float64(1+r.IntN(3))*st.storey + between(r, 0, 0.5)
	s := solid{shape: house, stuff: stuffHouse, seed: r.Uint64(), color: st.roof}
	switch f.face {
	case faceSouth:
		s.lo, s.hi = r3.Vec{X: from, Y: f.line}, r3.Vec{X: to, Y: f.line + houseDepth}
	case faceNorth:
		s.lo, s.hi = r3.Vec{X: from, Y: f.line - houseDepth}, r3.Vec{X: to, Y: f.line}
	case faceWest:
		s.lo, s.hi = r3.Vec{X: f.line, Y: from}, r3.Vec{X: f.line + houseDepth, Y: to}
	case faceEast:
		s.lo, s.hi = r3.Vec{X: f.line - houseDepth, Y: from}, r3.Vec{X: f.line, Y: to}
	}
	gable := r.IntN(3) == 0
	slope := between(r, 0.7, 1.1)
	frontX := f.face == faceWest || f.face == faceEast
	if run := (s.hi.Y - s.lo.Y) / 2; frontX == gable {
		s.slopeY, s.hi.Z = slope, eaves+slope*run
	} else {
		s.slopeX, s.hi.Z = slope, eaves+slope*(s.hi.X-s.lo.X)/2
	}
	b.front(&s, f.face, st, eaves)
	first := uint8(faceWest) // the free side at the frontage's beginning
	if frontX {
		first = faceSouth
	}
	if f.openEnds && from == f.a {
		b.front(&s, first, st, eaves)
	}
	if f.openEnds && to == f.b {
		b.front(&s, first+1, st, eaves)
	}
	b.solids = append(b.solids, s)
	if main := s.facades[f.face]; main.shop != nil && r.IntN(2) == 0 {
		b.hangingSign(&s, f, main)
	}
}

// front gives a house a façade on one side, or on a blank side wall a mural.
func (b *builder) front(s *solid, face uint8, st *style, eaves float64) {
	width := s.hi.X - s.lo.X
	slope := s.slopeY
	if face < faceSouth {
		width, slope = s.hi.Y-s.lo.Y, s.slopeX
	}
	ridge := s.hi.Z
	if slope != 0 {
		ridge = eaves // the roof slopes towards the viewer
	}
	f := newFacade(b.rand, st, width, eaves, ridge)
	if low := f.ground + 0.5; b.rand.IntN(9) == 0 && eaves-low > 2 {
		f.mural = &mural{seed: b.rand.Uint64(), low: low, width: min(between(b.rand, 2.6, 4.2), width-1),
			height: min(between(b.rand, 2.2, 3.4), eaves-low-0.6), ground: pick(b.rand, wallColors), accent: pick(b.rand, signColors)}
		f.mural.left = between(b.rand, 0.4, max(0.41, width-0.4-f.mural.width))
	}
	s.facades[face] = f
}

// hangingSign puts a board across the street side of a shop.
func (b *builder) hangingSign(s *solid, f frontage, front *facade) {
	r := b.rand
	const reach, thick, tall = 0.85, 0.06, 0.7
	at := between(r, 0.8, front.width-0.8)
	z := between(r, 3.5, 3.9)
	sign := solid{shape: box, stuff: stuffSign, seed: r.Uint64(), color: front.shop.board}
	switch f.face {
	case faceSouth:
		sign.lo = r3.Vec{X: s.lo.X + at, Y: f.line - reach, Z: z}
		sign.hi = r3.Vec{X: s.lo.X + at + thick, Y: f.line - 0.1, Z: z + tall}
	case faceNorth:
		sign.lo = r3.Vec{X: s.lo.X + at, Y: f.line + 0.1, Z: z}
		sign.hi = r3.Vec{X: s.lo.X + at + thick, Y: f.line + reach, Z: z + tall}
	case faceWest:
		sign.lo = r3.Vec{X: f.line - reach, Y: s.lo.Y + at, Z: z}
		sign.hi = r3.Vec{X: f.line - 0.1, Y: s.lo.Y + at + thick, Z: z + tall}
	case faceEast:
		sign.lo = r3.Vec{X: f.line + 0.1, Y: s.lo.Y + at, Z: z}
		sign.hi = r3.Vec{X: f.line + reach, Y: s.lo.Y + at + thick, Z: z + tall}
	}
	b.solids = append(b.solids, sign)
}

// plaza builds a square: a church with a tower, or a monument among trees.
func (b *builder) plaza(bl block) {
	r := b.rand
	cx, cy := (bl.x0+bl.x1)/2, (bl.y0+bl.y1)/2
	switch {
	case b.object != nil:
		b.object(cx, cy)
	case r.IntN(2) == 0:
		b.church(cx, cy)
	default:
		b.monument(cx, cy)
	}
	for _, c := range [][2]float64{{bl.x0 + 2, bl.y0 + 2}, {bl.x1 - 2, bl.y0 + 2}, {bl.x0 + 2, bl.y1 - 2}, {bl.x1 - 2, bl.y1 - 2}} {
		b.tree(c[0]+between(r, -0.5, 0.5), c[1]+between(r, -0.5, 0.5))
	}
}

// churchStyle is the number of the style that only churches have.
const churchStyle = 90

func (b *builder) church(cx, cy float64) {
	r := b.rand
	st := &style{id: churchStyle, wall: stone, color: pick(r, stoneColors), trim: hex(0xD8CFBE), arched: true, bay: 2.8,
		window: [2]float64{1, 2.6}, panes: [2]int{2, 5}, storey: 6, roof: hex(0x5A5F66), quoins: true}
	nave := solid{shape: house, stuff: stuffHouse, seed: r.Uint64(), color: st.roof, slopeY: 1.2,
		lo: r3.Vec{X: cx - 3, Y: cy - 4}, hi: r3.Vec{X: cx + 7, Y: cy + 4, Z: 8 + 1.2*4}}
	tower := solid{shape: house, stuff: stuffHouse, seed: r.Uint64(), color: hex(0x4F7A6A), slopeX: 2.4, slopeY: 2.4,
		lo: r3.Vec{X: cx - 7, Y: cy - 2.2}, hi: r3.Vec{X: cx - 2.6, Y: cy + 2.2, Z: 19 + 2.4*2.2}}
	for face := range uint8(4) {
		nave.facades[face] = newFacade(r, st, faceWidth(&nave, face), 8, 8)
		tower.facades[face] = newFacade(r, st, faceWidth(&tower, face), 19, 19)
		nave.facades[face].shop, tower.facades[face].shop = nil, nil
	}
	b.solids = append(b.solids, nave, tower)
}

func faceWidth(s *solid, face uint8) float64 {
	if face < faceSouth {
		return s.hi.Y - s.lo.Y
	}
	return s.hi.X - s.lo.X
}

func (b *builder) monument(cx, cy float64) {
	c := hex(0xB9B2A4)
	b.solids = append(b.solids,
		upright(box, stuffStone, r3.Vec{X: cx, Y: cy}, r3.Vec{X: 2.2, Y: 2.2, Z: 0.3}, c),
		upright(box, stuffStone, r3.Vec{X: cx, Y: cy, Z: 0.3}, r3.Vec{X: 1.2, Y: 1.2, Z: 1.9}, c),
		upright(cylinder, stuffStone, r3.Vec{X: cx, Y: cy, Z: 2.2}, r3.Vec{X: 0.3, Y: 0.3, Z: 3.2}, c),
		upright(ellipsoid, stuffPlain, r3.Vec{X: cx, Y: cy, Z: 5.2}, r3.Vec{X: 0.55, Y: 0.55, Z: 0.55}, hex(0xC9A23A)))
}

// upright returns a solid that stands on foot, the middle of its base, with
// half sizes size.X and size.Y and height size.Z.
func upright(sh shape, st stuff, foot, size r3.Vec, c rgb) solid {
	seed := mix(math.Float64bits(foot.X)) ^ mix(math.Float64bits(foot.Y)+1)
	return solid{shape: sh, stuff: st, seed: seed, color: c,
		lo:      r3.Vec{X: foot.X - size.X, Y: foot.Y - size.Y, Z: foot.Z},
		hi:      r3.Vec{X: foot.X + size.X, Y: foot.Y + size.Y, Z: foot.Z + size.Z},
		middle:  r3.Vec{X: foot.X, Y: foot.Y, Z: foot.Z + size.Z/2},
		inverse: r3.Vec{X: 1 / size.X, Y: 1 / size.Y, Z: 2 / size.Z}}
}
