package backend

import (
	"context"
	"math"
	"math/bits"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

const (
	// blockQueries bounds the queries that are packed and kept in the caches at
	// a time: 1,024 × 2,048 floats are 8 MiB.
	blockQueries = 1024
	// blockKept bounds the hits that one worker keeps for a block of queries
	// (8 bytes each), so that a large k makes the blocks smaller.
	blockKept = 4 << 20
	// chunkRows bounds the database rows that a worker takes at a time: 224 ×
	// 256 floats stay in the second-level cache.
	chunkRows = 224
)

// search is one product with its selection. A chunk of database rows belongs
// to one worker; what a worker writes to belongs to it alone until the merge.
type search struct {
	kernel  kernel
	queries Matrix
	db      Matrix
	k       int
	workers int
}

// run multiplies block of queries after block of queries with the database.
func (s *search) run(ctx context.Context) ([][]Hit, error) {
	hits := make([][]Hit, s.queries.Rows)
	size := max(s.kernel.cols, min(blockQueries, blockKept/s.k)/s.kernel.cols*s.kernel.cols)
	for from := 0; from < s.queries.Rows; from += size {
		to := min(from+size, s.queries.Rows)
		if err := s.block(ctx, from, hits[from:to]); err != nil {
			return nil, err
		}
	}
	return hits, nil
}

// block finds the hits of the queries from, from+1, ….
func (s *search) block(ctx context.Context, from int, hits [][]Hit) error {
	packed := s.pack(from, len(hits))
	var workers []*worker
	err := s.chunks(ctx, func() func(at, rows int) {
		w := newWorker(s, packed, len(hits))
		workers = append(workers, w)
		return w.chunk
	})
	if err != nil {
		return err
	}
	for q := range hits {
		kept := &workers[0].kept[q]
		for _, w := range workers[1:] {
			for _, h := range w.kept[q].heap {
				kept.push(h)
			}
		}
		hits[q] = kept.sorted()
	}
	return nil
}

// chunks goes through the database in chunks of rows, each worker taking the next
// one that is left. start makes a worker and returns what it does with a chunk.
func (s *search) chunks(ctx context.Context, start func() func(at, rows int)) error {
	rows := s.chunk()
	var next atomic.Int64
	var group errgroup.Group
	for range min(s.workers, (s.db.Rows+rows-1)/rows) {
		do := start()
		group.Go(func() error {
			for {
				at := int(next.Add(1)-1) * rows
				if at >= s.db.Rows {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				do(at, min(rows, s.db.Rows-at))
			}
		})
	}
	return group.Wait()
}

// chunk returns how many rows a worker takes at a time: whole tiles, and few
// enough rows that a small database still occupies every worker.
func (s *search) chunk() int {
	share := (s.db.Rows + 4*s.workers - 1) / (4 * s.workers)
	tiles := (min(share, chunkRows) + s.kernel.rows - 1) / s.kernel.rows
	return min(tiles, chunkRows/s.kernel.rows) * s.kernel.rows
}

// pack lays n queries out as the kernel reads them: panels of cols queries,
// within a panel feature after feature. The last panel is filled up with zeros.
func (s *search) pack(from, n int) []float32 {
	cols, dim := s.kernel.cols, s.queries.Cols
	panels := (n + cols - 1) / cols
	packed := make([]float32, panels*cols*dim)
	var group sync.WaitGroup
	var next atomic.Int64
	for range min(s.workers, panels) {
		group.Go(func() {
			for {
				p := int(next.Add(1) - 1)
				if p >= panels {
					return
				}
				panel := packed[p*cols*dim:][:cols*dim]
				for j := range min(cols, n-p*cols) {
					row := s.queries.Data[(from+p*cols+j)*dim:][:dim]
					for f, v := range row {
						panel[f*cols+j] = v
					}
				}
			}
		})
	}
	group.Wait()
	return packed
}

// worker multiplies chunks of the database with a block of packed queries.
type worker struct {
	*search
	packed []float32
	kept   []best    // by query
	limit  []float32 // by query: scores at or below it are not kept; +Inf beyond the last query
	rows   []float32 // one chunk of the database, depth features of it
	scores []float32 // tile after tile
	masks  [maxRows]uint32
}

func newWorker(s *search, packed []float32, queries int) *worker {
	cols := s.kernel.cols
	panels := (queries + cols - 1) / cols
	w := &worker{search: s, packed: packed}
	w.kept = make([]best, queries)
	w.limit = make([]float32, panels*cols)
	for q := range w.limit {
		w.limit[q] = float32(math.Inf(1))
	}
	heaps := make([]Hit, queries*s.k)
	for q := range w.kept {
		w.kept[q] = best{k: s.k, heap: heaps[q*s.k : q*s.k : (q+1)*s.k]}
		w.limit[q] = float32(math.Inf(-1))
	}
	rows := s.chunk()
	w.rows = make([]float32, rows*depth)
	tiles := 1
	if s.db.Cols > depth {
		tiles = panels * rows / s.kernel.rows
	}
	w.scores = make([]float32, tiles*s.kernel.rows*cols)
	return w
}

// chunk multiplies n rows of the database, from row at on, with every query
// and keeps the best.
func (w *worker) chunk(at, n int) {
	dim := w.db.Cols
	for from := 0; from < dim; from += depth {
		k := min(depth, dim-from)
		for i := range n {
			copy(w.rows[i*depth:][:k], w.db.Data[(at+i)*dim+from:])
		}
		w.features(from, k, at, n)
	}
}

// features adds the products of k features, from feature from on, and looks at
// the scores once the last are added.
func (w *worker) features(from, k, at, n int) {
	rows, cols, dim := w.kernel.rows, w.kernel.cols, w.db.Cols
	tile := rows * cols
	next := 0
	for q := 0; q < len(w.kept); q += cols {
		panel := w.packed[q*dim+from*cols:]
		for i := 0; i < n; i += rows {
			scores := w.scores[next : next+tile]
			w.kernel.tile(k, &w.rows[i*depth], &panel[0], &scores[0], from == 0)
			if from+k == dim {
				w.look(scores, q, at+i, min(rows, n-i))
			}
			if dim > depth {
				next += tile
			}
		}
	}
}

// look keeps the good scores of a tile: n database rows from row at on by the
// queries from query q on. Most tiles have none.
func (w *worker) look(scores []float32, q, at, n int) {
	if w.kernel.above(&scores[0], &w.limit[q], &w.masks[0]) == 0 {
		return
	}
	for i, m := range w.masks[:n] {
		for ; m != 0; m &= m - 1 {
			j := bits.TrailingZeros32(m)
			kept := &w.kept[q+j]
			kept.push(Hit{Index: int32(at + i), Score: scores[i*w.kernel.cols+j]})
			if kept.full() {
				w.limit[q+j] = kept.worst().Score
			}
		}
	}
}
