package retrieval

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"locbench/kapture"
	"locbench/kapture/kapturetest"
	"locbench/retrieval/backend"
)

func openGo(t testing.TB) *backend.Backend {
	t.Helper()
	b, err := backend.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func topK(t testing.TB, b *backend.Backend, queries, db *Descriptors, k int) [][]Hit {
	t.Helper()
	hits, err := TopK(t.Context(), b, queries, db, k)
	if err != nil {
		t.Fatal(err)
	}
	return hits
}

// randomDescriptors draws unit vectors with coordinates from a small set, so
// that equal scores occur.
func randomDescriptors(rng *rand.Rand, prefix string, n, dim int) *Descriptors {
	src := table{dim, map[string][]float32{}}
	var names []string
	for i := range n {
		row := make([]float32, dim)
		for j := range row {
			row[j] = float32(rng.IntN(3) - 1)
		}
		row[rng.IntN(dim)] = 2
		name := fmt.Sprintf("%s%05d.jpg", prefix, i)
		names = append(names, name)
		src.rows[name] = row
	}
	d, _, err := Load(context.Background(), src, names, 1)
	if err != nil {
		panic(err)
	}
	return d
}

func TestTopKIsFullSort(t *testing.T) {
	b := openGo(t)
	rapid.Check(t, func(rt *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		dim := rapid.IntRange(1, 40).Draw(rt, "dim")
		queries := randomDescriptors(rng, "q", rapid.IntRange(0, 40).Draw(rt, "queries"), dim)
		db := randomDescriptors(rng, "m", rapid.IntRange(0, 90).Draw(rt, "db"), dim)
		k := rapid.IntRange(0, 100).Draw(rt, "k")
		hits := topK(t, b, queries, db, k)
		all := topK(t, b, queries, db, len(db.Names))
		if len(hits) != len(queries.Names) {
			rt.Fatalf("want %d lists, found %d", len(queries.Names), len(hits))
		}
		for q, found := range hits {
			checkRanking(rt, queries.Row(q), db, all[q])
			if !slices.Equal(found, all[q][:min(k, len(db.Names))]) {
				rt.Fatalf("query %d: the top %d are not the first of all", q, k)
			}
		}
	})
}

// checkRanking compares a ranking of all images with scores summed in float64
// and with its own order: falling scores, names rising where they are equal.
func checkRanking(t *rapid.T, query []float32, db *Descriptors, all []Hit) {
	seen := map[int32]bool{}
	for i, h := range all {
		seen[h.Index] = true
		var exact float64
		for j, v := range db.Row(int(h.Index)) {
			exact += float64(v) * float64(query[j])
		}
		if math.Abs(exact-float64(h.Score)) > 1e-6 {
			t.Fatalf("row %d: want %g, found %g", h.Index, exact, h.Score)
		}
		if i > 0 && (all[i-1].Score < h.Score || all[i-1].Score == h.Score && all[i-1].Index >= h.Index) {
			t.Fatalf("want a falling order, found %v after %v", h, all[i-1])
		}
	}
	if len(seen) != len(db.Names) {
		t.Fatalf("want %d images, found %d", len(db.Names), len(seen))
	}
}

func TestTopKSameBytes(t *testing.T) {
	b := openGo(t)
	rng := rand.New(rand.NewPCG(1, 1))
	queries, db := randomDescriptors(rng, "q", 60, 300), randomDescriptors(rng, "m", 900, 300)
	want := topK(t, b, queries, db, 20)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, procs := range []int{1, 2, 5} {
		runtime.GOMAXPROCS(procs)
		if diff := cmp.Diff(want, topK(t, b, queries, db, 20)); diff != "" {
			t.Errorf("GOMAXPROCS %d: %s", procs, diff)
		}
	}
	for q := range queries.Names {
		one := &Descriptors{Names: queries.Names[q : q+1], Dim: queries.Dim, Data: queries.Row(q)}
		if !slices.Equal(want[q], topK(t, b, one, db, 20)[0]) {
			t.Errorf("query %d gives something else alone", q)
		}
	}
}

func TestTopKDimensions(t *testing.T) {
	q := &Descriptors{Names: []string{"q.jpg"}, Dim: 2, Data: []float32{1, 0}}
	m := &Descriptors{Names: []string{"m.jpg"}, Dim: 1, Data: []float32{1}}
	_, err := TopK(t.Context(), openGo(t), q, m, 1)
	if e, ok := errors.AsType[*kapture.InputError](err); !ok ||
		e.Error() != "q.jpg: want a descriptor of 1 values, as that of map image m.jpg, found 2" {
		t.Errorf("found %v", err)
	}
}

func hit(index int32, score float32) Hit { return Hit{Index: index, Score: score} }

func pair(query, match string, score float64) kapture.Pair {
	return kapture.Pair{Query: query, Map: match, Score: score}
}

func TestPairs(t *testing.T) {
	db := &Descriptors{Names: []string{"a", "b", "c"}}
	queries := &Descriptors{Names: []string{"b", "q"}}
	hits := [][]Hit{{hit(1, 1), hit(0, 0.5), hit(2, 0.25)}, {hit(2, 0.5), hit(1, 0.25), hit(0, 0)}}
	want := kapture.Pairs{pair("b", "a", 0.5), pair("b", "c", 0.25), pair("q", "c", 0.5), pair("q", "b", 0.25)}
	if diff := cmp.Diff(want, Pairs(hits, queries, db, 2)); diff != "" {
		t.Error(diff)
	}
	if got := Pairs(hits, queries, db, 0); got != nil {
		t.Errorf("k 0: found %v", got)
	}
}

// goldenGallery is similarity.json of the reference data.
type goldenGallery struct {
	Query   []string    `json:"query_images"`
	Mapping []string    `json:"mapping_images"`
	Exact   [][]float64 `json:"similarity_float64"`
	Rounded [][]float64 `json:"similarity_float32"`
}

func loadGallery(t *testing.T) (queries, db *Descriptors, g goldenGallery) {
	t.Helper()
	kapturetest.SharedJSON(t, &g, "golden", "virtual_gallery", "similarity.json")
	dir := kapturetest.Shared(t, "data", "virtual_gallery_tutorial", "global_features", "AP-GeM-LM18", "global_features")
	features, err := kapture.OpenFeatures(dir, kapture.GlobalFeatures)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { features.Close() })
	for _, part := range []struct {
		names []string
		d     **Descriptors
	}{{g.Query, &queries}, {g.Mapping, &db}} {
		d, missing, err := Load(t.Context(), features, part.names, 4)
		if err != nil || len(missing) > 0 {
			t.Fatalf("missing %v, error %v", missing, err)
		}
		*part.d = d
	}
	return queries, db, g
}

func TestGoldenSimilarity(t *testing.T) {
	queries, db, g := loadGallery(t)
	for q, hits := range topK(t, openGo(t), queries, db, len(db.Names)) {
		if len(hits) != len(g.Mapping) {
			t.Fatalf("want %d hits, found %d", len(g.Mapping), len(hits))
		}
		for _, h := range hits {
			for _, want := range []float64{g.Exact[q][h.Index], g.Rounded[q][h.Index]} {
				if math.Abs(float64(h.Score)-want) > 1e-6 {
					t.Errorf("query %d, image %d: want %g, found %g", q, h.Index, want, h.Score)
				}
			}
		}
	}
}

func TestGoldenPairs(t *testing.T) {
	queries, db, _ := loadGallery(t)
	for _, c := range []struct {
		file    string
		queries *Descriptors
		k       int
	}{
		{"pairs_query_top5.txt", queries, 5},
		{"pairs_query_top20.txt", queries, 20},
		{"pairs_mapping_top5.txt", db, 5},
		{"pairs_mapping_top20.txt", db, 20},
	} {
		t.Run(c.file, func(t *testing.T) {
			path := kapturetest.Shared(t, "golden", "virtual_gallery", c.file)
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			want, err := kapture.ReadPairs(f, path)
			if err != nil {
				t.Fatal(err)
			}
			got := Pairs(topK(t, openGo(t), c.queries, db, c.k+1), c.queries, db, c.k)
			if len(got) != len(want) {
				t.Fatalf("want %d pairs, found %d", len(want), len(got))
			}
			for i, w := range want {
				if g := got[i]; g.Query != w.Query || g.Map != w.Map || math.Abs(g.Score-w.Score) > 1e-6 {
					t.Errorf("pair %d: want %v, found %v", i, w, g)
				}
			}
		})
	}
}
