package synth

import (
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"
)

// Measures of the town, metres.
const (
	blockWidth  = 24.0 // of a block with its share of the cross street
	houseDepth  = 7.0
	lampSpacing = 13.0
	// metresPerPose is the length of street that the town has for every stop
	// of the mapping rig.
	metresPerPose = 4.5
)

// block is a rectangle of ground between streets.
type block struct {
	x0, y0, x1, y1 float64
	plaza          bool
}

// row is a line of blocks between two of the streets that run along x.
type row struct {
	y0, y1 float64
	blocks []block
}

// town is the place: an old town of streets between blocks of houses, z up,
// ground at z = 0. The streets along x run through; the cross streets are
// shifted from row to row, so that they end at façades.
type town struct {
	seed   uint64
	width  float64 // of the open ground, x in [0, width]; y in [0, depth]
	depth  float64
	rows   []row
	styles []style
	noise  *noise
	grid   *grid
	lamps  []lamp
	lit    [][]int32 // by grid cell: the lamps that light it
	roads  roads
}

// newTown plans and builds a town with at least the given length of streets.
func newTown(seed uint64, length float64) *town {
	t := &town{seed: seed, noise: newNoise(seed)}
	for n := 1; ; n++ {
		// Grow alternately wider and deeper: 1×1, 2×1, 2×2, 3×2, …
		t.plan(n/2+1, (n+1)/2)
		if t.roads.length >= length {
			break
		}
	}
	t.styles = newStyles(seed)
	b := builder{town: t, rand: generator(seed, "build", 0)}
	b.build()
	t.grid = newGrid(b.solids)
	t.light()
	return t
}

// plan lays out the blocks and streets of a town of columns × rows blocks.
func (t *town) plan(columns, rows int) {
	r := generator(t.seed, "plan", rows<<16+columns)
	t.rows = t.rows[:0]
	left, right := between(r, 7, 8.5), between(r, 7, 8.5)
	t.width = left + float64(columns)*blockWidth + right
	y := between(r, 7.5, 9)
	for j := range rows {
		rw := row{y0: y, y1: y + between(r, 16.5, 21)}
		rw.blocks = cutRow(r, rw, left, t.width-right, columns)
		if len(t.rows) > 0 || rows > 1 {
			rw.blocks[r.IntN(len(rw.blocks))].plaza = columns > 1 && j%2 == 0
		}
		t.rows = append(t.rows, rw)
		y = rw.y1 + between(r, 7.5, 9)
	}
	t.depth = y
	t.roads = newRoads(t)
}

// cutRow divides a row between x0 and x1 into n blocks by cross streets.
func cutRow(r *rand.Rand, rw row, x0, x1 float64, n int) []block {
	var blocks []block
	shift := between(r, -4, 4)
	for i := range n {
		b := block{x0: x0, y0: rw.y0, x1: x1, y1: rw.y1}
		if i+1 < n {
			middle := x0 + (x1-x0)/float64(n-i) + shift + between(r, -1, 1)
			half := between(r, 6, 7.5) / 2
			b.x1, x0 = middle-half, middle+half
		}
		shift = 0
		blocks = append(blocks, b)
	}
	return blocks
}

// inset returns how far the ground point (x, y) is from the nearest front of
// houses, and whether it is on the square of a plaza.
func (t *town) inset(x, y float64) (d float64, plaza bool) {
	d = min(x, t.width-x)
	j, _ := slices.BinarySearchFunc(t.rows, y, func(rw row, y float64) int { return cmpFloat(rw.y1, y) })
	if j < len(t.rows) && y >= t.rows[j].y0 {
		i := t.rows[j].at(x)
		blocks := t.rows[j].blocks
		if i > 0 {
			d = min(d, x-blocks[i-1].x1)
		}
		if i < len(blocks) {
			if b := blocks[i]; x >= b.x0 {
				return min(x-b.x0, b.x1-x, y-b.y0, b.y1-y), b.plaza
			}
			d = min(d, blocks[i].x0-x)
		}
		return d, false
	}
	low, high := y, t.depth-y
	if j > 0 {
		low = t.rows[j-1].clearance(x, y-t.rows[j-1].y1)
	}
	if j < len(t.rows) {
		high = t.rows[j].clearance(x, t.rows[j].y0-y)
	}
	return min(d, low, high), false
}

// at returns the index of the first block that ends beyond x.
func (rw *row) at(x float64) int {
	i, _ := slices.BinarySearchFunc(rw.blocks, x, func(b block, x float64) int { return cmpFloat(b.x1, x) })
	return i
}

// clearance returns the distance d to the row's edge where a block stands
// there, and a large one at the mouth of a cross street.
func (rw *row) clearance(x, d float64) float64 {
	if i := rw.at(x); i < len(rw.blocks) && x >= rw.blocks[i].x0 && !rw.blocks[i].plaza {
		return d
	}
	return 1e9
}

func cmpFloat(a, b float64) int {
	if a <= b {
		return -1
	}
	return 1
}

// visible reports whether nothing stands between the points a and b.
func (t *town) visible(a, b r3.Vec, extra []figure) bool {
	r := newRay(a, r3.Sub(b, a))
	return castFigures(extra, &r, hit{t: 1}).t == 1 && t.grid.cast(&r, 1).t >= 1
}
