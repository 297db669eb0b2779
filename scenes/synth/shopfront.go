package synth

import "math"

// shopNames are the words on the signs.
var shopNames = []string{"CAFE", "BAKERY", "BOOKS", "HOTEL", "WINE", "TEA ROOM", "CLOCKS", "FLOWERS", "PHARMACY",
	"TAILOR", "MAPS", "GALLERY", "BARBER", "FISH", "CHEESE", "MUSIC", "TOYS", "LAMPS", "INN", "OPTICS", "PAPER", "SHOES"}

// glyphs are letters of 3×5 dots, rows from the top, 3 bits each.
var glyphs = map[byte]uint16{
	'A': 0b010_101_111_101_101, 'B': 0b110_101_110_101_110, 'C': 0b011_100_100_100_011, 'D': 0b110_101_101_101_110,
	'E': 0b111_100_110_100_111, 'F': 0b111_100_110_100_100, 'G': 0b011_100_101_101_011, 'H': 0b101_101_111_101_101,
	'I': 0b111_010_010_010_111, 'K': 0b101_101_110_101_101, 'L': 0b100_100_100_100_111, 'M': 0b101_111_111_101_101,
	'N': 0b110_101_101_101_101, 'O': 0b111_101_101_101_111, 'P': 0b110_101_110_100_100, 'R': 0b110_101_110_101_101,
	'S': 0b011_100_010_001_110, 'T': 0b111_010_010_010_010, 'U': 0b101_101_101_101_111, 'W': 0b101_101_111_111_101,
	'X': 0b101_101_010_101_101, 'Y': 0b101_101_010_010_010,
}

// letter reports whether the dot at (x, y) of a text is set; a letter is 3
// units wide and 5 high, with 1 unit after it; y is up.
func letter(text string, x, y float64) bool {
	i := int(math.Floor(x / 4))
	if i < 0 || i >= len(text) || y < 0 || y >= 5 {
		return false
	}
	col, line := int(x-4*float64(i)), 4-int(y)
	return col < 3 && glyphs[text[i]]>>(14-3*line-col)&1 == 1
}

// groundFloor paints doors, shop windows and what belongs to them; false where
// the wall shows.
func (f *facade) groundFloor(u, v, fine float64) (paint, bool) {
	if f.shop != nil {
		if p, ok := f.shopSign(u, v); ok {
			return p, true
		}
	}
	col := int(math.Floor((u - f.margin) / f.style.bay))
	if col < 0 || col >= f.cols {
		return paint{}, false
	}
	x := u - f.margin - (float64(col)+0.5)*f.style.bay
	switch {
	case col == f.door:
		return f.doorway(x, v)
	case f.shop != nil:
		return f.shopWindow(x, v, col)
	}
	return f.opening(x, v-1.05, cellHash(f.seed, col, -1), fine)
}

// doorway paints a door with panels, a frame, a fanlight and a step.
func (f *facade) doorway(x, v float64) (paint, bool) {
	ax := math.Abs(x)
	h := mix(f.seed ^ 77)
	leaf := hex(shutterColors[h%uint64(len(shutterColors))]).scale(0.9)
	switch {
	case ax > 0.72 || v > 2.75:
		return paint{}, false
	case v < 0.12:
		return paint{albedo: hex(0x9A948A)}, true
	case ax > 0.58 || v > 2.6:
		return paint{albedo: f.style.trim.scale(0.85)}, true
	case v > 2.15:
		if v < 2.22 || math.Abs(math.Mod(ax, 0.2)-0.1) > 0.085 {
			return paint{albedo: f.style.trim.scale(0.7)}, true
		}
		return paint{albedo: hex(0x4A555E), glow: hex(0xFFC070).scale(0.7)}, true
	case ax < 0.02 || math.Abs(x-0.46) < 0.04 && math.Abs(v-1.05) < 0.05:
		return paint{albedo: hex(0x2A221A)}, true
	}
	if px, py := math.Abs(ax-0.29), math.Abs(math.Mod(v-0.12, 0.68)-0.34); px < 0.2 && py < 0.26 {
		if px > 0.17 || py > 0.23 {
			return paint{albedo: leaf.scale(0.5)}, true
		}
		return paint{albedo: leaf.scale(0.8)}, true
	}
	return paint{albedo: leaf}, true
}

// shopWindow paints a wide pane with goods on display.
func (f *facade) shopWindow(x, v float64, col int) (paint, bool) {
	half := f.style.bay/2 - 0.14
	ax := math.Abs(x)
	if ax > half || v < plinth || v > 2.5 {
		return paint{}, false
	}
	if ax > half-0.07 || v < plinth+0.08 || v > 2.42 {
		return paint{albedo: f.shop.board.scale(0.7)}, true
	}
	glass := hex(0x2C343B).blend(hex(0x7E93A6), clamp((v-1)/2)*0.6)
	p := paint{albedo: glass, glow: hex(0xFFD9A0).scale(0.8)}
	// Goods: boxes of colour on two shelves.
	shelf := int((v - plinth - 0.1) / 0.8)
	y := v - plinth - 0.1 - float64(shelf)*0.8
	item := int(math.Floor(x / 0.24))
	h := cellHash(f.seed^99, item+64*col, shelf)
	if shelf < 2 && y < 0.15+0.45*unit(h) && math.Abs(x-(float64(item)+0.5)*0.24) < 0.09 {
		p.albedo = muted(h >> 20)
		p.glow = p.albedo.scale(1.4)
	} else if shelf < 2 && y < 0.04 {
		p.albedo = hex(0x6A5A48)
	}
	return p, true
}

// shopSign paints the board with the shop's name, and the awning below it.
func (f *facade) shopSign(u, v float64) (paint, bool) {
	s := f.shop
	if v > 2.58 && v < 3.16 && u > s.boardLeft && u < s.boardLeft+s.boardWide {
		if v < 2.62 || v > 3.12 {
			return paint{albedo: s.letters.scale(0.6)}, true
		}
		unit := s.boardWide / float64(4*len(s.name)+3)
		if letter(s.name, (u-s.boardLeft)/unit-2, (v-2.69)/0.075) {
			return paint{albedo: s.letters, glow: s.letters.scale(0.5)}, true
		}
		return paint{albedo: s.board}, true
	}
	if s.awning && v > 2.05 && v <= 2.58 && u > 0.15 && u < f.width-0.15 {
		if v < 2.2 && math.Mod(u, 0.4) < 0.05 {
			return paint{}, false
		}
		c := s.stripe
		if math.Mod(u, 0.8) < 0.4 {
			c = hex(0xEFE8DA)
		}
		return paint{albedo: c.scale(0.7 + 0.6*(v-2.05))}, true
	}
	return paint{}, false
}

// mural is a painting on a wall that no other house has.
type mural struct {
	seed           uint64
	left, low      float64
	width, height  float64
	ground, accent rgb
}

// paint returns the painting's colour at (u, v), or false beside it.
func (m *mural) paint(u, v float64, n *noise) (paint, bool) {
	x, y := u-m.left, v-m.low
	if x < 0 || y < 0 || x > m.width || y > m.height {
		return paint{}, false
	}
	if min(x, y, m.width-x, m.height-y) < 0.12 {
		return paint{albedo: hex(0xE8E2D4)}, true
	}
	c := m.ground.blend(m.accent, y/m.height*0.6)
	for k := range 18 {
		h := mix(m.seed + uint64(k))
		cx, cy := unit(h)*m.width, unit(mix(h))*m.height
		r := 0.2 + 0.6*unit(mix(h^5))
		dx, dy := x-cx, y-cy
		inside := dx*dx+dy*dy < r*r
		if h&1 == 1 {
			inside = math.Abs(dx)+math.Abs(dy)*0.7 < r
		}
		if inside {
			c = hex(uint32(h>>33)&0xFFFFFF).blend(m.accent, 0.25)
			if h&6 == 0 && math.Mod(math.Hypot(dx, dy), 0.24) < 0.1 {
				c = m.ground
			}
		}
	}
	return paint{albedo: c.scale(0.85 + 0.2*n.at(u*6, v*6))}, true
}
