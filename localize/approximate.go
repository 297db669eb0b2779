package localize

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/num/quat"

	"locbench/kapture"
	"locbench/kapture/geom"
)

// minEigenGap is the least distance of the two largest eigenvalues at which a
// mean rotation counts as determined. Below it, rounding chooses the rotation.
const minEigenGap = 1e-9

// weigher returns the weights of q's neighbours, with sum 1, or why there are
// none. It is called with at least one neighbour.
type weigher func(q Query) (weights []float64, why string, err error)

// approximate returns the weighted mean of the neighbours' poses.
func approximate(ctx context.Context, q Query, weigh weigher) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	if len(q.Neighbors) == 0 {
		return Result{Why: "no retrieved image with a known pose"}, nil
	}
	inverses := make([]geom.Pose, len(q.Neighbors))
	for i, n := range q.Neighbors {
		if !valid(n.Pose) {
			return Result{}, &kapture.InputError{Path: n.Name, Msg: "want a pose of finite numbers with a unit quaternion, found " + fmt.Sprint(n.Pose)}
		}
		inverses[i] = n.Pose.Inverse()
	}
	weights, why, err := weigh(q)
	if err != nil {
		return Result{}, fmt.Errorf("localize %s: %w", q.Name, err)
	}
	if why != "" {
		return Result{Why: why}, nil
	}
	mean, ok := geom.MeanPose(inverses, weights)
	if !ok {
		return Result{Why: "the weights have no finite sum to divide by", Weights: weights}, nil
	}
	if mean.Gap < minEigenGap {
		return Result{Why: "the retrieved rotations have no mean: they cancel each other", Weights: weights}, nil
	}
	pose := mean.Pose.Inverse()
	pose.R = geom.Canonical(pose.R)
	return Result{OK: true, Pose: pose, Weights: weights}, nil
}

// valid reports whether p is finite with a rotation of unit norm. Readers
// normalize, so only rounding is allowed for.
func valid(p geom.Pose) bool {
	t := p.T.X + p.T.Y + p.T.Z
	return math.Abs(quat.Abs(p.R)-1) < 1e-6 && !math.IsNaN(t) && !math.IsInf(t, 0)
}
