package synth

import (
	"math"
	"math/rand/v2"
)

// facade is the front of a house: u runs along it from the left as seen from
// the street, v up from the ground, both in metres.
type facade struct {
	style  *style
	seed   uint64
	color  rgb // of this wall: the style's, weathered
	width  float64
	height float64 // to the eaves
	ridge  float64 // top of the gable, or the eaves
	cols   int
	margin float64 // left of the first bay
	ground float64 // height of the ground floor
	floors int     // above the ground floor
	door   int     // its column
	shop   *shop   // nil: a dwelling
	mural  *mural  // nil: none
}

// shop is a ground floor with a shop window, an awning and a sign.
type shop struct {
	name                 string
	board, letters       rgb
	stripe               rgb
	awning               bool
	boardLeft, boardWide float64
}

const plinth = 0.5 // height of the stone foot of a wall

// newFacade designs a front of the given size.
func newFacade(r *rand.Rand, s *style, width, height, ridge float64) *facade {
	f := &facade{style: s, seed: r.Uint64(), width: width, height: height, ridge: ridge}
	f.color = s.color.scale(between(r, 0.88, 1.06)).times(rgb{between(r, 0.97, 1.03), 1, between(r, 0.95, 1.05)})
	f.cols = max(1, int((width-0.5)/s.bay))
	f.margin = (width - float64(f.cols)*s.bay) / 2
	f.ground = 3.3
	f.floors = max(0, int((height-f.ground-0.2)/s.storey))
	f.door = r.IntN(f.cols)
	if f.cols >= 2 && r.IntN(5) < 2 {
		f.shop = newShop(r, f)
	}
	return f
}

func newShop(r *rand.Rand, f *facade) *shop {
	s := &shop{name: shopNames[r.IntN(len(shopNames))], board: pick(r, signColors), letters: hex(0xF5E9C8),
		stripe: pick(r, signColors), awning: r.IntN(2) == 0}
	if r.IntN(3) == 0 {
		s.board, s.letters = s.letters, s.board
	}
	s.boardWide = min(f.width-0.6, float64(len(s.name))*0.42+0.5)
	s.boardLeft = between(r, 0.3, max(0.31, f.width-0.3-s.boardWide))
	return s
}

// paint returns what the façade shows at (u, v), seen with pixels of size
// fine metres: details below that are left out.
func (f *facade) paint(u, v, fine float64, n *noise) paint {
	if f.mural != nil {
		if p, ok := f.mural.paint(u, v, n); ok {
			return p
		}
	}
	if v < f.ground {
		if p, ok := f.groundFloor(u, v, fine); ok {
			return p
		}
		return paint{albedo: f.wall(u, v, fine, n)}
	}
	floor := int((v - f.ground) / f.style.storey)
	col := int(math.Floor((u - f.margin) / f.style.bay))
	if floor < f.floors && col >= 0 && col < f.cols {
		x := u - f.margin - (float64(col)+0.5)*f.style.bay
		y := v - f.ground - float64(floor)*f.style.storey - 0.85
		if p, ok := f.opening(x, y, cellHash(f.seed, col, floor), fine); ok {
			return p
		}
	}
	if v > f.height {
		if p, ok := f.attic(u, v); ok {
			return p
		}
	}
	return paint{albedo: f.wall(u, v, fine, n)}
}

// opening paints a window with its frame, sill and shutters; x is from its
// middle, y from its lower edge.
func (f *facade) opening(x, y float64, h uint64, fine float64) (paint, bool) {
	s := f.style
	w, top := s.window[0]/2, s.window[1]
	ax := math.Abs(x)
	if s.arched {
		top += 0.3 * math.Sqrt(max(0, 1-ax*ax/(w*w))) * w
	}
	switch {
	case y > -0.14 && y < -0.02 && ax < w+0.14:
		return paint{albedo: s.trim.scale(0.9)}, true
	case y > -0.3 && y <= -0.14 && ax < w+0.1: // the sill's shadow
		return paint{albedo: f.color.scale(0.78)}, true
	case y > -0.02 && y < top+0.12 && ax < w+0.12:
		if y < top && ax < w {
			return f.glass(x, y, h), true
		}
		return paint{albedo: s.trim}, true
	case s.shutters && y > 0 && y < s.window[1]+0.05 && ax < 2*w+0.1:
		return paint{albedo: f.shutter(ax-w-0.12, y, h, fine)}, true
	}
	return paint{}, false
}

// shutter paints one leaf with slats, some leaves half closed or faded.
func (f *facade) shutter(x, y float64, h uint64, fine float64) rgb {
	c := f.style.shutter.scale(0.85 + 0.3*unit(h))
	if x < 0.05 || x > f.style.window[0]/2-0.1 || y < 0.06 || math.Abs(y-f.style.window[1]/2) < 0.04 {
		return c
	}
	if fine < 0.05 && math.Mod(y, 0.08) < 0.035 {
		return c.scale(0.62)
	}
	return c.scale(0.82)
}

// glass paints the panes of a window: bars, curtains, the sky's reflection,
// and by night the light of a room in some.
func (f *facade) glass(x, y float64, h uint64) paint {
	s := f.style
	w, top := s.window[0], s.window[1]
	px, py := (x/w+0.5)*float64(s.panes[0]), y/top*float64(s.panes[1])
	dx := math.Abs(px-math.Round(px)) * w / float64(s.panes[0])
	dy := math.Abs(py-math.Round(py)) * top / float64(s.panes[1])
	if dx < 0.028 || dy < 0.025 {
		trim := s.trim
		if s.wall == timber {
			trim = hex(0xF2EDE2)
		}
		return paint{albedo: trim.scale(0.85)}
	}
	shade := hex(0x3A4650).blend(hex(0x8FA3B5), clamp(y/top)*0.7*unit(mix(h)))
	if y > top-0.12 {
		shade = shade.scale(0.4) // the lintel's shadow
	}
	p := paint{albedo: shade}
	curtain := unit(mix(h ^ 1))
	if edge := 0.5 - math.Abs(x)/w; curtain > 0.45 && edge < 0.14+0.12*curtain {
		p.albedo = hex(0xD8D2C4).scale(0.6 + 0.1*math.Sin(x*70))
	}
	if curtain < 0.12 && y < 0.35 { // a flower box
		p.albedo = hex(0x3F6B2F)
		if cellHash(h, int(math.Floor(x*14)), int(math.Floor(y*14)))&3 == 0 {
			p.albedo = hex([]uint32{0xC23B4A, 0xE8B13A, 0xD9D9E8}[h%3])
		}
	}
	if unit(mix(h^2)) < 0.42 {
		warm := hex(0xFFC878).blend(hex(0xFFE9C4), unit(mix(h^3)))
		p.glow = warm.scale(0.35 + 0.9*unit(mix(h^4))).times(p.albedo.scale(1.6).add(rgb{0.35, 0.35, 0.35}))
	}
	return p
}

// attic paints a small round window in the gable.
func (f *facade) attic(u, v float64) (paint, bool) {
	x, y := u-f.width/2, v-f.height-(f.ridge-f.height)*0.32
	switch r := math.Hypot(x, y); {
	case f.ridge-f.height < 2 || r > 0.55:
		return paint{}, false
	case r > 0.42 || math.Abs(x) < 0.03 || math.Abs(y) < 0.03:
		return paint{albedo: f.style.trim}, true
	}
	return paint{albedo: hex(0x46525C)}, true
}

// wall paints the masonry.
func (f *facade) wall(u, v, fine float64, n *noise) rgb {
	s := f.style
	c := f.color
	ox, oy := unit(f.seed)*100, unit(mix(f.seed))*100
	// Weather: broad stains, streaks that run down, damp at the foot.
	stain := 0.84 + 0.16*n.at(u*0.7+ox, v*0.5+oy) + 0.12*n.at(u*3.1+oy, v*0.35+ox)
	if fine < 0.15 {
		stain += 0.14 * (n.at(u*9+ox, v*9+oy) - 0.5)
	}
	c = c.scale(stain * (0.8 + 0.2*clamp(v/1.4)))
	switch {
	case v < plinth:
		return f.plinth(u, v, fine, n)
	case math.Abs(v-f.ground) < 0.09 || v > f.height-0.22 && v < f.height && s.wall != timber:
		return s.trim.scale(0.9 * stain)
	case v > f.height-0.42 && v < f.height:
		return c.scale(0.72)
	case s.quoins && min(u, f.width-u) < 0.28+0.12*float64(int(v/0.38)&1):
		return s.trim.scale((0.78 + 0.14*unit(cellHash(f.seed, int(v/0.38), 7))) * stain)
	}
	switch s.wall {
	case brick:
		return c.scale(f.courses(u, v, bricks, fine))
	case stone:
		return c.scale(f.courses(u, v, blocks, fine))
	case timber:
		if v > f.ground && f.beam(u, v) {
			return s.trim.scale(0.8 + 0.3*n.at(u*12+ox, v*12))
		}
	}
	return c
}

// plinth paints the foot of the wall in blocks of grey stone.
func (f *facade) plinth(u, v, fine float64, n *noise) rgb {
	k := f.courses(u, v, footing, fine)
	return hex(0x8C867C).scale(k * (0.75 + 0.4*n.at(u*5, v*5)))
}

// bond is how stones are laid: their size and the joint between them, metres.
type bond struct{ width, height, joint float64 }

var (
	bricks  = bond{0.25, 0.083, 0.012}
	blocks  = bond{0.7, 0.36, 0.022}
	footing = bond{0.8, plinth, 0.025}
)

// courses returns the shade of stones in running bond; it fades to the mean
// where a pixel covers a joint.
func (f *facade) courses(u, v float64, b bond, fine float64) float64 {
	w, h, joint := b.width, b.height, b.joint
	line := math.Floor(v / h)
	x := u/w + 0.5*float64(int(line)&1)
	col := math.Floor(x)
	shade := 0.82 + 0.36*unit(cellHash(f.seed, int(col), int(line)))
	if (x-col)*w < joint || v-line*h < joint {
		shade = 0.62
		if f.style.wall == brick {
			shade = 1.3
		}
	}
	return 1 + (shade-1)*clamp(2-fine/(1.6*h))
}

// beam reports whether (u, v) is on the frame of a timbered wall: posts beside
// every window, rails at every floor, and braces in the outer bays.
func (f *facade) beam(u, v float64) bool {
	const half = 0.085
	s := f.style
	y := math.Mod(v-f.ground, s.storey)
	if y < 2*half || math.Abs(y-0.72) < half*0.8 && v < f.height || v > f.height && math.Abs(math.Mod(v-f.height, 1.6)) < 2*half {
		return true
	}
	x := u - f.margin
	bay := math.Floor(x / s.bay)
	dx := x - (bay+0.5)*s.bay
	if math.Abs(math.Abs(dx)-s.window[0]/2-0.2) < half || min(u, f.width-u) < 2*half {
		return true
	}
	if bay < 0 || bay >= float64(f.cols) || bay == 0 || bay == float64(f.cols-1) {
		lean := (y - s.storey/2) / s.storey * 0.8
		edge := s.window[0]/2 + 0.2 + (s.bay/2-s.window[0]/2-0.2)/2
		return math.Abs(math.Abs(dx)-edge-lean*0.6) < half*0.9
	}
	return false
}
