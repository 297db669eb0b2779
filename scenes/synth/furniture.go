package synth

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/spatial/r3"
)

// lamp is a street lamp's bulb.
type lamp struct {
	at    r3.Vec
	color rgb
}

// furnish puts lamps, planters, crates and trees along both sides of a street
// from p to q.
func (b *builder) furnish(p, q r3.Vec) {
	r := b.rand
	length := norm(r3.Sub(q, p))
	ahead := unitVec(r3.Sub(q, p))
	side := r3.Vec{X: -ahead.Y, Y: ahead.X}
	place := func(s, off float64) r3.Vec { return r3.Add(p, r3.Add(r3.Scale(s, ahead), r3.Scale(off, side))) }
	for s, k := 5.0, 0; s < length-4; s, k = s+lampSpacing, k+1 {
		sign := float64(1 - 2*(k&1))
		b.lampPost(place(s, 2.7*sign))
	}
	for s := 6.0; s < length-5; s += between(r, 3.5, 8) {
		sign := float64(1 - 2*r.IntN(2))
		b.clutter(place(s, sign*between(r, 2.9, 3.1)))
	}
}

// free reports whether a thing of the given radius at p touches nothing.
func (b *builder) free(p r3.Vec, radius float64) bool {
	for i := range b.solids {
		s := &b.solids[i]
		if p.X > s.lo.X-radius && p.X < s.hi.X+radius && p.Y > s.lo.Y-radius && p.Y < s.hi.Y+radius && s.lo.Z < 2 {
			return false
		}
	}
	return true
}

func (b *builder) lampPost(p r3.Vec) {
	iron := hex(0x2B2F2E)
	warm := rgb{1, 0.72, 0.38}.blend(rgb{1, 0.86, 0.62}, b.rand.Float64())
	b.solids = append(b.solids,
		upright(cylinder, stuffPlain, p, r3.Vec{X: 0.06, Y: 0.06, Z: 3.5}, iron),
		upright(cylinder, stuffPlain, p, r3.Vec{X: 0.12, Y: 0.12, Z: 0.7}, iron),
		upright(ellipsoid, stuffLamp, r3.Vec{X: p.X, Y: p.Y, Z: 3.45}, r3.Vec{X: 0.2, Y: 0.2, Z: 0.46}, warm),
		upright(box, stuffPlain, r3.Vec{X: p.X, Y: p.Y, Z: 3.9}, r3.Vec{X: 0.2, Y: 0.2, Z: 0.08}, iron))
	b.town.lamps = append(b.town.lamps, lamp{at: r3.Vec{X: p.X, Y: p.Y, Z: 3.7}, color: warm})
}

// clutter puts one of the small things of a street at p, if there is room.
func (b *builder) clutter(p r3.Vec) {
	r := b.rand
	if !b.free(p, 0.5) {
		return
	}
	switch r.IntN(4) {
	case 0:
		b.planter(p)
	case 1:
		for range 1 + r.IntN(3) {
			h := between(r, 0.2, 0.32)
			foot := r3.Vec{X: p.X + between(r, -0.4, 0.4), Y: p.Y + between(r, -0.4, 0.4)}
			crate := upright(box, stuffWood, foot, r3.Vec{X: h, Y: h, Z: between(r, 0.4, 0.9)}, hex(0xA87E4F))
			b.solids = append(b.solids, crate)
		}
	case 2:
		b.solids = append(b.solids, upright(cylinder, stuffWood, p, r3.Vec{X: 0.3, Y: 0.3, Z: 0.85}, hex(0x7A5230)),
			upright(ellipsoid, stuffPlain, r3.Vec{X: p.X, Y: p.Y, Z: 0.8}, r3.Vec{X: 0.29, Y: 0.29, Z: 0.1}, hex(0x5A3C24)))
	case 3:
		board := upright(box, stuffSign, p, r3.Vec{X: 0.28, Y: 0.28, Z: 0.95}, pick(r, signColors))
		b.solids = append(b.solids, board)
	}
}

func (b *builder) planter(p r3.Vec) {
	r := b.rand
	b.solids = append(b.solids,
		upright(box, stuffStone, p, r3.Vec{X: 0.36, Y: 0.36, Z: 0.5}, hex(0xA8754F)),
		upright(ellipsoid, stuffLeaves, r3.Vec{X: p.X, Y: p.Y, Z: 0.4},
			r3.Vec{X: 0.42, Y: 0.42, Z: between(r, 0.6, 1.3)}, leafColor(r)))
}

func (b *builder) tree(x, y float64) {
	r := b.rand
	high := between(r, 2, 2.6)
	b.solids = append(b.solids, upright(cylinder, stuffWood, r3.Vec{X: x, Y: y},
		r3.Vec{X: 0.15, Y: 0.15, Z: high + 1}, hex(0x5F4A38)))
	for range 4 {
		w := between(r, 0.9, 1.5)
		foot := r3.Vec{X: x + between(r, -0.6, 0.6), Y: y + between(r, -0.6, 0.6), Z: high + between(r, -0.3, 1.1)}
		crown := upright(ellipsoid, stuffLeaves, foot, r3.Vec{X: w, Y: w, Z: between(r, 1.6, 2.4)}, leafColor(r))
		b.solids = append(b.solids, crown)
	}
}

func leafColor(r *rand.Rand) rgb {
	return hex(0x4E7A35).blend(hex(0x7A9440), r.Float64())
}

// figure is a person or a car: the solids that it is made of, and a box that
// holds them, turned no way, so that most rays meet only that.
type figure struct {
	bounds solid
	parts  []solid
}

func newFigure(parts []solid) figure {
	f := figure{bounds: solid{shape: box, lo: parts[0].lo, hi: parts[0].hi}, parts: parts}
	b := &f.bounds
	for _, s := range parts {
		m, half := r3.Scale(0.5, r3.Add(s.lo, s.hi)), r3.Scale(0.5, r3.Sub(s.hi, s.lo))
		if s.cos != 0 || s.sin != 0 {
			half.X, half.Y = half.X+half.Y, half.X+half.Y
		}
		b.lo = r3.Vec{X: min(b.lo.X, m.X-half.X), Y: min(b.lo.Y, m.Y-half.Y), Z: min(b.lo.Z, m.Z-half.Z)}
		b.hi = r3.Vec{X: max(b.hi.X, m.X+half.X), Y: max(b.hi.Y, m.Y+half.Y), Z: max(b.hi.Z, m.Z+half.Z)}
	}
	return f
}

// castFigures returns the first hit of r on one of the figures before h, or h.
func castFigures(figures []figure, r *ray, h hit) hit {
	for i := range figures {
		f := &figures[i]
		if _, _, ok := f.bounds.meet(r, h.t); !ok {
			continue
		}
		for k := range f.parts {
			if t, face, ok := f.parts[k].meet(r, h.t); ok {
				h = hit{t: t, solid: &f.parts[k], face: face}
			}
		}
	}
	return h
}

// passersBy returns what stands between a query camera at eye, on the ground,
// and the town: people and cars that no mapping image saw.
func (t *town) passersBy(r *rand.Rand, eye, ahead r3.Vec) []figure {
	side := r3.Vec{X: -ahead.Y, Y: ahead.X}
	var out []figure
	// place returns a free spot at a distance, within a share of it sideways.
	place := func(d, share, room float64) (r3.Vec, bool) {
		p := r3.Add(eye, r3.Add(r3.Scale(d, ahead), r3.Scale(between(r, -share, share)*d, side)))
		return p, t.roomy(p, room)
	}
	for range 1 + r.IntN(3) {
		if p, ok := place(between(r, 3, 12), 0.45, 0.35); ok {
			out = append(out, newFigure(person(r, p)))
		}
	}
	if p, ok := place(between(r, 7, 13), 0.2, 2.1); ok && r.IntN(3) > 0 {
		out = append(out, newFigure(car(r, p, ahead)))
	}
	return out
}

// roomy reports whether nothing stands within a radius of a ground point.
func (t *town) roomy(p r3.Vec, radius float64) bool {
	p.Z = 0.6
	for k := range 8 {
		s, c := math.Sincos(float64(k) * math.Pi / 4)
		if !t.visible(p, r3.Vec{X: p.X + radius*c, Y: p.Y + radius*s, Z: p.Z}, nil) {
			return false
		}
	}
	d, plaza := t.inset(p.X, p.Y)
	return plaza || d > radius
}

func person(r *rand.Rand, p r3.Vec) []solid {
	k := between(r, 0.92, 1.06)
	coat := muted(r.Uint64()).scale(0.8)
	trousers := hex([]uint32{0x2A3550, 0x33302C, 0x5A4A38, 0x1E1E22}[r.IntN(4)])
	skin := hex([]uint32{0xE0B090, 0xB07850, 0x7A5034}[r.IntN(3)])
	hair := hex([]uint32{0x2A1C12, 0x6A4A2A, 0x8A8078, 0x151515}[r.IntN(4)])
	part := func(dx, dy, w, low, high float64, c rgb) solid { // w: half its width
		return upright(ellipsoid, stuffPlain, r3.Vec{X: p.X + dx, Y: p.Y + dy, Z: low * k},
			r3.Vec{X: w, Y: w, Z: (high - low) * k}, c)
	}
	a, b := between(r, -0.12, 0.12), between(r, -0.12, 0.12)
	return []solid{
		part(a, b, 0.11, 0, 0.95, trousers), part(-a, -b, 0.11, 0, 0.95, trousers),
		part(0, 0, 0.25, 0.72, 1.5, coat), part(b*1.8, -a*1.8, 0.09, 0.8, 1.42, coat), part(-b*1.8, a*1.8, 0.09, 0.8, 1.42, coat),
		part(0, 0, 0.12, 1.47, 1.76, skin), part(0, 0, 0.125, 1.6, 1.79, hair),
	}
}

// car returns a small car that points along the street.
func car(r *rand.Rand, p, ahead r3.Vec) []solid {
	paint := hex([]uint32{0xB03030, 0x305080, 0xD8D8D4, 0x3A3A3E, 0x6A8A70, 0xC8B040}[r.IntN(6)])
	body := upright(box, stuffCar, r3.Vec{X: p.X, Y: p.Y, Z: 0.22}, r3.Vec{X: 2, Y: 0.85, Z: 0.75}, paint)
	cabin := upright(box, stuffCabin, r3.Vec{X: p.X, Y: p.Y, Z: 0.97}, r3.Vec{X: 1.05, Y: 0.74, Z: 0.55}, paint)
	out := []solid{body, cabin}
	for i := range out {
		out[i].cos, out[i].sin = ahead.X, ahead.Y
	}
	for _, c := range [][2]float64{{1.25, 0.8}, {1.25, -0.8}, {-1.25, 0.8}, {-1.25, -0.8}} {
		x, y := ahead.X*c[0]-ahead.Y*c[1], ahead.Y*c[0]+ahead.X*c[1]
		out = append(out, upright(ellipsoid, stuffPlain, r3.Vec{X: p.X + x, Y: p.Y + y},
			r3.Vec{X: 0.3, Y: 0.3, Z: 0.6}, hex(0x1A1A1A)))
	}
	return out
}
