package synth

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/spatial/r3"
)

// spot is a point on a surface that local features are found at.
type spot struct {
	at       r3.Vec
	normal   r3.Vec
	class    uint64  // spots of a class look alike
	share    float64 // how much of its look is the class's, 0 to 1
	strength float64 // how surely a detector finds it, 0 to 1
	color    rgb
}

// spots are those of a town, sorted into cells on the ground.
type spots struct {
	all    []spot
	x0, y0 float64
	nx, ny int
	cells  [][]int32
}

const (
	spotCell  = 8.0  // metres
	spotReach = 40.0 // farther ones are too small to be found
)

// surveyor gathers the spots of a town.
type surveyor struct {
	town  *town
	rand  *rand.Rand
	found []spot
	// texture is the number of spots on plain texture that a façade has
	// beside the corners of its openings.
	texture int
}

// findSpots surveys the town so densely that most images show features
// keypoints; stops are where the mapping rig will halt.
func (t *town) findSpots(features int, stops []r3.Vec) *spots {
	s := surveyor{town: t, rand: generator(t.seed, "landmarks", 0), texture: max(6, features/4)}
	for i := range t.grid.solids {
		solid := &t.grid.solids[i]
		switch solid.stuff {
		case stuffHouse:
			for face, f := range solid.facades {
				if f != nil {
					s.facade(side{solid, uint8(face)}, f)
				}
			}
		case stuffSign, stuffStone:
			s.corners(solid)
		}
	}
	for _, p := range stops {
		s.ground(p, max(2, features/20))
	}
	return newSpots(t, s.found)
}

func newSpots(t *town, all []spot) *spots {
	l := &spots{all: all, x0: -spotCell, y0: -spotCell}
	l.nx, l.ny = int(t.width/spotCell)+3, int(t.depth/spotCell)+3
	l.cells = make([][]int32, l.nx*l.ny)
	for i := range all {
		c := l.cell(all[i].at.X, all[i].at.Y)
		l.cells[c] = append(l.cells[c], int32(i))
	}
	return l
}

func (l *spots) cell(x, y float64) int {
	i := min(max(int((x-l.x0)/spotCell), 0), l.nx-1)
	j := min(max(int((y-l.y0)/spotCell), 0), l.ny-1)
	return j*l.nx + i
}

// near calls f with the spots of all cells within reach of p.
func (l *spots) near(p r3.Vec, f func(id int32, m *spot)) {
	lo, hi := l.cell(p.X-spotReach, p.Y-spotReach), l.cell(p.X+spotReach, p.Y+spotReach)
	for j := lo / l.nx; j <= hi/l.nx; j++ {
		for i := lo % l.nx; i <= hi%l.nx; i++ {
			for _, id := range l.cells[j*l.nx+i] {
				f(id, &l.all[id])
			}
		}
	}
}

// on returns the point at (u, v) of a side of s: the inverse of onFace.
func (s *solid) on(face uint8, u, v float64) r3.Vec {
	switch face {
	case faceWest:
		return r3.Vec{X: s.lo.X, Y: s.hi.Y - u, Z: v}
	case faceEast:
		return r3.Vec{X: s.hi.X, Y: s.lo.Y + u, Z: v}
	case faceSouth:
		return r3.Vec{X: s.lo.X + u, Y: s.lo.Y, Z: v}
	}
	return r3.Vec{X: s.hi.X - u, Y: s.hi.Y, Z: v}
}

// side is an upright face of a solid.
type side struct {
	solid *solid
	face  uint8
}

// add notes a spot at (u, v) of a side.
func (s *surveyor) add(w side, u, v float64, class uint64, share float64) {
	p := w.solid.on(w.face, u, v)
	s.found = append(s.found, spot{
		at: p, normal: w.solid.normal(p, w.face), class: class, share: share,
		strength: s.rand.Float64(), color: s.town.paint(w.solid, p, w.face, 0.01).albedo,
	})
}

// Shares of a spot's look that it has from its class: windows of one style
// hardly differ, plain wall has little in common with other wall.
const (
	windowShare = 0.88
	doorShare   = 0.85
	letterShare = 0.6
	wallShare   = 0.35
)

func (s *surveyor) facade(w side, f *facade) {
	for floor := -1; floor < f.floors; floor++ {
		for col := range f.cols {
			if floor >= 0 || col != f.door && f.shop == nil {
				s.window(w, f, col, floor)
			}
		}
	}
	middle := f.margin + (float64(f.door)+0.5)*f.style.bay
	for k := range 4 {
		x, y := 0.58*float64(2*(k&1)-1), 0.12+2.48*float64(k>>1)
		s.add(w, middle+x, y, cellHash(fnv1a("door"), int(mix(f.seed^77)%uint64(len(shutterColors))), k), doorShare)
	}
	if f.shop != nil {
		s.sign(w, f)
	}
	for range s.texture {
		u, v := between(s.rand, 0.05, f.width-0.05), between(s.rand, 0.05, f.height-0.05)
		share := wallShare
		if f.mural != nil {
			if _, ok := f.mural.paint(u, v, s.town.noise); ok {
				share = 0
			}
		}
		s.add(w, u, v, cellHash(fnv1a("wall"), f.style.id, 0), share)
	}
}

// window adds the corners of the glass.
func (s *surveyor) window(w side, f *facade, col, floor int) {
	low := f.ground + float64(floor)*f.style.storey + 0.85
	if floor < 0 {
		low = 1.05
	}
	middle := f.margin + (float64(col)+0.5)*f.style.bay
	for k := range 4 {
		x, y := f.style.window[0]/2*float64(2*(k&1)-1), f.style.window[1]*float64(k>>1)
		if v := low + y; v < f.height {
			s.add(w, middle+x, v, cellHash(fnv1a("window"), f.style.id, k), windowShare)
		}
	}
}

// sign adds the ends of the shop's board and its letters.
func (s *surveyor) sign(w side, f *facade) {
	sh := f.shop
	for k := range 4 {
		u, v := sh.boardLeft+sh.boardWide*float64(k&1), 2.58+0.58*float64(k>>1)
		s.add(w, u, v, cellHash(fnv1a("board"), k, 0), 0.4)
	}
	unit := sh.boardWide / float64(4*len(sh.name)+3)
	for i := range len(sh.name) {
		for k := range 3 {
			u, v := sh.boardLeft+unit*(float64(4*i+2)+1.5*float64(k&1)+0.4), 2.75+0.15*float64(k)
			s.add(w, u, v, cellHash(fnv1a(sh.name), i, k), letterShare)
		}
	}
}

// corners adds the upper corners of a box, on each of its upright sides.
func (s *surveyor) corners(solid *solid) {
	if solid.shape != box {
		return
	}
	for face := range uint8(faceTop) {
		w, width := side{solid, face}, faceWidth(solid, face)
		if width < 0.2 {
			continue
		}
		for k := range 4 {
			u, v := width*(0.05+0.9*float64(k&1)), solid.hi.Z-0.05-0.5*float64(k>>1)*(solid.hi.Z-solid.lo.Z)
			s.add(w, u, v, cellHash(fnv1a("box"), k, 0), 0.3)
		}
	}
}

// ground adds n spots of the pavement around p.
func (s *surveyor) ground(p r3.Vec, n int) {
	for range n {
		a, d := between(s.rand, 0, 2*math.Pi), between(s.rand, 1, 7)
		at := r3.Vec{X: p.X + d*math.Cos(a), Y: p.Y + d*math.Sin(a)}
		if inset, _ := s.town.inset(at.X, at.Y); inset < 0.1 {
			continue
		}
		s.found = append(s.found, spot{at: at, normal: r3.Vec{Z: 1}, class: fnv1a("ground"), share: wallShare,
			strength: 0.8 * s.rand.Float64(), color: s.town.ground(at.X, at.Y, 0.01)})
	}
}
