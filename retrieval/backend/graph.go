package backend

import (
	"context"
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// The largest blocks that go to a device at a time: 1,024 × 8,192 scores are
// 32 MiB. XLA compiles once for every shape, so the last block is filled up.
const (
	graphQueries = 1024
	graphRows    = 8192
)

// graphSearch is a product with its selection on a device, block by block. The
// device returns the best of each block, and they are merged here.
type graphSearch struct {
	backend *Backend
	exec    *graph.Exec
	rows    int // of a block of the database
	block   int // of queries
	kept    []best
}

// graphTopK is [Backend.TopK] as a GoMLX graph; 1 ≤ k ≤ db.Rows.
func (b *Backend) graphTopK(ctx context.Context, queries, db Matrix, k int) ([][]Hit, error) {
	s := &graphSearch{
		backend: b,
		rows:    min(db.Rows, graphRows), block: min(queries.Rows, graphQueries),
		kept: make([]best, queries.Rows),
	}
	for i := range s.kept {
		s.kept[i].k = k
	}
	exec, err := graph.NewExec(b.device, blockGraph(min(k, s.rows)))
	if err != nil {
		return nil, fmt.Errorf("prepare product: %w", err)
	}
	defer exec.Finalize()
	s.exec = exec
	if err := s.run(ctx, queries, db); err != nil {
		return nil, fmt.Errorf("multiply on %s: %w", b.device.Name(), err)
	}
	hits := make([][]Hit, len(s.kept))
	for i := range hits {
		hits[i] = s.kept[i].sorted()
	}
	return hits, nil
}

// blockGraph multiplies a block of queries with a block of the database whose
// first n rows are real, and returns the k best scores of each query and their
// rows.
func blockGraph(k int) func(queries, db, n *graph.Node) (scores, rows *graph.Node) {
	return func(queries, db, n *graph.Node) (*graph.Node, *graph.Node) {
		scores := graph.Dot(queries, db).General([]int{1}, nil, []int{1}, nil) // [queries, db rows]
		g := scores.Graph()
		index := graph.Iota(g, shapes.Make(dtypes.Int32, scores.Shape().Dimensions...), 1)
		out := graph.BroadcastToShape(graph.Scalar(g, dtypes.Float32, math.Inf(-1)), scores.Shape())
		real := graph.LessThan(index, graph.BroadcastToShape(n, index.Shape()))
		return graph.TopK(graph.Where(real, scores, out), k, 1)
	}
}

// run uploads each block once: all queries first, then the database.
func (s *graphSearch) run(ctx context.Context, queries, db Matrix) error {
	var blocks []*tensors.Tensor
	defer func() {
		for _, t := range blocks {
			t.FinalizeAll()
		}
	}()
	for from := 0; from < queries.Rows; from += s.block {
		t, err := s.backend.uploadRows(queries, from, s.block)
		if err != nil {
			return err
		}
		blocks = append(blocks, t)
	}
	for from := 0; from < db.Rows; from += s.rows {
		t, err := s.backend.uploadRows(db, from, s.rows)
		if err != nil {
			return err
		}
		for i, q := range blocks {
			if err = ctx.Err(); err == nil {
				err = s.multiply(q, t, i*s.block, from, min(s.rows, db.Rows-from))
			}
			if err != nil {
				break
			}
		}
		t.FinalizeAll()
		if err != nil {
			return err
		}
	}
	return nil
}

// multiply merges the best of one block: queries from query on, database rows
// from row on, n of them real.
func (s *graphSearch) multiply(queries, db *tensors.Tensor, query, row, n int) error {
	out, err := s.exec.Call(queries, db, int32(n))
	if err != nil {
		return err
	}
	defer func() {
		for _, t := range out {
			t.FinalizeAll()
		}
	}()
	scores, err := tensors.CopyFlatData[float32](out[0])
	if err != nil {
		return err
	}
	rows, err := tensors.CopyFlatData[int32](out[1])
	if err != nil {
		return err
	}
	k := out[0].Shape().Dimensions[1]
	for i, score := range scores {
		q := query + i/k
		if q < len(s.kept) && int(rows[i]) < n && score == score {
			s.kept[q].push(Hit{Index: int32(row) + rows[i], Score: score})
		}
	}
	return nil
}
