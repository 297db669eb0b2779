package match

import (
	"context"
	"math"

	"locbench/kapture"
	"locbench/retrieval/backend"
)

// Options are tests that a pair of mutual nearest neighbours must pass. The
// zero value has none.
type Options struct {
	// MaxRatio bounds the distance to the nearest descriptor over that to the
	// second nearest, in both directions (Lowe, Distinctive image features from
	// scale-invariant keypoints, IJCV 2004). 0: no test.
	MaxRatio float64
	// MaxDistance bounds the Euclidean distance of two descriptors. 0: no test.
	MaxDistance float64
}

// Mutual returns the mutual nearest neighbours of two images' descriptors, by
// dot product, in the order of the first image's keypoints. The score is the
// product. Descriptors with a NaN match nothing; of equal products the first
// counts. It panics if the matrices have different columns.
func Mutual(ctx context.Context, b *backend.Backend, first, second backend.Matrix, o Options) ([]kapture.Match, error) {
	of1, of2, err := b.NearestBoth(ctx, first, second)
	if err != nil {
		return nil, err
	}
	test := o.test(first, second)
	var out []kapture.Match
	for i, n := range of1 {
		j := int(n.Index)
		if j < 0 || int(of2[j].Index) != i || !test(i, j, n, of2[j]) {
			continue
		}
		out = append(out, kapture.Match{Keypoint1: i, Keypoint2: j, Score: float64(n.Score)})
	}
	return out, nil
}

// test returns what tells the good pairs (i, j) of mutual nearest neighbours.
func (o Options) test(first, second backend.Matrix) func(i, j int, of1, of2 backend.Nearest) bool {
	if o.MaxRatio == 0 && o.MaxDistance == 0 {
		return func(int, int, backend.Nearest, backend.Nearest) bool { return true }
	}
	return func(i, j int, of1, of2 backend.Nearest) bool {
		// The second nearest is compared as if it were as long as the nearest:
		// local descriptors have one length.
		lengths := squaredNorm(first, i) + squaredNorm(second, j)
		distance := func(product float32) float64 { return math.Sqrt(max(0, lengths-2*float64(product))) }
		d := distance(of1.Score)
		if o.MaxDistance > 0 && d > o.MaxDistance {
			return false
		}
		return o.MaxRatio == 0 || d <= o.MaxRatio*distance(max(of1.Second, of2.Second))
	}
}

func squaredNorm(m backend.Matrix, row int) float64 {
	sum := 0.0
	for _, v := range m.Data[row*m.Cols : (row+1)*m.Cols] {
		sum += float64(v) * float64(v)
	}
	return sum
}
