package sfm

import (
	"context"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture"
	"locbench/localize/robust"
)

// BuildOptions say what makes a point of a map.
type BuildOptions struct {
	MaxErrorPx  float64 // of a view of a point
	MinAngleDeg float64 // between two rays of a point
	MinViews    int
	Seed        uint64
	Jobs        int // 0: one
}

// BuildDefaults are those of COLMAP's triangulation of known poses.
func BuildDefaults() BuildOptions {
	return BuildOptions{MaxErrorPx: 4, MinAngleDeg: 1.5, MinViews: 2}
}

// Built is a map and how it came about.
type Built struct {
	Map    *Map
	Pairs  int     // of images
	Tracks int     // of two keypoints at least
	Views  int     // of all points
	RMSEPx float64 // of all views, √ of the mean squared distance
}

// Build triangulates a map from the matches of pairs of mapping images, which
// must have poses and cameras. Tracks that show several places give several
// points: the views that do not agree with the first are tried again. The
// result does not depend on the order of the pairs or on Jobs.
func Build(ctx context.Context, images Images, matches Matches, pairs []kapture.ImagePair, o BuildOptions) (*Built, error) {
	names := imagesOf(pairs)
	numbers := make(map[string]int, len(names))
	known := make([]*Image, len(names))
	for i, name := range names {
		im, err := images.Image(name)
		if err != nil {
			return nil, err
		}
		numbers[name], known[i] = i, im
	}
	var g graph
	for _, p := range pairs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		i, j := numbers[p.Image1], numbers[p.Image2]
		ms, err := between(matches, known[i], known[j])
		if err != nil {
			return nil, err
		}
		g.add(i, j, ms)
	}
	tracks := g.tracks()
	points, err := triangulateAll(ctx, known, tracks, o)
	if err != nil {
		return nil, err
	}
	b := &Built{Map: newMap(), Pairs: len(pairs), Tracks: len(tracks)}
	b.gather(known, points)
	return b, nil
}

// point is a triangulated part of a track.
type point struct {
	x          r3.Vec
	views      []observation
	covariance [9]float64
	square     float64 // sum of squared errors
}

// trackBlock is how many tracks a worker takes at a time.
const trackBlock = 256

func triangulateAll(ctx context.Context, known []*Image, tracks [][]observation, o BuildOptions) ([][]point, error) {
	out := make([][]point, len(tracks))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, o.Jobs))
	for from := 0; from < len(tracks); from += trackBlock {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			for i := from; i < min(from+trackBlock, len(tracks)); i++ {
				out[i] = triangulate(known, tracks[i], o)
			}
			return nil
		})
	}
	return out, g.Wait()
}

// triangulate returns the points of a track: most often one or none.
func triangulate(known []*Image, track []observation, o BuildOptions) []point {
	var out []point
	for len(track) >= max(2, o.MinViews) {
		views := make([]robust.TrackView, len(track))
		for i, v := range track {
			im := known[v.image]
			views[i] = robust.TrackView{Camera: im.Camera, Pose: im.Pose, Pixel: im.Keypoints[v.keypoint]}
		}
		p, ok := robust.Triangulate(views, robust.TriangulateOptions{MaxErrorPx: o.MaxErrorPx, MinAngleDeg: o.MinAngleDeg, MinViews: o.MinViews, Seed: o.Seed})
		if !ok {
			break
		}
		found := point{x: p.X, covariance: p.Covariance, square: p.RMSEPx * p.RMSEPx * float64(p.NumInliers)}
		var rest []observation
		for i, v := range track {
			if p.Inliers[i] {
				found.views = append(found.views, v)
			} else {
				rest = append(rest, v)
			}
		}
		out, track = append(out, found), rest
	}
	return out
}
