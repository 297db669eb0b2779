package landmarks_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"locbench/retrieval"
	"locbench/retrieval/landmarks"
	"locbench/retrieval/npy"
)

// brute ranks all scores and looks the graded images up.
func brute[T npy.Real](graded []int, scores []T) []landmarks.Place {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return scores[order[a]] > scores[order[b]] })
	places := []landmarks.Place{}
	for rank, image := range order {
		if !slices.Contains(graded, image) {
			continue
		}
		atLeast := 0
		for _, s := range scores {
			if s >= scores[image] {
				atLeast++
			}
		}
		places = append(places, landmarks.Place{Image: image, Rank: rank, AtLeast: atLeast})
	}
	return places
}

// TestPlaces compares the counting with a sort, on scores with many ties.
func TestPlaces(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		scores := rapid.SliceOfN(rapid.Float64Range(0, 3), 3, 40).Draw(rt, "scores")
		graded := []int{}
		for i := range scores {
			scores[i] = math.Floor(scores[i])
			if rapid.IntRange(0, 2).Draw(rt, "graded") == 0 {
				graded = append(graded, i)
			}
		}
		d := &landmarks.Dataset{Images: make([]string, len(scores)), Queries: []landmarks.Query{{Images: map[landmarks.Grade][]int{landmarks.OK: graded}}}}
		got, err := d.FromScores(context.Background(), matrix(t, 1, len(scores), scores))
		if diff := cmp.Diff(brute(graded, scores), got[0]); diff != "" || err != nil {
			rt.Fatalf("%v: %s", err, diff)
		}
	})
}

// TestRanksAreScores: a ranking gives the same places as the scores it is of.
func TestRanksAreScores(t *testing.T) {
	d := golden(t, "roxford5k")
	n, queries := len(d.Images), len(d.Queries)
	scores := gaussian(n*queries, 7)
	ranks := make([]float64, n*queries)
	for q := range queries {
		order := make([]int, n)
		for i := range order {
			order[i] = i
		}
		sort.SliceStable(order, func(a, b int) bool { return scores[q*n+order[a]] > scores[q*n+order[b]] })
		for r, image := range order {
			ranks[r*queries+q] = float64(image)
		}
	}
	want, err := d.FromScores(context.Background(), matrix(t, queries, n, scores))
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.FromRanks(context.Background(), matrix(t, n, queries, ranks))
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v: %s", err, diff)
	}
}

func TestPick(t *testing.T) {
	d := toy(t)
	places, err := d.FromScores(context.Background(), matrix(t, 2, 5, []float32{5, 4, 5, 1, 9, 0, 0, 0, 0, 0}))
	if err != nil {
		t.Fatal(err)
	}
	ranks, atLeast := d.Queries[0].Pick(places[0], landmarks.Easy, landmarks.Hard)
	if fmt.Sprint(ranks, atLeast) != "[1 3 4] [3 4 5]" {
		t.Errorf("found %v, %v", ranks, atLeast)
	}
}

// search makes a search of the toy set: the database and the distractors are
// rows of x, in this order.
func search(t *testing.T, x, queries []float32, dim int, cuts ...int) landmarks.Search {
	t.Helper()
	s := landmarks.Search{Queries: &landmarks.Rows{File: matrix(t, len(queries)/dim, dim, queries)}}
	from := 0
	for i, to := range append(cuts, len(x)/dim) {
		rows := &landmarks.Rows{File: matrix(t, to-from, dim, x[from*dim:to*dim])}
		if i == 0 {
			s.Database = rows
		} else {
			s.Distractors = append(s.Distractors, rows)
		}
		from = to
	}
	return s
}

// whitener learns from n descriptors, and keeps 11 dimensions.
func whitener(t *testing.T, x []float32, n, dim int) *retrieval.Whitener {
	t.Helper()
	pca, err := retrieval.LearnPCA(context.Background(), n, dim, func(from int, dst []float64) error {
		for i := range dst {
			dst[i] = float64(x[from*dim+i])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w, err := pca.Whitener(retrieval.Whitening{Dim: 11, Power: 0.25, Mult: 1})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestDistractors: distractors in files of their own rank as images that the
// ground truth does not name, with and without whitening and expansion,
// whatever the number of workers.
func TestDistractors(t *testing.T) {
	const n, dim = 5000, 16
	x, queries := gaussian(n*dim, 1), gaussian(2*dim, 2)
	copy(x[4000*dim:], x[:3*dim]) // ties with images of the database
	d := toy(t)
	all := *d
	all.Images = make([]string, n)
	whiten := whitener(t, x, n, dim)
	for name, change := range map[string]func(*landmarks.Search){
		"plain":     func(*landmarks.Search) {},
		"expansion": func(s *landmarks.Search) { s.QueryExpansion = retrieval.Expansion{K: 3, Alpha: 2} },
		"whitening": func(s *landmarks.Search) {
			s.QueryExpansion = retrieval.Expansion{K: 3, Alpha: 2}
			for _, rows := range append(s.Distractors, s.Database, s.Queries) {
				rows.Whiten = whiten
			}
		},
	} {
		together := search(t, x, queries, dim)
		change(&together)
		want, err := all.FromDescriptors(context.Background(), together)
		if err != nil {
			t.Fatal(err)
		}
		for _, jobs := range []int{1, 3} {
			apart := search(t, x, queries, dim, 5, 5, 3500)
			change(&apart)
			done := 0
			apart.Jobs = jobs
			if jobs == 1 {
				apart.Progress = func(rows int) { done += rows }
			}
			got, err := d.FromDescriptors(context.Background(), apart)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%s, %d workers: %v: %s", name, jobs, err, diff)
			}
			if passes := (n - 5) * (1 + min(1, apart.QueryExpansion.K)); jobs == 1 && done != passes {
				t.Errorf("%s: told of %d rows, want %d", name, done, passes)
			}
		}
	}
}

// TestDatabaseExpansion changes the places; the database alone is expanded.
func TestDatabaseExpansion(t *testing.T) {
	d := toy(t)
	s := search(t, []float32{1, 0, 0.6, 0.8, 0, 1, -1, 0, 0.8, -0.6}, []float32{1, 0, 0, 1}, 2)
	s.DatabaseExpansion = retrieval.Expansion{K: 1, Alpha: 1}
	got, err := d.FromDescriptors(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	// a + 0.8 e, b + 0.8 c, c + 0.8 b, d + 0 d, e + 0.8 a: cosines with p of 0.96, 0.32, 0.26, -1, 0.94
	if want := []landmarks.Place{{0, 0, 1}, {4, 1, 2}, {1, 2, 3}, {3, 4, 5}}; !slices.Equal(got[0], want) {
		t.Errorf("want %v, found %v", want, got[0])
	}
}

func TestSelectedRows(t *testing.T) {
	f := matrix(t, 4, 2, []float32{1, 2, 3, 4, 5, 6, float32(math.NaN()), 8})
	rows := &landmarks.Rows{File: f, Select: []int{2, 0}}
	m, err := rows.Read(0, 2)
	if err != nil || rows.Len() != 2 || !slices.Equal(m.Data, []float32{5, 6, 1, 2}) {
		t.Errorf("found %v, %v", m, err)
	}
	for _, bad := range []*landmarks.Rows{{File: f}, {File: f, Select: []int{0, 1, 0, 3}}} {
		_, err := bad.Read(0, 4)
		wantError(t, err, "m.npy: row 3, column 0: want a finite value, found NaN")
	}
}

func TestBadRankings(t *testing.T) {
	d := toy(t)
	ctx := context.Background()
	nan := []float64{0, 0, 0, 0, 0, 0, math.NaN(), 0, 0, 0}
	good := []float64{0, 4, 1, 3, 2, 2, 3, 1, 4, 0}
	change := func(at int, v float64) *npy.File {
		ranks := slices.Clone(good)
		ranks[at] = v
		return matrix(t, 5, 2, ranks)
	}
	for name, c := range map[string]struct {
		from func(context.Context, *npy.File) ([][]landmarks.Place, error)
		file *npy.File
		want string
	}{
		"scores turned":  {d.FromScores, matrix(t, 5, 2, nan), "want scores of 2 × 5 for the 2 queries and 5 images of roxford5k, found the shape [5 2]"},
		"NaN":            {d.FromScores, matrix(t, 2, 5, nan), "m.npy: row 1, column 1: want a score, found NaN"},
		"ranks turned":   {d.FromRanks, matrix(t, 2, 5, good), "want ranks of 5 × 2 (database × queries)"},
		"ranks repeated": {d.FromRanks, change(6, 1), "row 3, column 0: want each image once, found image 1 as in row 1"},
		"ranks from 1":   {d.FromRanks, change(1, 5), "row 0, column 1: want an image from 0 to 4, found 5"},
		"ranks of parts": {d.FromRanks, change(1, 0.5), "found 0.5"},
		"ranks negative": {d.FromRanks, change(1, -1), "found -1"},
		"ranks NaN":      {d.FromRanks, change(1, math.NaN()), "found NaN"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.from(ctx, c.file)
			wantError(t, err, c.want)
		})
	}
	if _, err := d.FromRanks(ctx, matrix(t, 5, 2, good)); err != nil {
		t.Error(err)
	}
}

func TestBadDescriptors(t *testing.T) {
	d := toy(t)
	ctx := context.Background()
	good := func() landmarks.Search { return search(t, gaussian(8*3, 1), gaussian(2*3, 2), 3, 5) }
	for name, c := range map[string]struct {
		change func(*landmarks.Search)
		want   []string
	}{
		"queries":     {func(s *landmarks.Search) { s.Queries.File = matrix(t, 3, 3, make([]float32, 9)) }, []string{"want the descriptors of 2 queries, a row each,", "found the shape [3 3]"}},
		"database":    {func(s *landmarks.Search) { s.Database.File = matrix(t, 3, 3, make([]float32, 9)) }, []string{"want the descriptors of 5 images", "found the shape [3 3]"}},
		"lengths":     {func(s *landmarks.Search) { s.Database.File = matrix(t, 5, 4, make([]float32, 20)) }, []string{"want descriptors of 3 values as in ", "of the shape [2 3], found the shape [5 4]"}},
		"distractors": {func(s *landmarks.Search) { s.Distractors[0].File = matrix(t, 1, 4, make([]float32, 4)) }, []string{"of the shape [2 3], found the shape [1 4]"}},
		"not finite": {func(s *landmarks.Search) {
			s.Distractors[0].File = matrix(t, 1, 3, []float32{1, 2, float32(math.Inf(1))})
		}, []string{"row 0, column 2: want a finite value, found +Inf"}},
		"too long": {func(s *landmarks.Search) {
			const dim = 512
			half := slices.Repeat([]float32{3e38}, dim/2)
			*s = search(t, slices.Repeat(slices.Repeat(half, 2), 5), slices.Repeat(half, 4), dim)
		}, []string{"m.npy: want descriptors whose products are finite"}},
		"whitening": {func(s *landmarks.Search) {
			w, err := (&retrieval.PCA{Mean: make([]float64, 7), Components: make([]float64, 7), Variance: []float64{1}}).Whitener(retrieval.Whitening{Mult: 1})
			if err != nil {
				t.Fatal(err)
			}
			s.Database.Whiten = w
		}, []string{"want descriptors of 7 values for the whitening, found the shape [5 3]"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := good()
			c.change(&s)
			_, err := d.FromDescriptors(ctx, s)
			wantError(t, err, c.want...)
		})
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := d.FromDescriptors(cancelled, good()); err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("found %v", err)
	}
}

// BenchmarkDistractors streams 70 queries past distractors of 2048 values.
func BenchmarkDistractors(b *testing.B) {
	const rows, dim, queries = 16384, 2048, 70
	file := matrix(b, rows, dim, gaussian(rows*dim, 1))
	d := &landmarks.Dataset{Images: make([]string, 100)}
	for range queries {
		d.Queries = append(d.Queries, landmarks.Query{Images: map[landmarks.Grade][]int{landmarks.OK: {1, 5, 40, 70, 99}}})
	}
	s := landmarks.Search{
		Queries:     &landmarks.Rows{File: matrix(b, queries, dim, gaussian(queries*dim, 2))},
		Database:    &landmarks.Rows{File: matrix(b, 100, dim, gaussian(100*dim, 3))},
		Distractors: []*landmarks.Rows{{File: file}},
	}
	b.SetBytes(4 * rows * dim)
	for b.Loop() {
		if _, err := d.FromDescriptors(context.Background(), s); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*rows/b.Elapsed().Seconds(), "distractors/s")
}
