package backend

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
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

// goDevice opens the embedded GoMLX backend to run XLA's graph on. One operation
// at a time: with several, two large products can each wait for workers that
// the other holds.
func goDevice(t *testing.T) compute.Backend {
	t.Helper()
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

func TestOpen(t *testing.T) {
	empty := t.TempDir()
	t.Setenv(pluginPathEnv, empty)
	t.Setenv("HOME", empty)
	text := filepath.Join(empty, "note.so")
	if err := os.WriteFile(text, []byte("no library"), 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		spec string
		want []string
	}{
		{"cuda", []string{`open backend "cuda"`, "xla:/path/to/plugin.so"}},
		{"xla:plugin.so", []string{"unknown backend"}},
		{"xla:cpu", []string{"no PJRT plugin in " + empty, "/usr/local/lib/go-xla", "pjrt_installer"}},
		{"xla:/nowhere/plugin.so", []string{"/nowhere/plugin.so: no such file", "pjrt_installer"}},
		{"xla:" + empty, []string{"found no regular file"}},
		{"xla:" + text, []string{text, "want a PJRT plugin (a shared library), found another file"}},
		{"xla:" + self, []string{"does not export GetPjrtApi"}},
	} {
		if runtime.GOOS != "linux" || errNoXLA != nil {
			t.Skip("needs Linux and cgo")
		}
		_, err := Open(c.spec)
		if err == nil {
			t.Errorf("%s opened", c.spec)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: want %q in the message, found %q", c.spec, w, err)
			}
		}
	}
	if _, err := Open("cuda"); !errors.Is(err, ErrSpec) {
		t.Errorf("want ErrSpec, found %v", err)
	}
	b, err := Open("")
	if err != nil || b.Name() != "go" {
		t.Errorf("without plugins: %v, %v", b, err)
	}
}

// A plugin that cannot be loaded is an error, for the named ones too.
func TestOpenBrokenPlugin(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(pluginPathEnv, dir)
	file := filepath.Join(dir, "pjrt_c_api_cuda_plugin"+sharedSuffix())
	if err := os.WriteFile(file, []byte("\x7fELF and no more"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open("xla:cuda"); err == nil {
		t.Error("a broken plugin opened")
	}
	if b, err := Open(""); err != nil || b.Name() != "go" {
		t.Errorf("want the embedded backend where the plugin is broken, found %v, %v", b, err)
	}
}

func TestProbe(t *testing.T) {
	found := Probe()
	if len(found) != 3 || found[0].Spec != "go" || !found[0].OK || found[0].GFLOPS <= 0 {
		t.Fatalf("found %+v", found)
	}
	for _, f := range found[1:] {
		if !f.OK && f.Err == nil {
			t.Errorf("%s: neither OK nor an error", f.Spec)
		}
	}
}
