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
	Map     *Map
	Options robust.Options
}

// Localize implements localize.Localizer.
func (g *Global) Localize(ctx context.Context, q localize.Query) (localize.Result, error) {
	return g.forAll(ctx, q, g.one)
}

// LocalizeTopK implements localize.TopKLocalizer.
func (g *Global) LocalizeTopK(ctx context.Context, q localize.Query, ks []int) ([]localize.Result, error) {
	return g.forTopK(ctx, q, ks, g.one)
}

func (g *Global) one(s *shared) localize.Result {
	r := &resection{query: s.query, mount: geom.Identity(), from: g.correspondences(s)}
	return r.locate(s, g.Options)
}

// LocalizeRig implements localize.RigLocalizer.
func (g *Global) LocalizeRig(ctx context.Context, members []localize.RigMember, ks []int) ([][]localize.Result, error) {
	return g.forRig(ctx, members, ks, rigMethod{g.correspondences, g.one, g.Options})
}

// correspondences are the pairs of a keypoint and a point, each once: several
// images most often say the same. A keypoint that matches several points stays
// with all of them, for the search to choose.
func (g *Global) correspondences(s *shared) []correspondence {
	type pair struct{ keypoint, point int }
	known := map[pair]bool{}
	var out []correspondence
	for i, ms := range s.matches {
		for _, m := range ms {
			point, ok := g.Map.PointOf(s.neighbors[i].Name, m.Keypoint2)
			if p := (pair{m.Keypoint1, point}); ok && !known[p] {
				known[p] = true
				out = append(out, correspondence{keypoint: m.Keypoint1, point: g.Map.Points[point], covariance: g.Map.covariance(point)})
			}
		}
	}
	return out
}
