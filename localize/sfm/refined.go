package sfm

import (
	"context"

	"locbench/kapture/geom"
	"locbench/localize"
	"locbench/localize/robust"
)

// Refined is local-sfm+: local SfM with robust two-view points and more, refined
// on their inliers.
type Refined struct {
	Data
	Options robust.Options
	Points  robust.TriangulateOptions // of the points
}

// RefinedPoints are the options of the points of [Refined].
func RefinedPoints() robust.TriangulateOptions {
	return robust.TriangulateOptions{MaxErrorPx: 4, MinAngleDeg: 1, MinViews: 2}
}

// Localize implements localize.Localizer.
func (p *Refined) Localize(ctx context.Context, q localize.Query) (localize.Result, error) {
	return p.forAll(ctx, q, p.method())
}

// LocalizeTopK implements localize.TopKLocalizer.
func (p *Refined) LocalizeTopK(ctx context.Context, q localize.Query, ks []int) ([]localize.Result, error) {
	return p.forTopK(ctx, q, ks, p.method())
}

func (p *Refined) method() queryMethod {
	return queryMethod{correspondences: p.correspondences, alone: p.one, options: p.Options}
}

func (p *Refined) one(s *shared) localize.Result {
	if len(s.neighbors) < 2 {
		return s.failed("%d retrieved images, 2 needed to triangulate", len(s.neighbors))
	}
	r := &resection{query: s.query, mount: geom.Identity(), from: p.correspondences(s)}
	return r.locate(s, p.Options)
}

// LocalizeRig implements localize.RigLocalizer.
func (p *Refined) LocalizeRig(ctx context.Context, members []localize.RigMember, ks []int) ([][]localize.Result, error) {
	return p.forRig(ctx, members, ks, p.method())
}

// correspondences triangulates what each keypoint of the query sees.
func (p *Refined) correspondences(s *shared) []correspondence {
	var out []correspondence
	seen := s.sightings()
	var views []robust.TrackView
	for _, k := range sortedKeys(seen) {
		views = views[:0]
		for _, v := range seen[k] {
			im := s.neighbors[v.neighbor]
			views = append(views, robust.TrackView{Camera: im.Camera, Pose: im.Pose, Pixel: im.Keypoints[v.keypoint]})
		}
		if x, ok := robust.Triangulate(views, p.Points); ok {
			out = append(out, correspondence{keypoint: k, point: x.X, covariance: x.Covariance})
		}
	}
	return out
}
