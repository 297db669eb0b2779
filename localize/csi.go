package localize

import (
	"context"
	"fmt"
	"math"

	"locbench/kapture"
)

// CSI weighs by cosine similarity: wᵢ = sᵢ^Alpha / Σ sⱼ^Alpha, with s the
// neighbours' scores. It needs no descriptors, so it also works from a pairs
// file.
//
// A similarity below zero counts as zero: such an image has nothing in common
// with the query. (The reference raises the negative number itself, which gives
// a positive weight for an even Alpha and NaN for most others.) A query whose
// scores are all zero or less is not localized, unless Alpha is 0.
type CSI struct {
	// Alpha is at least 0. The benchmark uses 8; 0 gives equal weights.
	Alpha float64
}

// Localize implements [Localizer].
func (c CSI) Localize(ctx context.Context, q Query) (Result, error) {
	return approximate(ctx, q, c.weights)
}

func (c CSI) weights(q Query) ([]float64, string, error) {
	if !(c.Alpha >= 0) || math.IsInf(c.Alpha, 1) {
		return nil, "", fmt.Errorf("want alpha of at least 0, found %v", c.Alpha)
	}
	if c.Alpha == 0 {
		return equalWeights(q)
	}
	best := 0.0
	for _, n := range q.Neighbors {
		if math.IsNaN(n.Score) || math.IsInf(n.Score, 0) {
			return nil, "", &kapture.InputError{Path: n.Name, Msg: fmt.Sprintf("want a finite score, found %v", n.Score)}
		}
		best = max(best, n.Score)
	}
	if best == 0 {
		return nil, "no retrieved image has a positive similarity", nil
	}
	w := make([]float64, len(q.Neighbors))
	sum := 0.0
	for i, n := range q.Neighbors {
		// Relative to the best score, a large alpha cannot underflow them all.
		w[i] = math.Pow(max(n.Score, 0)/best, c.Alpha)
		sum += w[i]
	}
	for i := range w {
		w[i] /= sum
	}
	return w, "", nil
}
