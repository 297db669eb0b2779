package train

import (
	"context"

	"golang.org/x/sync/errgroup"

	"locbench/retrieval/backend"
)

// newRows returns a matrix with what a filter reads beyond its end.
func newRows(rows, cols int) backend.Matrix {
	return backend.Matrix{Rows: rows, Cols: cols, Data: make([]float32, rows*cols, (rows+backend.FilterSlack)*cols)}
}

// eachScores calls f for every query with its dot products with all rows, for
// several queries at once, on the embedded backend. rows is of [newRows].
func eachScores(ctx context.Context, queries, rows backend.Matrix, jobs int, f func(q int, scores []float32)) error {
	b, err := backend.Open("go")
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(jobs, 1))
	for from := 0; from < queries.Rows; from += backend.FilterPanel {
		n := min(backend.FilterPanel, queries.Rows-from)
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			part := queries.Data[from*queries.Cols:][:n*queries.Cols]
			filter := b.NewFilter(n, 1, queries.Cols, part, make([]float32, n))
			width := filter.Width()
			out := make([]float32, rows.Rows*width)
			in := rows.Data[:cap(rows.Data)]
			filter.Apply(out, in, &backend.Area{Rows: 1, Cols: rows.Rows, Offsets: []int{0}, InStep: rows.Cols, OutStep: width})
			scores := make([]float32, rows.Rows)
			for q := range n {
				for i := range scores {
					scores[i] = out[i*width+q]
				}
				f(from+q, scores)
			}
			return nil
		})
	}
	return group.Wait()
}
