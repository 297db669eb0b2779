package retrieval

import (
	"context"
	"fmt"

	"locbench/kapture"
	"locbench/retrieval/backend"
)

// Hit is a map image found for a query: its row and its cosine.
type Hit = backend.Hit

// TopK returns, for each query, the k images of db with the largest cosines,
// best first and by name where they are equal; all images if there are fewer.
// The search is exact, and its result does not depend on the number of workers
// nor on the other queries. Descriptors of different lengths are a
// [kapture.InputError].
func TopK(ctx context.Context, b *backend.Backend, queries, db *Descriptors, k int) ([][]Hit, error) {
	if queries.Dim != db.Dim && len(queries.Names) > 0 && len(db.Names) > 0 {
		return nil, &kapture.InputError{Path: queries.Names[0], Msg: fmt.Sprintf(
			"want a descriptor of %d values, as that of map image %s, found %d", db.Dim, db.Names[0], queries.Dim)}
	}
	hits, err := b.TopK(ctx, queries.matrix(), db.matrix(), k)
	if err != nil {
		return nil, fmt.Errorf("search the top %d of %d images: %w", k, len(db.Names), err)
	}
	return hits, nil
}

func (d *Descriptors) matrix() backend.Matrix {
	return backend.Matrix{Rows: len(d.Names), Cols: d.Dim, Data: d.Data}
}
