package retrieval_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"

	"locbench/kapture/kapturetest"
	"locbench/retrieval"
	"locbench/retrieval/backend"
	"locbench/retrieval/npy"
)

// matrix reads a matrix of the whitening reference.
func matrix(t *testing.T, name string) (rows, cols int, data []float64) {
	t.Helper()
	rows, cols, data, err := npy.ReadAll[float64](kapturetest.Shared(t, "golden", "whiten", name))
	if err != nil {
		t.Fatal(err)
	}
	return rows, cols, data
}

// farthest is the largest difference of two rows of values.
func farthest(a, b []float64) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	return floats.Distance(a, b, math.Inf(1))
}

type whitenReference struct {
	PCA struct {
		Mean       []float64   `json:"mean_"`
		Components [][]float64 `json:"components_"`
		Variance   []float64   `json:"explained_variance_"`
	}
	Cases []struct {
		Power float64 `json:"whitenp"`
		Dim   int     `json:"whitenv"`
		Mult  float64 `json:"whitenm"`
		L2    bool    `json:"l2norm"`
		Flag  bool    `json:"pca_whiten_flag"`
		File  string  `json:"full"`
	}
}

func (r *whitenReference) pca() *retrieval.PCA {
	return &retrieval.PCA{Mean: r.PCA.Mean, Components: slices.Concat(r.PCA.Components...), Variance: r.PCA.Variance}
}

// TestWhiten holds whitening against deep-image-retrieval's, to the 1e-10 that
// the reference's page states.
func TestWhiten(t *testing.T) {
	var ref whitenReference
	kapturetest.SharedJSON(t, &ref, "golden", "whiten", "whiten.json")
	_, dim, x := matrix(t, "X.npy")
	if len(ref.Cases) != 17 {
		t.Errorf("found %d cases, want 17", len(ref.Cases))
	}
	for _, c := range ref.Cases {
		pca := ref.pca()
		pca.Whiten = c.Flag
		w, err := pca.Whitener(retrieval.Whitening{Dim: c.Dim, Power: c.Power, Mult: c.Mult, Raw: !c.L2})
		if err != nil {
			t.Fatal(err)
		}
		_, cols, want := matrix(t, c.File)
		got := w.Apply(x)
		if d := farthest(got, want); w.In() != dim || w.Out() != cols || !(d <= 1e-10) {
			t.Errorf("%s: differs by %g", c.File, d)
		}
		if one := w.Apply(x[3*dim : 4*dim]); !slices.Equal(one, got[3*cols:4*cols]) {
			t.Errorf("%s: a row alone gives other bytes", c.File)
		}
	}
}

// TestLearnGolden learns from what scikit-learn learned from.
func TestLearnGolden(t *testing.T) {
	var ref whitenReference
	kapturetest.SharedJSON(t, &ref, "golden", "whiten", "whiten.json")
	n, dim, x := matrix(t, "X.npy")
	got := learn(t, x, n, dim)
	want := ref.pca()
	for k := range dim { // the sign of a direction is a convention, and theirs was another then
		direction := want.Components[k*dim:][:dim]
		if floats.Max(direction) < -floats.Min(direction) {
			floats.Scale(-1, direction)
		}
	}
	// 1e-10 of variances of 0.1: rounding errors grow with the ratio to the gap of two variances.
	for what, d := range map[string]float64{"mean": farthest(got.Mean, want.Mean), "variance": farthest(got.Variance, want.Variance), "components": farthest(got.Components, want.Components)} {
		if !(d <= 1e-10) {
			t.Errorf("%s differs by %g", what, d)
		}
	}
}

func learn(t testing.TB, x []float64, n, dim int) *retrieval.PCA {
	t.Helper()
	p, err := retrieval.LearnPCA(context.Background(), n, dim, func(from int, dst []float64) error {
		copy(dst, x[from*dim:])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func gaussian(n int, seed uint64) []float64 {
	rng := rand.New(rand.NewPCG(seed, 1))
	x := make([]float64, n)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	return x
}

// TestLearnedWhitens: with power 0.5 the rows that were learned from have unit
// covariance; in more than one block.
func TestLearnedWhitens(t *testing.T) {
	const n, dim = 1100, 5
	x := gaussian(n*dim, 1)
	for i := range n {
		x[i*dim+1] += 3*x[i*dim] + 7
		x[i*dim+2] *= 0.01
	}
	w, err := learn(t, x, n, dim).Whitener(retrieval.Whitening{Power: 0.5, Mult: 1, Raw: true})
	if err != nil {
		t.Fatal(err)
	}
	y := w.Apply(x)
	for a := range dim {
		for b := range dim {
			sum := 0.0
			for i := range n {
				sum += y[i*dim+a] * y[i*dim+b] / (n - 1)
			}
			want := 0.0
			if a == b {
				want = 1
			}
			if math.Abs(sum-want) > 1e-9 {
				t.Errorf("covariance of %d and %d is %g", a, b, sum)
			}
		}
	}
}

// TestLearnFewerThanDimensions keeps the directions that have variance.
func TestLearnFewerThanDimensions(t *testing.T) {
	p := learn(t, gaussian(4*10, 2), 4, 10)
	if len(p.Variance) != 3 || len(p.Components) != 30 {
		t.Errorf("want 3 directions from 4 descriptors, found %d", len(p.Variance))
	}
	_, err := p.Whitener(retrieval.Whitening{Dim: 4, Power: 0.5, Mult: 1})
	if err == nil || err.Error() != "want 1 to 3 whitened dimensions, found 4" {
		t.Errorf("found %v", err)
	}
	p.Variance[2] = 0
	if _, err := p.Whitener(retrieval.Whitening{Power: 0.5, Mult: 1}); err == nil || !strings.Contains(err.Error(), "want at most 2") {
		t.Errorf("found %v", err)
	}
}

func TestLearnErrors(t *testing.T) {
	broken := errors.New("broken")
	ctx, cancel := context.WithCancel(context.Background())
	same := func(int, []float64) error { return nil }
	for name, c := range map[string]struct {
		n    int
		read func(int, []float64) error
		want string
	}{
		"one descriptor":   {1, same, "want at least 2 descriptors"},
		"no variance":      {10, same, "found all of them the same"},
		"cannot be read":   {10, func(int, []float64) error { return broken }, "broken"},
		"then interrupted": {10, func(int, []float64) error { cancel(); return nil }, "canceled"},
	} {
		ctx := ctx
		if name != "then interrupted" {
			ctx = context.Background()
		}
		if _, err := retrieval.LearnPCA(ctx, c.n, 3, c.read); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: found %v", name, err)
		}
	}
}

// TestPool holds multi-scale pooling against deep-image-retrieval's, to 1e-12.
func TestPool(t *testing.T) {
	var ref struct {
		Inputs [][][]float64
		Cases  []struct {
			Pooling string
			P       float64 `json:"gemp"`
			Result  [][]float64
			L2      [][]float64 `json:"l2_normalised"`
		}
	}
	kapturetest.SharedJSON(t, &ref, "golden", "whiten", "pool.json")
	for _, c := range ref.Cases {
		for row := range c.Result {
			var scales [][]float64
			for _, input := range ref.Inputs {
				scales = append(scales, input[row])
			}
			got := retrieval.PoolMean(scales)
			if c.Pooling == "gem" {
				got = retrieval.PoolGeM(scales, c.P)
			}
			d := farthest(got, c.Result[row])
			retrieval.Normalize(got)
			if d = max(d, farthest(got, c.L2[row])); !(d <= 1e-12) {
				t.Errorf("%s %v, row %d: differs by %g", c.Pooling, c.P, row, d)
			}
			if one := retrieval.PoolGeM(scales[:1], 3); !slices.Equal(one, scales[0]) {
				t.Errorf("a single scale changed to %v", one)
			}
		}
	}
}

// TestExpand holds αQE and DBA against deep-image-retrieval's, to 1e-10.
func TestExpand(t *testing.T) {
	var ref struct {
		Cases []struct {
			Op       string
			K, Alpha float64
			File     string `json:"full"`
		}
	}
	kapturetest.SharedJSON(t, &ref, "golden", "whiten", "expand.json")
	_, dim, x := matrix(t, "X.npy")
	_, _, xq := matrix(t, "Xq.npy")
	onDBA := expand(t, x, x, dim, retrieval.Expansion{K: 3, Alpha: 3}, true)
	for _, c := range ref.Cases {
		e := retrieval.Expansion{K: int(c.K), Alpha: c.Alpha}
		var got []float64
		switch {
		case strings.HasPrefix(c.Op, "DBA"):
			got = expand(t, x, x, dim, e, true)
		case strings.Contains(c.Op, "DBA"):
			got = expand(t, xq, onDBA, dim, e, false)
		default:
			got = expand(t, xq, x, dim, e, false)
		}
		_, _, want := matrix(t, filepath.Base(c.File))
		if d := farthest(got, want); !(d <= 1e-10) {
			t.Errorf("%s, k %v, alpha %v: differs by %g", c.Op, c.K, c.Alpha, d)
		}
	}
}

func expand(t *testing.T, rows, db []float64, dim int, e retrieval.Expansion, self bool) []float64 {
	t.Helper()
	b := embedded(t)
	hits, err := b.TopK(context.Background(), floats32(rows, dim), floats32(db, dim), e.Candidates())
	if err != nil {
		t.Fatal(err)
	}
	out := slices.Clone(rows)
	for i := range hits {
		place := retrieval.NoSelf
		if self {
			place = int32(i)
		}
		err := e.Row(out[i*dim:][:dim], place, hits[i], func(j int32, dst []float64) error {
			copy(dst, db[int(j)*dim:])
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func embedded(t testing.TB) *backend.Backend {
	t.Helper()
	b, err := backend.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func floats32(data []float64, cols int) backend.Matrix {
	m := backend.Matrix{Rows: len(data) / cols, Cols: cols, Data: make([]float32, len(data))}
	for i, v := range data {
		m.Data[i] = float32(v)
	}
	return m
}

// TestExpandDatabase gives the same with any number of workers, and in float32
// what the rows give in float64.
func TestExpandDatabase(t *testing.T) {
	const n, dim = 60, 8
	x := gaussian(n*dim, 3)
	for i := range n {
		retrieval.Normalize(x[i*dim:][:dim])
	}
	e := retrieval.Expansion{K: 4, Alpha: 2}
	b := embedded(t)
	var first []float32
	for _, jobs := range []int{1, 3} {
		b.Jobs = jobs
		got, err := retrieval.ExpandDatabase(context.Background(), b, floats32(x, dim), e)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got.Data
		}
		if !slices.Equal(got.Data, first) {
			t.Error("the number of workers changes the result")
		}
	}
	for i, v := range expand(t, x, x, dim, e, true) {
		if math.Abs(v-float64(first[i])) > 1e-6 { // of float32
			t.Fatalf("value %d: want %v, found %v", i, v, first[i])
		}
	}
	if same, err := retrieval.ExpandDatabase(context.Background(), b, floats32(x, dim), retrieval.Expansion{}); err != nil || same.Data[5] != float32(x[5]) {
		t.Errorf("k = 0 changes the rows: %v", err)
	}
}

// TestExpandNegative: a negative similarity to a power that is no integer is no
// number, and has no weight.
func TestExpandNegative(t *testing.T) {
	row := []float64{1, 0}
	err := retrieval.Expansion{K: 1, Alpha: 0.5}.Row(row, retrieval.NoSelf, []backend.Hit{{Index: 0, Score: -1}}, func(_ int32, dst []float64) error {
		copy(dst, []float64{-0.6, 0.8})
		return nil
	})
	if err != nil || fmt.Sprint(row) != "[1 0]" {
		t.Errorf("found %v, %v", row, err)
	}
	broken := errors.New("broken")
	err = retrieval.Expansion{K: 1}.Row(row, retrieval.NoSelf, []backend.Hit{{}}, func(int32, []float64) error { return broken })
	if !errors.Is(err, broken) {
		t.Errorf("found %v", err)
	}
}

func BenchmarkWhiten(b *testing.B) {
	const dim, n = 512, 256
	x := gaussian(1024*dim, 4)
	w, err := learn(b, x, 1024, dim).Whitener(retrieval.Whitening{Power: 0.25, Mult: 1})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		w.Apply(x[:n*dim])
	}
	b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "descriptors/s")
}
