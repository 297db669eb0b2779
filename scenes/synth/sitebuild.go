package synth

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/spatial/r3"
)

// quarterSize is the number of landmarks of a quarter: two places of the same
// styles, and of each a look-alike, which differs in its details alone.
const quarterSize = 4

// site is a landmark with what stands around it: a block and the streets about
// it, or a square.
type site struct {
	town   *town
	focus  r3.Vec // what is looked at: a point on a front, or in the middle of an object
	normal r3.Vec // of the front; zero: an object, seen from all around
}

// newSite builds landmark number c of a seed. Those of a quarter share their
// styles, and each pair of a quarter the plan, the houses and what stands on the
// street: doors, shops, murals and signs are each one's own.
func newSite(seed uint64, c int) *site {
	quarter, pair, twin := c/quarterSize, c/2, c%2 == 1
	plan := generator(seed, "site", pair).Uint64()
	t := &town{seed: plan, noise: newNoise(plan)}
	t.plan(1, 1)
	square := quarter%4 == 3
	t.rows[0].blocks[0].plaza = square
	styles := generator(seed, "quarter", quarter)
	t.styles = newStyles(styles.Uint64())
	style := styles.IntN(len(t.styles)) // of the fronts that are landmarks
	details := generator(seed, "details", c)
	b := builder{town: t, rand: generator(plan, "build", 0)}
	s := &site{town: t}
	if square {
		b.object = func(cx, cy float64) { s.object(&b, details, cx, cy) }
	}
	b.build()
	if twin {
		b.redecorate(details)
	}
	t.grid = newGrid(b.solids)
	t.light()
	if !square {
		s.front(generator(plan, "front", 0), style)
	}
	return s
}

// redecorate draws anew what makes one house of a style differ from the next.
func (b *builder) redecorate(r *rand.Rand) {
	for i := range b.solids {
		s := &b.solids[i]
		switch s.stuff {
		case stuffSign:
			s.seed, s.color = r.Uint64(), pick(r, signColors)
		case stuffHouse:
			for face, f := range s.facades {
				if f != nil {
					b.redecorateFront(r, s, uint8(face), f)
				}
			}
		}
	}
}

func (b *builder) redecorateFront(r *rand.Rand, s *solid, face uint8, f *facade) {
	if f.style.id == churchStyle {
		f.seed, f.door = r.Uint64(), r.IntN(f.cols)
		return
	}
	shop := f.shop != nil || f.cols >= 2 && r.IntN(3) == 0
	g := newFacade(r, f.style, f.width, f.height, f.ridge)
	g.shop = nil
	if shop {
		g.shop = newShop(r, g)
	}
	if f.mural != nil {
		m := *f.mural
		m.seed, m.ground, m.accent = r.Uint64(), pick(r, wallColors), pick(r, signColors)
		g.mural = &m
	}
	s.facades[face] = g
}

// front picks a front of a style, or of any if none can be seen well.
func (s *site) front(r *rand.Rand, style int) {
	type candidate struct {
		solid *solid
		face  uint8
		f     *facade
	}
	var all []candidate
	for i := range s.town.grid.solids {
		solid := &s.town.grid.solids[i]
		for face, f := range solid.facades {
			if f != nil && f.width > 3.5 {
				all = append(all, candidate{solid, uint8(face), f})
			}
		}
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, wanted := range []bool{true, false} {
		for _, c := range all {
			if (c.f.style.id == style) != wanted {
				continue
			}
			s.focus = c.solid.on(c.face, c.f.width/2, 2.6)
			s.normal = faceNormals[c.face]
			if s.open() {
				return
			}
		}
	}
}

// open reports whether people can stand before the front at some metres.
func (s *site) open() bool {
	at := r3.Add(s.focus, r3.Scale(5, s.normal))
	at.Z = 1.6
	return s.town.standing(at) && s.town.visible(at, s.before(at), nil)
}

// before returns the focus, a little short of its surface as seen from a point.
func (s *site) before(from r3.Vec) r3.Vec { return r3.Add(from, r3.Scale(0.98, r3.Sub(s.focus, from))) }

// standing reports whether p is open ground with half a metre of room.
func (t *town) standing(p r3.Vec) bool {
	if d, plaza := t.inset(p.X, p.Y); !plaza && d < 0.5 {
		return false
	}
	for i := range t.grid.solids {
		s := &t.grid.solids[i]
		if s.lo.Z < 2.2 && p.X > s.lo.X-0.5 && p.X < s.hi.X+0.5 && p.Y > s.lo.Y-0.5 && p.Y < s.hi.Y+0.5 {
			return false
		}
	}
	return true
}
