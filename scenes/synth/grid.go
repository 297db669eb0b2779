package synth

import (
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

// cellSize is the edge of a grid cell in metres: less than half a house, so that a
// cell holds few solids and a street is crossed in few steps.
const cellSize = 3

// grid finds the solids along a ray: a uniform grid on the ground plane.
type grid struct {
	x0, y0 float64
	nx, ny int
	first  []int32 // of cell i: items[first[i]:first[i+1]]
	items  []int32 // indices into solids
	solids []solid
	tops   []float64 // by cell: no solid in it reaches higher
	top    float64   // nor any at all
}

// newGrid sorts solids into cells.
func newGrid(solids []solid) *grid {
	g := &grid{solids: solids}
	lo, hi := r3.Vec{X: math.Inf(1), Y: math.Inf(1)}, r3.Vec{X: math.Inf(-1), Y: math.Inf(-1)}
	for i := range solids {
		s := &solids[i]
		lo.X, lo.Y = min(lo.X, s.lo.X), min(lo.Y, s.lo.Y)
		hi.X, hi.Y = max(hi.X, s.hi.X), max(hi.Y, s.hi.Y)
		g.top = max(g.top, s.hi.Z)
	}
	g.x0, g.y0 = lo.X-cellSize/2, lo.Y-cellSize/2
	g.nx, g.ny = int((hi.X-g.x0)/cellSize)+1, int((hi.Y-g.y0)/cellSize)+1
	g.first = make([]int32, g.nx*g.ny+1)
	g.eachCell(func(_ int32, c int) { g.first[c+1]++ })
	for c := range g.nx * g.ny {
		g.first[c+1] += g.first[c]
	}
	g.items = make([]int32, g.first[g.nx*g.ny])
	next := append([]int32(nil), g.first...)
	g.tops = make([]float64, g.nx*g.ny)
	g.eachCell(func(i int32, c int) {
		g.items[next[c]] = i
		next[c]++
		g.tops[c] = max(g.tops[c], g.solids[i].hi.Z)
	})
	return g
}

// eachCell calls f for each solid and each cell that its bounds touch.
func (g *grid) eachCell(f func(i int32, cell int)) {
	for i := range g.solids {
		s := &g.solids[i]
		for y := int((s.lo.Y - g.y0) / cellSize); y <= int((s.hi.Y-g.y0)/cellSize); y++ {
			for x := int((s.lo.X - g.x0) / cellSize); x <= int((s.hi.X-g.x0)/cellSize); x++ {
				f(int32(i), y*g.nx+x)
			}
		}
	}
}

// cell returns the index of the cell at (x, y), or false outside the grid.
func (g *grid) cell(x, y float64) (int, bool) {
	i, j := int(math.Floor((x-g.x0)/cellSize)), int(math.Floor((y-g.y0)/cellSize))
	return j*g.nx + i, i >= 0 && j >= 0 && i < g.nx && j < g.ny
}

// cast returns the first hit of r at a distance below limit: a solid, the
// ground at z = 0, or at infinity the sky. A hit at limit is of nothing.
func (g *grid) cast(r *ray, limit float64) hit {
	best := hit{t: math.Inf(1)}
	if r.d.Z < 0 {
		if t := -r.o.Z * r.inv.Z; t < limit {
			best.t = t
		}
	}
	limit = min(limit, best.t)
	if r.d.Z > 0 {
		limit = min(limit, (g.top-r.o.Z)*r.inv.Z)
	}
	w := g.walk(r)
	for ; w.inside(g) && w.t < limit; w.step() {
		c := w.j*g.nx + w.i
		if w.lowest(r) > g.tops[c] {
			continue
		}
		for _, k := range g.items[g.first[c]:g.first[c+1]] {
			s := &g.solids[k]
			if t, face, ok := s.meet(r, limit); ok {
				limit = t
				best = hit{t: t, solid: s, face: face}
			}
		}
	}
	return best
}

// blocker returns a solid that stands on r, which goes up, or nil.
func (g *grid) blocker(r *ray) *solid {
	limit := (g.top - r.o.Z) * r.inv.Z
	for w := g.walk(r); w.inside(g) && w.t < limit; w.step() {
		c := w.j*g.nx + w.i
		if r.o.Z+w.t*r.d.Z > g.tops[c] {
			continue
		}
		for _, k := range g.items[g.first[c]:g.first[c+1]] {
			if _, _, ok := g.solids[k].meet(r, limit); ok {
				return &g.solids[k]
			}
		}
	}
	return nil
}

// walker steps through the cells that a ray crosses (Amanatides and Woo, 1987).
type walker struct {
	i, j         int
	stepX, stepY int
	nextX, nextY float64 // distance to the next cell border
	perX, perY   float64 // distance from border to border
	t            float64 // distance at which the ray entered the cell
}

// walk starts at the ray's origin, or where it enters the grid's bounds.
func (g *grid) walk(r *ray) walker {
	x1, y1 := g.x0+float64(g.nx)*cellSize, g.y0+float64(g.ny)*cellSize
	w := walker{stepX: 1, stepY: 1, perX: cellSize * math.Abs(r.inv.X), perY: cellSize * math.Abs(r.inv.Y)}
	if r.o.X < g.x0 || r.o.X >= x1 || r.o.Y < g.y0 || r.o.Y >= y1 {
		a, b := (g.x0-r.o.X)*r.inv.X, (x1-r.o.X)*r.inv.X
		c, d := (g.y0-r.o.Y)*r.inv.Y, (y1-r.o.Y)*r.inv.Y
		w.t = max(min(a, b), min(c, d), 0) + 1e-9
	}
	x, y := (r.o.X+w.t*r.d.X-g.x0)/cellSize, (r.o.Y+w.t*r.d.Y-g.y0)/cellSize
	fx, fy := math.Floor(x), math.Floor(y)
	w.i, w.j = int(fx), int(fy)
	if r.d.X < 0 {
		w.stepX = -1
		w.nextX = w.t + (x-fx)*w.perX
	} else {
		w.nextX = w.t + (fx+1-x)*w.perX
	}
	if r.d.Y < 0 {
		w.stepY = -1
		w.nextY = w.t + (y-fy)*w.perY
	} else {
		w.nextY = w.t + (fy+1-y)*w.perY
	}
	return w
}

func (w *walker) inside(g *grid) bool {
	return uint(w.i) < uint(g.nx) && uint(w.j) < uint(g.ny)
}

// lowest returns the least height of r in the cell.
func (w *walker) lowest(r *ray) float64 {
	t := w.t
	if r.d.Z < 0 {
		t = min(w.nextX, w.nextY)
	}
	return r.o.Z + t*r.d.Z
}

func (w *walker) step() {
	if w.nextX < w.nextY {
		w.t = w.nextX
		w.nextX += w.perX
		w.i += w.stepX
	} else {
		w.t = w.nextY
		w.nextY += w.perY
		w.j += w.stepY
	}
}
