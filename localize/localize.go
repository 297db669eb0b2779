package localize

import (
	"context"

	"locbench/kapture/geom"
)

// Localizer is one way to estimate a query's pose. Localize is safe for
// concurrent use.
type Localizer interface {
	Localize(ctx context.Context, q Query) (Result, error)
}

// Query is an image to localize and what retrieval found for it.
type Query struct {
	Name       string
	Descriptor []float32  // unit length; nil if only scores are known
	Neighbors  []Neighbor // mapping images with a known pose, best first
}

// Neighbor is a retrieved mapping image.
type Neighbor struct {
	Name       string
	Pose       geom.Pose // world→camera
	Score      float64   // similarity to the query, higher is better
	Descriptor []float32 // unit length; nil if only scores are known
}

// Result is what a [Localizer] found.
type Result struct {
	// OK says that Pose holds an estimate. Otherwise Why says what was missing.
	OK  bool
	Why string
	// Pose is the estimate, world→camera.
	Pose geom.Pose
	// Weights are those of the neighbours in a pose approximation, in their
	// order, with sum 1. Nil for other methods.
	Weights []float64
	// Inliers and Correspondences count 2D-3D matches; both are 0 for methods
	// that do not match.
	Inliers, Correspondences int
	// Matches counts the verified matches with each neighbour, in their order;
	// nil for methods that do not match.
	Matches []int
	RMSEPx  float64 // of the inliers, √ of the mean squared distance in the query image
	// Focal is the estimated focal length in pixels where the query's camera was
	// not known, else 0.
	Focal float64
	// Fallback says that Pose is that of the first neighbour, because the method
	// failed (Why says how) and the fallback was asked for.
	Fallback bool
}

// TopKLocalizer is a Localizer that shares work between numbers of neighbours.
type TopKLocalizer interface {
	Localizer
	// LocalizeTopK returns what Localize would for the first k neighbours of the
	// query, for each of ks; more than there are stand for all.
	LocalizeTopK(ctx context.Context, q Query, ks []int) ([]Result, error)
}

// RigMember is a query that a camera of a rig took, and how that is mounted.
type RigMember struct {
	Query
	Mount geom.Pose // rig → camera
}

// RigLocalizer is a Localizer that estimates one pose for the cameras of a rig.
type RigLocalizer interface {
	Localizer
	// LocalizeRig returns the poses of the members, taken at one time, for the first
	// k neighbours of each, for each of ks: by k, then by member.
	LocalizeRig(ctx context.Context, members []RigMember, ks []int) ([][]Result, error)
}

// TopK localizes a query from its first k neighbours, for each of ks.
func TopK(ctx context.Context, l Localizer, q Query, ks []int) ([]Result, error) {
	if many, ok := l.(TopKLocalizer); ok {
		return many.LocalizeTopK(ctx, q, ks)
	}
	out := make([]Result, len(ks))
	for i, k := range ks {
		cut := q
		cut.Neighbors = q.Neighbors[:min(k, len(q.Neighbors))]
		r, err := l.Localize(ctx, cut)
		if err != nil {
			return nil, err
		}
		out[i] = r
	}
	return out, nil
}
