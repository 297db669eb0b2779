package sfm

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture"
	"locbench/kapture/camera"
	"locbench/kapture/geom"
	"locbench/localize"
	"locbench/localize/robust"
)

// Data is where localization finds images and verified matches.
type Data struct {
	Images  Images
	Matches Matches // of every query with its neighbours
	Rerank  Rerank  // "" is RerankNone
}

// shared is what a query has in common with its neighbours, best first.
type shared struct {
	query     *Image
	neighbors []*Image
	matches   [][]kapture.Match // by neighbour; Keypoint1 is the query's
}

// gather reads the matches of a query, once for all numbers of neighbours.
func (d *Data) gather(ctx context.Context, q localize.Query) (*shared, error) {
	query, err := d.Images.Image(q.Name)
	if err != nil {
		return nil, err
	}
	s := &shared{query: query}
	for _, n := range q.Neighbors {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		im, err := d.Images.Image(n.Name)
		if err != nil {
			return nil, err
		}
		ms, err := between(d.Matches, query, im)
		if err != nil {
			return nil, err
		}
		s.neighbors = append(s.neighbors, im)
		s.matches = append(s.matches, ms)
	}
	return s, nil
}

// first returns what is shared with the first k neighbours.
func (s *shared) first(k int) *shared {
	k = min(k, len(s.neighbors))
	return &shared{query: s.query, neighbors: s.neighbors[:k], matches: s.matches[:k]}
}

// sighting is a keypoint of a neighbour, by its number.
type sighting struct{ neighbor, keypoint int }

// sightings lists by keypoint of the query what it is matched with, in the order
// of the neighbours.
func (s *shared) sightings() map[int][]sighting {
	out := map[int][]sighting{}
	for i, ms := range s.matches {
		for _, m := range ms {
			out[m.Keypoint1] = append(out[m.Keypoint1], sighting{i, m.Keypoint2})
		}
	}
	return out
}

// counts returns the number of matches by neighbour.
func (s *shared) counts() []int {
	out := make([]int, len(s.matches))
	for i, ms := range s.matches {
		out[i] = len(ms)
	}
	return out
}

// correspondence is a keypoint of the query and the point that it sees.
type correspondence struct {
	keypoint   int
	point      r3.Vec
	covariance [9]float64 // m², for pixels with a standard deviation of one
}

// resection is what the pose of a camera is estimated from.
type resection struct {
	query *Image
	mount geom.Pose // rig → camera; the identity of a camera by itself
	from  []correspondence
}

// locate estimates a camera's pose, and refines it where the camera is known.
func (r *resection) locate(s *shared, o robust.Options) localize.Result {
	a, reason := r.estimate(o)
	if reason == "" && r.query.Camera != nil {
		a.Pose = refine(a.Pose, []*resection{r}, o.MaxErrorPx)
		a.NumInliers, a.RMSEPx = r.inliers(a.Pose, o.MaxErrorPx)
	}
	return s.result(r, a, reason)
}

// estimate runs LO-RANSAC on the correspondences.
func (r *resection) estimate(o robust.Options) (robust.Absolute, string) {
	p := robust.AbsoluteProblem{}
	if r.query.Camera != nil {
		p.Camera = *r.query.Camera
	} else {
		guess, ok := r.query.guess()
		if !ok {
			return robust.Absolute{}, "the camera is not known and neither is the size of the image"
		}
		p.Camera, p.FocalUnknown = guess, true
	}
	for _, c := range r.from {
		p.Pixels = append(p.Pixels, r.query.Keypoints[c.keypoint])
		p.Points = append(p.Points, c.point)
	}
	o.Seed ^= nameHash(r.query.Name)
	return robust.EstimateAbsolute(p, o)
}

// guess is a camera for an image of which only the size is known: all but the
// principal point is to be estimated.
func (im *Image) guess() (camera.Camera, bool) {
	if im.Width <= 0 || im.Height <= 0 {
		return camera.Camera{}, false
	}
	focal := 1.2 * float64(max(im.Width, im.Height))
	c, err := camera.New("SIMPLE_PINHOLE", []float64{focal, float64(im.Width) / 2, float64(im.Height) / 2})
	return c, err == nil
}

// result puts an estimate, or the reason why there is none, into a Result.
func (s *shared) result(r *resection, a robust.Absolute, reason string) localize.Result {
	out := localize.Result{Why: reason, Correspondences: len(r.from), Matches: s.counts()}
	if reason != "" {
		return out
	}
	out.OK, out.Pose, out.Inliers, out.RMSEPx = true, a.Pose, a.NumInliers, a.RMSEPx
	if s.query.Camera == nil {
		out.Focal = a.Focal
	}
	return out
}

// failed is the Result of a query that never came to an estimate.
func (s *shared) failed(format string, args ...any) localize.Result {
	return localize.Result{Why: fmt.Sprintf(format, args...), Matches: s.counts()}
}

func sortedKeys[V any](m map[int]V) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func nameHash(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return h.Sum64()
}

// ordered reads the matches of a query and puts its neighbours into the order in
// which they are used.
func (d *Data) ordered(ctx context.Context, q localize.Query, m queryMethod) (*shared, error) {
	s, err := d.gather(ctx, q)
	if err != nil {
		return nil, err
	}
	var count func(int) int
	if m.seen != nil {
		count = func(i int) int { return m.seen(s, i) }
	}
	return s.reranked(d.Rerank, count), nil
}

// forTopK localizes a query for each number of neighbours from one reading.
func (d *Data) forTopK(ctx context.Context, q localize.Query, ks []int, m queryMethod) ([]localize.Result, error) {
	all, err := d.ordered(ctx, q, m)
	if err != nil {
		return nil, err
	}
	out := make([]localize.Result, len(ks))
	for i, k := range ks {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		out[i] = m.alone(all.first(k))
	}
	return out, nil
}

// forAll is forTopK of all neighbours.
func (d *Data) forAll(ctx context.Context, q localize.Query, m queryMethod) (localize.Result, error) {
	rs, err := d.forTopK(ctx, q, []int{len(q.Neighbors)}, m)
	if err != nil {
		return localize.Result{}, err
	}
	return rs[0], nil
}
