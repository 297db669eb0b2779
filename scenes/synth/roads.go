package synth

import (
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/spatial/r2"
	"gonum.org/v1/gonum/spatial/r3"
)

// roads is the graph of street centre lines.
type roads struct {
	nodes  []r2.Vec
	edges  [][2]int
	around [][]int // edges by node
	length float64
}

// newRoads joins the streets along x at every crossing and adds the cross
// streets.
func newRoads(t *town) roads {
	g := roads{}
	type mouth struct{ street, node int }
	crossings := make([][]mouth, len(t.rows)) // by row: nodes of the cross streets, lower ends
	for s := range len(t.rows) + 1 {
		y0, y1 := 0.0, t.depth
		var xs []float64
		if s > 0 {
			y0 = t.rows[s-1].y1
			xs = append(xs, t.rows[s-1].crossings(t.width)...)
		}
		if s < len(t.rows) {
			y1 = t.rows[s].y0
			xs = append(xs, t.rows[s].crossings(t.width)...)
		}
		slices.Sort(xs)
		xs = slices.Compact(xs)
		for i, x := range xs {
			g.nodes = append(g.nodes, r2.Vec{X: x, Y: (y0 + y1) / 2})
			node := len(g.nodes) - 1
			if i > 0 {
				g.join(node-1, node)
			}
			if s > 0 && slices.Contains(t.rows[s-1].crossings(t.width), x) {
				m := crossings[s-1][0]
				crossings[s-1] = crossings[s-1][1:]
				g.join(m.node, node)
			}
			if s < len(t.rows) && slices.Contains(t.rows[s].crossings(t.width), x) {
				crossings[s] = append(crossings[s], mouth{s, node})
			}
		}
	}
	g.around = make([][]int, len(g.nodes))
	for e, ends := range g.edges {
		g.around[ends[0]] = append(g.around[ends[0]], e)
		g.around[ends[1]] = append(g.around[ends[1]], e)
	}
	return g
}

// crossings returns the centre lines of the streets that cross the row, left
// to right, with those at its two ends.
func (rw *row) crossings(width float64) []float64 {
	xs := []float64{rw.blocks[0].x0 / 2}
	for i := 1; i < len(rw.blocks); i++ {
		xs = append(xs, (rw.blocks[i-1].x1+rw.blocks[i].x0)/2)
	}
	return append(xs, (rw.blocks[len(rw.blocks)-1].x1+width)/2)
}

func (g *roads) join(a, b int) {
	g.edges = append(g.edges, [2]int{a, b})
	g.length += r2.Norm(r2.Sub(g.nodes[a], g.nodes[b]))
}

// tour returns a walk through the streets of at least the given length. At
// every crossing it takes the street that it took least often, and turns back
// only at an end.
func (g *roads) tour(r *rand.Rand, length float64) []r2.Vec {
	taken := make([]int, len(g.edges))
	node, last := 0, -1
	path := []r2.Vec{g.nodes[0]}
	for length > 0 {
		best, bestScore := -1, 0.0
		for _, e := range g.around[node] {
			score := float64(taken[e]) + 0.5*r.Float64()
			if e == last {
				score += 100
			}
			if best < 0 || score < bestScore {
				best, bestScore = e, score
			}
		}
		taken[best]++
		last = best
		node = g.edges[best][0] + g.edges[best][1] - node
		length -= r2.Norm(r2.Sub(g.nodes[node], path[len(path)-1]))
		path = append(path, g.nodes[node])
	}
	return path
}

// along returns the point at distance s along a path, and the unit direction
// in which it goes on, eased around the corners over a few metres.
func along(path []r2.Vec, s float64) (at r3.Vec, heading r2.Vec) {
	const ease = 2.5
	before, _ := onPath(path, s-ease)
	after, _ := onPath(path, s+ease)
	p, d := onPath(path, s)
	// Cut the corner as a driver does: a third of the way to the chord.
	middle := r2.Scale(0.5, r2.Add(before, after))
	p = r2.Add(p, r2.Scale(0.5, r2.Sub(middle, p)))
	if chord := r2.Sub(after, before); r2.Norm(chord) > ease {
		d = r2.Unit(chord)
	}
	return r3.Vec{X: p.X, Y: p.Y}, d
}

// onPath returns the point at distance s along a path, within its ends, and
// the direction of the segment there.
func onPath(path []r2.Vec, s float64) (p, direction r2.Vec) {
	s = max(s, 0)
	for i := 1; i < len(path); i++ {
		d := r2.Sub(path[i], path[i-1])
		n := r2.Norm(d)
		if s <= n || i == len(path)-1 {
			return r2.Add(path[i-1], r2.Scale(min(s/n, 1), d)), r2.Unit(d)
		}
		s -= n
	}
	return path[0], r2.Vec{X: 1}
}
