package sfm

import (
	"context"
	"math"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
	"locbench/localize"
	"locbench/localize/robust"
	"locbench/localize/solver"
)

const (
	// publishedViews is the least number of retrieved images that a keypoint of
	// the query must be matched with.
	publishedViews = 3
	// publishedLimit bounds the squared error of an inlier, in pixels of the
	// images without distortion: the published code compares squares with 8.
	publishedLimit = 8
	// publishedTriples of views are all tried up to this many, those of 50 views
	// five times over.
	publishedTriples = 100_000
)

// Published is local-sfm, the method behind the published tables
// (kapture-localization's local SfM): keypoints of the query that match in at
// least 3 retrieved images are triangulated from every triple of them (linear
// triangulation); the point with the most inliers is taken as it is, and the
// pose is estimated from the points (paradigm 2a).
type Published struct {
	Data
	Options robust.Options
}

// Localize implements localize.Localizer.
func (p *Published) Localize(ctx context.Context, q localize.Query) (localize.Result, error) {
	return p.forAll(ctx, q, queryMethod{alone: p.one})
}

// LocalizeTopK implements localize.TopKLocalizer.
func (p *Published) LocalizeTopK(ctx context.Context, q localize.Query, ks []int) ([]localize.Result, error) {
	return p.forTopK(ctx, q, ks, queryMethod{alone: p.one})
}

func (p *Published) one(s *shared) localize.Result {
	if len(s.neighbors) < publishedViews {
		return s.failed("%d retrieved images, %d needed to triangulate", len(s.neighbors), publishedViews)
	}
	r := &resection{query: s.query}
	t := newTriples(s)
	seen := s.sightings()
	for _, k := range sortedKeys(seen) {
		if x, ok := t.triangulate(seen[k]); ok {
			r.from = append(r.from, correspondence{keypoint: k, point: x})
		}
	}
	a, reason := r.estimate(p.Options)
	return s.result(r, a, reason)
}

// triples triangulates from three views at a time.
type triples struct {
	shared      *shared
	projections []([12]float64) // K·[R|t] by neighbour
	views       []flatView
	three       [3]([12]float64)
	pixels      [3][2]float64
}

// flatView is a keypoint in an image without distortion.
type flatView struct {
	projection *[12]float64
	pixel      [2]float64
}

func newTriples(s *shared) *triples {
	t := &triples{shared: s, projections: make([]([12]float64), len(s.neighbors))}
	for i, im := range s.neighbors {
		if im.Camera == nil {
			continue
		}
		r, at := geom.Matrix(im.Pose.R), [3]float64{im.Pose.T.X, im.Pose.T.Y, im.Pose.T.Z}
		fx, fy := im.Camera.Focal()
		cx, cy := im.Camera.Principal()
		p := &t.projections[i]
		for c := range 4 {
			column := at
			if c < 3 {
				column = [3]float64{r[c], r[3+c], r[6+c]}
			}
			p[c], p[4+c], p[8+c] = fx*column[0]+cx*column[2], fy*column[1]+cy*column[2], column[2]
		}
	}
	return t
}

// triangulate returns the point of the triple that most views agree with, and of
// those the one with the least sum of squared errors.
func (t *triples) triangulate(seen []sighting) (best r3.Vec, ok bool) {
	t.flatten(seen)
	n := len(t.views)
	most, least, left := 0, math.Inf(1), publishedTriples
	for i := range n {
		for j := i + 1; j < n; j++ {
			for k := j + 1; k < n && left > 0; k++ {
				left--
				x, found := t.linear(i, j, k)
				if !found {
					continue
				}
				inliers, sum := t.score(x)
				if inliers > most || inliers == most && sum < least {
					best, most, least = x, inliers, sum
				}
			}
		}
	}
	return best, most >= publishedViews
}

// flatten takes the distortion out of the keypoints; those that no ray leads to
// are left out.
func (t *triples) flatten(seen []sighting) {
	t.views = t.views[:0]
	for _, s := range seen {
		im := t.shared.neighbors[s.neighbor]
		if im.Camera == nil {
			continue
		}
		px := im.Keypoints[s.keypoint]
		x, y, ok := im.Camera.Unproject(px[0], px[1])
		if !ok || math.IsNaN(x+y) {
			continue
		}
		fx, fy := im.Camera.Focal()
		cx, cy := im.Camera.Principal()
		t.views = append(t.views, flatView{&t.projections[s.neighbor], [2]float64{fx*x + cx, fy*y + cy}})
	}
}

func (t *triples) linear(i, j, k int) (r3.Vec, bool) {
	for n, v := range [3]int{i, j, k} {
		t.three[n], t.pixels[n] = *t.views[v].projection, t.views[v].pixel
	}
	return solver.TriangulateAlgebraic(t.three[:], t.pixels[:])
}

// score counts the views that agree with a point in front of them, and sums
// their squared errors.
func (t *triples) score(x r3.Vec) (inliers int, sum float64) {
	for i := range t.views {
		p := t.views[i].projection
		z := p[8]*x.X + p[9]*x.Y + p[10]*x.Z + p[11]
		if z <= 0 {
			continue
		}
		du := (p[0]*x.X+p[1]*x.Y+p[2]*x.Z+p[3])/z - t.views[i].pixel[0]
		dv := (p[4]*x.X+p[5]*x.Y+p[6]*x.Z+p[7])/z - t.views[i].pixel[1]
		if d := du*du + dv*dv; d <= publishedLimit {
			inliers++
			sum += d
		}
	}
	return inliers, sum
}
