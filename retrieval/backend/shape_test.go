package backend

import (
	"context"
	"testing"
)

// TestShapesThatDoNotFit wants each mistake of a caller to panic.
func TestShapesThatDoNotFit(t *testing.T) {
	for name, m := range map[string][2]Matrix{
		"too few numbers":   {{Rows: 1, Cols: 2, Data: []float32{1}}, {Rows: 1, Cols: 2, Data: []float32{1, 2}}},
		"too many numbers":  {{Rows: 1, Cols: 2, Data: []float32{1, 2}}, {Rows: 1, Cols: 2, Data: []float32{1, 2, 3}}},
		"different columns": {{Rows: 1, Cols: 2, Data: []float32{1, 2}}, {Rows: 1, Cols: 1, Data: []float32{1}}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("want a panic")
				}
			}()
			_, _ = embedded().TopK(context.Background(), m[0], m[1], 1)
		})
	}
}

// TestNothingToFind has no columns, no rows or no hits to give.
func TestNothingToFind(t *testing.T) {
	full := Matrix{Rows: 2, Cols: 1, Data: []float32{1, 2}}
	for name, c := range map[string]struct {
		queries, db Matrix
		k           int
	}{
		"no rows": {full, Matrix{}, 3}, "no queries": {Matrix{}, full, 3}, "k of 0": {full, full, 0}, "k below 0": {full, full, -1},
		"no columns": {Matrix{Rows: 2}, Matrix{Rows: 2}, 1},
	} {
		hits := topK(t, embedded(), c.queries, c.db, c.k)
		if len(hits) != c.queries.Rows {
			t.Errorf("%s: want an entry for each of %d queries, found %v", name, c.queries.Rows, hits)
		}
		for _, h := range hits {
			if len(h) != 0 {
				t.Errorf("%s: want no hit, found %v", name, h)
			}
		}
	}
}
