package retrieval

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"locbench/retrieval/backend"
)

// randomFeature makes descriptors of n queries and m database images.
func randomFeature(rng *rand.Rand, n, m, dim int) Feature {
	stack := func(prefix string, n int) *Descriptors {
		d := &Descriptors{Dim: dim}
		for i := range n {
			d.Names = append(d.Names, fmt.Sprintf("%s%04d", prefix, i))
			row := make([]float32, dim)
			row[rng.IntN(dim)] = 0.5 // sums of products are exact, and equal now and then
			row[rng.IntN(dim)] += 0.25
			d.Data = append(d.Data, row...)
		}
		return d
	}
	return Feature{Queries: stack("q", n), Database: stack("m", m)}
}

// TestFusedTopKIsFuseOfAllSimilarities compares with fusing and sorting the
// similarities of one query to every image, for every method.
func TestFusedTopKIsFuseOfAllSimilarities(t *testing.T) {
	const queries, images, k = 2*fusedBlock + 3, 41, 7
	rng := rand.New(rand.NewPCG(3, 4))
	features := []Feature{randomFeature(rng, queries, images, 6), randomFeature(rng, queries, images, 4)}
	b, err := backend.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, method := range fusions() {
		how := Fused{Method: method, Params: DefaultFusionParams()}
		got, err := FusedTopK(t.Context(), b, features, how, k)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != queries {
			t.Fatalf("%s: want hits of %d queries, found %d", method, queries, len(got))
		}
		for q := range queries {
			lists := make([][]Hit, len(features))
			for i, f := range features {
				lists[i] = sortedByScore(dots(f, q))
			}
			if want := expected(t, how, lists, k); !slices.Equal(got[q], want) {
				t.Fatalf("%s, query %d: want %v, found %v", method, q, want, got[q])
			}
		}
	}
}

func dots(f Feature, q int) []float32 {
	out := make([]float32, len(f.Database.Names))
	for j := range out {
		for c := range f.Queries.Dim {
			out[j] += f.Queries.Data[q*f.Queries.Dim+c] * f.Database.Data[j*f.Queries.Dim+c]
		}
	}
	return out
}

func sortedByScore(scores []float32) []Hit {
	hits := make([]Hit, len(scores))
	for i, s := range scores {
		hits[i] = Hit{Index: int32(i), Score: s}
	}
	slices.SortStableFunc(hits, func(a, b Hit) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return 0
	})
	return hits
}

func expected(t *testing.T, how Fused, lists [][]Hit, k int) []Hit {
	t.Helper()
	if how.Method == FusionRoundRobin {
		var order []int32
		for place := range lists[0] {
			for _, list := range lists {
				if i := list[place].Index; !slices.Contains(order, i) {
					order = append(order, i)
				}
			}
		}
		var hits []Hit
		for place, index := range order[:k] {
			hits = append(hits, Hit{Index: index, Score: float32(k - place)})
		}
		return hits
	}
	sims := make([][]float32, len(lists))
	for i, list := range lists {
		sims[i] = make([]float32, len(list))
		for _, h := range list {
			sims[i][h.Index] = h.Score
		}
	}
	fused, err := Fuse(how.Method, sims, how.Params)
	if err != nil {
		t.Fatal(err)
	}
	return sortedByScore(fused)[:k]
}

func TestFusedTopKWantsTheSameImages(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	b, err := backend.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	features := []Feature{randomFeature(rng, 2, 5, 4), randomFeature(rng, 2, 6, 4)}
	if _, err := FusedTopK(t.Context(), b, features, Fused{Method: FusionMean}, 3); err == nil {
		t.Error("want an error for databases of 5 and 6 images, found none")
	}
}

func TestFusedTopKOfOneFeature(t *testing.T) {
	b, err := backend.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	f := randomFeature(rand.New(rand.NewPCG(7, 8)), 5, 9, 4)
	want, err := TopK(t.Context(), b, f.Queries, f.Database, 3)
	if err != nil {
		t.Fatal(err)
	}
	got, err := FusedTopK(t.Context(), b, []Feature{f}, Fused{}, 3)
	if err != nil || !slices.EqualFunc(got, want, slices.Equal[[]Hit]) {
		t.Errorf("want the hits of TopK, %v, found %v, %v", want, got, err)
	}
	if _, err := FusedTopK(t.Context(), b, nil, Fused{}, 3); err == nil {
		t.Error("want an error for no feature, found none")
	}
}
