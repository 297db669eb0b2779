package loss

import (
	"cmp"
	"context"
	"math"
	"slices"

	"locbench/retrieval/train/trainset"
)

// tripletLoss is [Triplet] over a batch.
type tripletLoss struct {
	t Triplet
	s *similarities
}

// mined is a triplet of rows of the batch.
type mined struct{ anchor, positive, negative int32 }

// Of returns the loss of a batch and its gradient.
func (l *tripletLoss) Of(ctx context.Context, b *Batch, grad []float32) (Value, error) {
	clear(grad)
	if !finite(b.Descriptors) {
		return Value{Loss: math.NaN(), Terms: b.Len()}, nil
	}
	found, err := l.mine(ctx, b)
	if err != nil || len(found) == 0 {
		return Value{}, err
	}
	n, dim := len(found), b.Dim
	work := newTriplet(dim)
	sums := make([]float64, len(b.Descriptors))
	var loss float64
	for _, m := range found {
		a, p, g := int(m.anchor)*dim, int(m.positive)*dim, int(m.negative)*dim
		loss += addTriplet(l.t, work, [3][]float32{b.Descriptors[a:], b.Descriptors[p:], b.Descriptors[g:]}, 1/float64(n),
			tripletGrad{sums[a:], sums[p:], sums[g:]})
	}
	for i, v := range sums {
		grad[i] = float32(v)
	}
	return Value{Loss: loss / float64(n), Terms: n}, nil
}

// mine returns the triplets of a batch in the order of their anchors.
func (l *tripletLoss) mine(ctx context.Context, b *Batch) ([]mined, error) {
	p := l.s.of(b)
	byRow := make([][]mined, p.n)
	err := p.waves(ctx, func(_ int, k *block) {
		for i := k.from; i < k.to; i++ {
			byRow[i] = l.ofAnchor(b, i, k.row(i)[:p.n])
		}
	}, nil)
	return slices.Concat(byRow...), err
}

// ofAnchor returns the triplets of anchor i, given its similarities.
func (l *tripletLoss) ofAnchor(b *Batch, i int, s []float32) []mined {
	var positives, negatives []int32
	for j := range s {
		switch {
		case j == i:
		case b.Relation(i, j) == trainset.Positive:
			positives = append(positives, int32(j))
		case b.Relation(i, j) == trainset.Negative:
			negatives = append(negatives, int32(j))
		}
	}
	if len(positives) == 0 {
		return nil
	}
	// Descriptors have unit length: the nearest is the most similar.
	slices.SortFunc(negatives, func(x, y int32) int {
		return cmp.Or(cmp.Compare(s[y], s[x]), cmp.Compare(x, y))
	})
	var out []mined
	for _, p := range positives {
		hard := negatives
		if l.t.SemiHard {
			from, _ := slices.BinarySearchFunc(negatives, s[p], func(j int32, sp float32) int {
				if s[j] >= sp {
					return -1
				}
				return 1
			})
			if from < len(negatives) {
				hard = negatives[from:]
			}
		}
		for _, n := range hard[:min(l.t.Negatives, len(hard))] {
			out = append(out, mined{int32(i), p, n})
		}
	}
	return out
}
