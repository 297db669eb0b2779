package synth

import "math/rand/v2"

// masonry is what a wall is made of.
type masonry uint8

const (
	plaster masonry = iota
	brick
	stone
	timber // beams on plaster above the ground floor
)

// style is a way to build that many houses of the town share: the repeated
// structure that makes one street look like the next.
type style struct {
	id       int
	wall     masonry
	color    rgb
	trim     rgb // frames, cornices, sills
	shutter  rgb
	shutters bool
	arched   bool
	bay      float64 // distance of windows, metres
	window   [2]float64
	panes    [2]int // columns and rows of glass
	storey   float64
	roof     rgb
	quoins   bool
}

// Old-town colours, sRGB.
var (
	wallColors    = []uint32{0xE8C37A, 0xD98E6A, 0xEFE3C8, 0xB9CBD6, 0xB8C4A0, 0xC96F4F, 0xE6B8A2, 0xD9D4CC, 0xC9A66B, 0x9FB7B9}
	brickColors   = []uint32{0x9A4F3A, 0x7F4233, 0xA8654A}
	stoneColors   = []uint32{0xB8AD98, 0xA39A8B}
	shutterColors = []uint32{0x2F5D50, 0x27496D, 0x6B2D2A, 0x4A5A3A, 0x7A8C99, 0x8A5A2B}
	roofColors    = []uint32{0xA4553C, 0x8C4434, 0xB5694A, 0x5A5F66, 0x7A4A3A}
	signColors    = []uint32{0x1E3A5F, 0x7A1F1F, 0x1F5A3A, 0x3A2A1A, 0x5A2A5F, 0xB8860B, 0x20606A, 0x222222}
)

func pick(r *rand.Rand, colors []uint32) rgb { return hex(colors[r.IntN(len(colors))]) }

// newStyles draws the town's styles: few, so that each comes back often.
func newStyles(seed uint64) []style {
	r := generator(seed, "styles", 0)
	kinds := []masonry{plaster, timber, brick, plaster, stone, plaster, timber, plaster}
	colors := r.Perm(len(wallColors))
	styles := make([]style, len(kinds))
	for i, kind := range kinds {
		s := style{
			id: i, wall: kind, color: hex(wallColors[colors[i]]), trim: hex(0xF2EDE2), shutter: pick(r, shutterColors),
			shutters: kind == plaster && i%2 == 1 || kind == stone, arched: r.IntN(4) == 0,
			bay: between(r, 1.9, 2.6), window: [2]float64{between(r, 0.85, 1.1), between(r, 1.35, 1.7)},
			panes: [2]int{2, 2 + r.IntN(2)}, storey: between(r, 2.8, 3.2), roof: pick(r, roofColors), quoins: r.IntN(3) == 0,
		}
		switch kind {
		case brick:
			s.color = pick(r, brickColors)
		case stone:
			s.color, s.trim = pick(r, stoneColors), hex(0xD8CFBE)
		case timber:
			s.color, s.trim = hex(0xEFE6D2), pick(r, []uint32{0x4A2F20, 0x3A2A22, 0x6A3A2A})
			s.window, s.panes, s.shutters = [2]float64{0.8, 1.2}, [2]int{2, 3}, false
		}
		if s.shutters {
			s.bay = max(s.bay, 2.3)
		}
		styles[i] = s
	}
	return styles
}
