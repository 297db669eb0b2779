package sfm

import (
	"context"

	"locbench/kapture/geom"
	"locbench/localize"
	"locbench/localize/robust"
)

// Global is global-map: the points that the retrieved images' keypoints see in
// one map of all mapping images, seen by the query's keypoints that match them
// (paradigm 2b).
type Global struct {
	Data
	Map        *Map
	Options    robust.Options
	Duplicates Duplicates // "" is KeepDuplicates
}

// Localize implements localize.Localizer.
func (g *Global) Localize(ctx context.Context, q localize.Query) (localize.Result, error) {
	return g.forAll(ctx, q, g.method())
}

// LocalizeTopK implements localize.TopKLocalizer.
func (g *Global) LocalizeTopK(ctx context.Context, q localize.Query, ks []int) ([]localize.Result, error) {
	return g.forTopK(ctx, q, ks, g.method())
}

func (g *Global) method() queryMethod {
	return queryMethod{correspondences: g.correspondences, alone: g.one, options: g.Options, seen: func(s *shared, i int) int {
		n := 0
		for _, m := range s.matches[i] {
			if _, ok := g.Map.PointOf(s.neighbors[i].Name, m.Keypoint2); ok {
				n++
			}
		}
		return n
	}}
}

func (g *Global) one(s *shared) localize.Result {
	r := &resection{query: s.query, mount: geom.Identity(), from: g.correspondences(s)}
	return r.locate(s, g.Options)
}

// LocalizeRig implements localize.RigLocalizer.
func (g *Global) LocalizeRig(ctx context.Context, members []localize.RigMember, ks []int) ([][]localize.Result, error) {
	return g.forRig(ctx, members, ks, g.method())
}

// correspondences are the pairs of a keypoint and a point, each once: several
// images most often say the same. A keypoint that matches several points stays
// with all of them, for the search to choose, unless Duplicates says otherwise.
func (g *Global) correspondences(s *shared) []correspondence {
	type pair struct{ keypoint, point int }
	known := map[pair]bool{}
	var pairs []pair
	for i, ms := range s.matches {
		for _, m := range ms {
			point, ok := g.Map.PointOf(s.neighbors[i].Name, m.Keypoint2)
			if p := (pair{m.Keypoint1, point}); ok && !known[p] {
				known[p] = true
				pairs = append(pairs, p)
			}
		}
	}
	if g.Duplicates == IgnoreDuplicates {
		pairs = withoutDuplicates(pairs, func(p pair) int { return p.keypoint }, func(p pair) int { return p.point })
	}
	out := make([]correspondence, len(pairs))
	for i, p := range pairs {
		out[i] = correspondence{keypoint: p.keypoint, point: g.Map.Points[p.point], covariance: g.Map.covariance(p.point)}
	}
	return out
}
