package backend

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
	"github.com/google/go-cmp/cmp"
)

// goDevice opens the embedded GoMLX backend to run XLA's graph on. One operation
// at a time: with several, two large products can each wait for workers that
// the other holds.
func goDevice(t *testing.T) compute.Backend {
	t.Helper()
	if raceDetector {
		t.Skip("GoMLX's embedded backend (compute 0.1.2) fails the race build's pointer checks: skipped")
	}
	device, err := gobackend.New("ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(device.Finalize)
	return device
}

func TestGraphAgrees(t *testing.T) {
	b := &Backend{name: "graph", device: goDevice(t)}
	rng := rand.New(rand.NewPCG(7, 8))
	for _, d := range []struct{ queries, rows, dim, k int }{
		{1, 1, 1, 1}, {3, 40, 64, 5}, {7, 20, 33, 30}, {2, graphRows + 10, 8, 12}, {graphQueries + 3, 5, 4, 2},
	} {
		q, db := randomMatrix(rng, d.queries, d.dim), randomMatrix(rng, d.rows, d.dim)
		got, want := topK(t, b, q, db, d.k), topK(t, embedded(), q, db, d.k)
		for i := range want {
			if len(got[i]) != len(want[i]) {
				t.Fatalf("%v, query %d: want %d hits, found %d", d, i, len(want[i]), len(got[i]))
			}
			for j, w := range want[i] {
				if g := got[i][j]; math.Abs(float64(g.Score-w.Score)) > 1e-6 {
					t.Errorf("%v, query %d, hit %d: want %v, found %v", d, i, j, w, g)
				}
			}
		}
	}
}

func TestGraphTiesAndNaN(t *testing.T) {
	b := &Backend{name: "graph", device: goDevice(t)}
	db := Matrix{Rows: 5, Cols: 1, Data: []float32{1, 2, float32(math.NaN()), 2, 1}}
	q := Matrix{Rows: 1, Cols: 1, Data: []float32{1}}
	want := [][]Hit{{{1, 2}, {3, 2}, {0, 1}, {4, 1}}}
	if diff := cmp.Diff(want, topK(t, b, q, db, 5)); diff != "" {
		t.Error(diff)
	}
}

// TestGraphNegativeProducts fills the last block of the database up with zeros,
// whose product is larger than that of any row: they are no hits.
func TestGraphNegativeProducts(t *testing.T) {
	b := &Backend{name: "graph", device: goDevice(t)}
	const rows = graphRows + 3
	db := Matrix{Rows: rows, Cols: 1, Data: make([]float32, rows)}
	for i := range db.Data {
		db.Data[i] = float32(i - rows)
	}
	q := Matrix{Rows: 1, Cols: 1, Data: []float32{1}}
	want := [][]Hit{{{rows - 1, -1}, {rows - 2, -2}, {rows - 3, -3}, {rows - 4, -4}, {rows - 5, -5}}}
	if diff := cmp.Diff(want, topK(t, b, q, db, 5)); diff != "" {
		t.Error(diff)
	}
}

// TestGraphNearestAgrees holds both directions, second best and ties of the graph
// against the embedded kernels, over several blocks.
func TestGraphNearestAgrees(t *testing.T) {
	b := &Backend{name: "graph", device: goDevice(t)}
	rng := rand.New(rand.NewPCG(3, 4))
	for _, d := range []struct{ a, c, dim int }{{1, 1, 1}, {5, 3, 8}, {300, 257, 32}, {70, nearestQueries + 100, 4}, {257, 1000, 16}} {
		a, c := randomMatrix(rng, d.a, d.dim), randomMatrix(rng, d.c, d.dim)
		if d.a == 5 { // ties, a NaN and a row of nothing
			copy(a.Data[8:16], a.Data[0:8])
			a.Data[20] = float32(math.NaN())
			clear(c.Data[8:16])
		}
		ofA, ofC, err := b.NearestBoth(t.Context(), a, c)
		if err != nil {
			t.Fatal(err)
		}
		wantA, wantC, err := embedded().NearestBoth(t.Context(), a, c)
		if err != nil {
			t.Fatal(err)
		}
		same := func(x, y float32) bool { return x == y || math.Abs(float64(x-y)) < 1e-5 }
		for side, list := range [2][2][]Nearest{{wantA, ofA}, {wantC, ofC}} {
			for i, w := range list[0] {
				g := list[1][i]
				if !same(w.Score, g.Score) || !same(w.Second, g.Second) || g.Index != w.Index && w.Score-w.Second > 1e-5 || d.a == 5 && g.Index != w.Index {
					t.Errorf("%v, side %d, row %d: want %+v, found %+v", d, side, i, w, g)
				}
			}
		}
	}
}

func TestStepSize(t *testing.T) {
	for n, want := range map[int]int{1: 256, 256: 256, 257: 320, 320: 320, 321: 384, 5000: 5120, 20000: 20480, 32768: 32768} {
		if got := stepSize(n); got != want {
			t.Errorf("%d: want %d, found %d", n, want, got)
		}
	}
}
