package landmarks

import (
	"cmp"
	"context"
	"slices"

	"locbench/retrieval"
	"locbench/retrieval/backend"
)

// expandQueries replaces the queries by their expansions over the database and
// the distractors.
func (r *ranker) expandQueries(ctx context.Context) error {
	e := r.QueryExpansion
	if e.K == 0 {
		return nil
	}
	hits, err := r.backend.TopK(ctx, r.queries, r.db, e.Candidates())
	if err != nil {
		return err
	}
	perWorker := make([][][]backend.Hit, r.backend.Jobs)
	for w := range perWorker {
		perWorker[w] = make([][]backend.Hit, len(hits))
	}
	one, err := backend.Open("go")
	if err != nil {
		return err
	}
	one.Jobs = 1 // the workers of the stream are enough
	err = r.stream(ctx, func(w int, b block, m backend.Matrix) error {
		found, err := one.TopK(ctx, r.queries, m, e.Candidates())
		for q := range found {
			for i := range found[q] {
				found[q][i].Index += int32(b.at)
			}
			perWorker[w][q] = best(append(perWorker[w][q], found[q]...), e.Candidates())
		}
		return err
	})
	if err != nil {
		return err
	}
	for q := range hits {
		for w := range perWorker {
			hits[q] = append(hits[q], perWorker[w][q]...)
		}
		if err := r.expandQuery(q, best(hits[q], e.Candidates())); err != nil {
			return err
		}
	}
	return nil
}

// best returns the first k hits.
func best(hits []backend.Hit, k int) []backend.Hit {
	slices.SortFunc(hits, func(a, b backend.Hit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Index, b.Index))
	})
	return hits[:min(k, len(hits))]
}

func (r *ranker) expandQuery(q int, hits []backend.Hit) error {
	row := make([]float64, r.queries.Cols)
	values := r.queries.Data[q*len(row):][:len(row)]
	widen(row, values)
	if err := r.QueryExpansion.Row(row, retrieval.NoSelf, hits, r.fetch); err != nil {
		return err
	}
	for i, v := range row {
		values[i] = float32(v)
	}
	return nil
}

// fetch puts the descriptor of an image or of a distractor behind them into dst.
func (r *ranker) fetch(i int32, dst []float64) error {
	at := int(i)
	if at < r.db.Rows {
		widen(dst, r.db.Data[at*r.db.Cols:][:r.db.Cols])
		return nil
	}
	at -= r.db.Rows
	for _, rows := range r.Distractors {
		if at >= rows.Len() {
			at -= rows.Len()
			continue
		}
		m, err := rows.Read(at, 1)
		if err != nil {
			return err
		}
		widen(dst, m.Data)
		break
	}
	return nil
}

func widen(dst []float64, src []float32) {
	for i, v := range src {
		dst[i] = float64(v)
	}
}
