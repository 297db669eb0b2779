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
}
