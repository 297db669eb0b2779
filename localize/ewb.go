package localize

import "context"

// EWB is the equal weighted barycentre: each of the k neighbours weighs 1/k.
type EWB struct{}

// Localize implements [Localizer]. It needs neither descriptors nor scores.
func (EWB) Localize(ctx context.Context, q Query) (Result, error) {
	return approximate(ctx, q, equalWeights)
}

func equalWeights(q Query) ([]float64, string, error) {
	w := make([]float64, len(q.Neighbors))
	for i := range w {
		w[i] = 1 / float64(len(w))
	}
	return w, "", nil
}
