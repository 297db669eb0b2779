package backend

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// randomMatrix holds values whose products of 2,048 have about unit length.
func randomMatrix(rng *rand.Rand, rows, cols int) Matrix {
	m := Matrix{Rows: rows, Cols: cols, Data: make([]float32, rows*cols)}
	scale := 1 / math.Sqrt(float64(cols))
	for i := range m.Data {
		m.Data[i] = float32(rng.NormFloat64() * scale)
	}
	return m
}

func withKernel(k kernel, jobs int) *Backend { return &Backend{name: "go", kernel: k, Jobs: jobs} }

func topK(t testing.TB, b *Backend, q, db Matrix, k int) [][]Hit {
	t.Helper()
	hits, err := b.TopK(t.Context(), q, db, k)
	if err != nil {
		t.Fatal(err)
	}
	return hits
}

// naive sorts all products, summed in float64.
func naive(q, db Matrix, k int) [][]Hit {
	hits := make([][]Hit, q.Rows)
	for i := range hits {
		for j := range db.Rows {
			var s float64
			for p := range db.Cols {
				s += float64(q.Data[i*q.Cols+p]) * float64(db.Data[j*db.Cols+p])
			}
			hits[i] = append(hits[i], Hit{Index: int32(j), Score: float32(s)})
		}
		slices.SortFunc(hits[i], func(a, b Hit) int {
			if before(a, b) {
				return -1
			}
			return 1
		})
		hits[i] = hits[i][:min(k, len(hits[i]))]
	}
	return hits
}

// integers has products that float32 holds exactly, with many ties.
func integers(t *rapid.T, rows, cols int) Matrix {
	seed := rapid.Uint64().Draw(t, "seed")
	rng := rand.New(rand.NewPCG(seed, 0))
	m := Matrix{Rows: rows, Cols: cols, Data: make([]float32, rows*cols)}
	for i := range m.Data {
		m.Data[i] = float32(rng.IntN(3) - 1)
	}
	return m
}

func TestTopKIsFullSort(t *testing.T) {
	for _, kn := range kernels() {
		t.Run(kn.name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				dim := rapid.SampledFrom([]int{1, 2, 3, 5, 31, 255, 256, 257, 515}).Draw(rt, "dim")
				q := integers(rt, rapid.IntRange(0, 70).Draw(rt, "queries"), dim)
				db := integers(rt, rapid.IntRange(0, 300).Draw(rt, "rows"), dim)
				k := rapid.IntRange(0, 310).Draw(rt, "k")
				jobs := rapid.IntRange(1, 5).Draw(rt, "jobs")
				got, err := withKernel(kn, jobs).TopK(t.Context(), q, db, k)
				if err != nil {
					rt.Fatal(err)
				}
				if diff := cmp.Diff(naive(q, db, k), got, equalEmpty); diff != "" {
					rt.Fatal(diff)
				}
			})
		})
	}
}

// equalEmpty makes no hits and an empty list of hits the same.
var equalEmpty = cmp.Transformer("hits", func(h []Hit) []Hit { return append([]Hit{}, h...) })

func TestTopKRounding(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	q, db := randomMatrix(rng, 37, 2048), randomMatrix(rng, 500, 2048)
	want := naive(q, db, 500)
	for _, kn := range kernels() {
		var worst float64
		for i, hits := range topK(t, withKernel(kn, 2), q, db, 500) {
			exact := make([]float32, db.Rows)
			for _, h := range want[i] {
				exact[h.Index] = h.Score
			}
			for _, h := range hits {
				worst = max(worst, math.Abs(float64(h.Score-exact[h.Index])))
			}
		}
		t.Logf("%s: largest error %.2g", kn.name, worst)
		if worst > 5e-7 {
			t.Errorf("%s: error %g, want at most 5e-7", kn.name, worst)
		}
	}
}

func TestSameBytes(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	q, db := randomMatrix(rng, 1100, 300), randomMatrix(rng, 700, 300)
	for _, kn := range kernels() {
		want := topK(t, withKernel(kn, 1), q, db, 20)
		for _, jobs := range []int{2, 3, 8} {
			if diff := cmp.Diff(want, topK(t, withKernel(kn, jobs), q, db, 20)); diff != "" {
				t.Errorf("%s with %d jobs: %s", kn.name, jobs, diff)
			}
		}
		for _, i := range []int{0, 31, 500, 1099} {
			one := Matrix{Rows: 1, Cols: 300, Data: q.Data[i*300:][:300]}
			if diff := cmp.Diff(want[i], topK(t, withKernel(kn, 2), one, db, 20)[0]); diff != "" {
				t.Errorf("%s, query %d alone: %s", kn.name, i, diff)
			}
		}
	}
}

func TestVectorKernelsAgree(t *testing.T) {
	all := kernels()
	if len(all) < 3 {
		t.Skip("this processor does not have two vector kernels")
	}
	rng := rand.New(rand.NewPCG(5, 6))
	q, db := randomMatrix(rng, 50, 700), randomMatrix(rng, 300, 700)
	want := topK(t, withKernel(all[0], 2), q, db, 300)
	if diff := cmp.Diff(want, topK(t, withKernel(all[1], 2), q, db, 300)); diff != "" {
		t.Errorf("%s and %s differ: %s", all[0].name, all[1].name, diff)
	}
}

func TestNaNIsNoHit(t *testing.T) {
	nan := float32(math.NaN())
	db := Matrix{Rows: 3, Cols: 2, Data: []float32{1, 0, nan, 0, 2, 0}}
	q := Matrix{Rows: 1, Cols: 2, Data: []float32{1, 0}}
	want := [][]Hit{{{2, 2}, {0, 1}}}
	for _, kn := range kernels() {
		if diff := cmp.Diff(want, topK(t, withKernel(kn, 1), q, db, 3)); diff != "" {
			t.Errorf("%s: %s", kn.name, diff)
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m := Matrix{Rows: 2, Cols: 1, Data: []float32{1, 2}}
	if _, err := embedded().TopK(ctx, m, m, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("want context.Canceled, found %v", err)
	}
}
