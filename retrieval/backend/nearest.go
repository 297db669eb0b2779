package backend

import (
	"context"
	"math"
	"math/bits"
	"runtime"
)

// Nearest is what one row of a matrix found in another matrix.
type Nearest struct {
	Index  int32   // the row with the largest product, the lowest at equal products; -1: none
	Score  float32 // that product; −Inf if there is none
	Second float32 // the second largest product, of another row; −Inf if there is none
}

// push takes a product into account. Rows come in ascending order.
func (n *Nearest) push(index int32, score float32) {
	switch {
	case score > n.Score:
		n.Index, n.Score, n.Second = index, score, n.Score
	case score > n.Second:
		n.Second = score
	}
}

// merge takes over what was found in other rows.
func (n *Nearest) merge(m Nearest) {
	if m.Score > n.Score || m.Score == n.Score && m.Index < n.Index {
		m.Second = max(m.Second, n.Score)
		*n = m
		return
	}
	n.Second = max(n.Second, m.Score)
}

func nothingNear(n int) []Nearest {
	out := make([]Nearest, n)
	for i := range out {
		out[i] = Nearest{Index: -1, Score: float32(math.Inf(-1)), Second: float32(math.Inf(-1))}
	}
	return out
}

// NearestBoth returns for every row of a the row of c with the largest dot
// product, and for every row of c that of a: the search that mutual nearest
// neighbours are made of. A NaN is never found. Each product is computed once
// and none is kept: beyond the matrices and the results, the embedded backend
// needs at most 1,024 packed rows of c and a few hundred KiB a worker. Order and
// rounding of sums are those of [Backend.TopK].
//
// It panics if the shapes do not fit; the only errors are the context's and
// those of an XLA device.
func (b *Backend) NearestBoth(ctx context.Context, a, c Matrix) (ofA, ofC []Nearest, err error) {
	for _, m := range []Matrix{a, c} {
		if len(m.Data) != m.Rows*m.Cols {
			panic("backend: matrix data does not fit its shape")
		}
	}
	ofA, ofC = nothingNear(a.Rows), nothingNear(c.Rows)
	if a.Rows == 0 || c.Rows == 0 || a.Cols == 0 {
		return ofA, ofC, ctx.Err()
	}
	if a.Cols != c.Cols {
		panic("backend: matrices with different columns")
	}
	if b.device != nil {
		return ofA, ofC, b.graphNearest(ctx, a, c, ofA, ofC)
	}
	workers := b.Jobs
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	s := &search{kernel: b.kernel, queries: c, db: a, k: 1, workers: workers}
	size := blockQueries / b.kernel.cols * b.kernel.cols
	for from := 0; from < c.Rows; from += size {
		if err := s.nearest(ctx, from, ofA, ofC[from:min(from+size, c.Rows)]); err != nil {
			return nil, nil, err
		}
	}
	return ofA, ofC, nil
}

// nearest multiplies the block of queries that begins at row from with the
// whole database. ofRow goes on from block to block; ofCol is the block's.
func (s *search) nearest(ctx context.Context, from int, ofRow, ofCol []Nearest) error {
	packed := s.pack(from, len(ofCol))
	var workers []*nearestWorker
	err := s.chunks(ctx, func() func(at, rows int) {
		w := newNearestWorker(s, from, packed, len(ofCol))
		workers = append(workers, w)
		return func(at, rows int) { w.chunk(at, ofRow[at:at+rows]) }
	})
	if err != nil {
		return err
	}
	for q := range ofCol {
		for _, w := range workers {
			ofCol[q].merge(w.ofCol[q])
		}
	}
	return nil
}

// nearestWorker multiplies chunks of the database with a block of queries.
type nearestWorker struct {
	*search
	first    int // query of the block
	at       int // first row of the chunk
	packed   []float32
	ofCol    []Nearest
	colLimit []float32 // by query: the second best product; +Inf beyond the last query
	rowLimit []float32 // by row of the chunk; +Inf beyond its last row
	rows     []float32
	scores   []float32
	masks    [maxRows]uint32
}

func newNearestWorker(s *search, first int, packed []float32, queries int) *nearestWorker {
	w := &nearestWorker{search: s, first: first, packed: packed, ofCol: nothingNear(queries)}
	panels := (queries + s.kernel.cols - 1) / s.kernel.cols
	w.colLimit = make([]float32, panels*s.kernel.cols)
	for q := range w.colLimit {
		w.colLimit[q] = float32(math.Inf(1))
	}
	for q := range w.ofCol {
		w.colLimit[q] = float32(math.Inf(-1))
	}
	rows := s.chunk()
	w.rowLimit = make([]float32, rows)
	w.rows = make([]float32, rows*depth)
	tiles := 1
	if s.db.Cols > depth {
		tiles = panels * rows / s.kernel.rows
	}
	w.scores = make([]float32, tiles*s.kernel.rows*s.kernel.cols)
	return w
}

// chunk multiplies rows of the database, from row at on, with every query of
// the block.
func (w *nearestWorker) chunk(at int, ofRow []Nearest) {
	w.at = at
	for i := range w.rowLimit {
		w.rowLimit[i] = float32(math.Inf(1))
	}
	for i, n := range ofRow {
		w.rowLimit[i] = n.Second
	}
	dim := w.db.Cols
	for from := 0; from < dim; from += depth {
		k := min(depth, dim-from)
		for i := range ofRow {
			copy(w.rows[i*depth:][:k], w.db.Data[(at+i)*dim+from:])
		}
		w.features(from, k, ofRow)
	}
}

// features adds the products of k features, from feature from on, and looks at
// the scores once the last are added.
func (w *nearestWorker) features(from, k int, ofRow []Nearest) {
	rows, cols, dim := w.kernel.rows, w.kernel.cols, w.db.Cols
	tile := rows * cols
	next := 0
	for q := 0; q < len(w.ofCol); q += cols {
		panel := w.packed[q*dim+from*cols:]
		for i := 0; i < len(ofRow); i += rows {
			scores := w.scores[next : next+tile]
			w.kernel.tile(k, &w.rows[i*depth], &panel[0], &scores[0], from == 0)
			if from+k == dim && w.kernel.beyond(&scores[0], &w.colLimit[q], &w.rowLimit[i], &w.masks[0]) != 0 {
				w.look(scores, q, i, ofRow[i:min(i+rows, len(ofRow))])
			}
			if dim > depth {
				next += tile
			}
		}
	}
}

// look keeps the good scores of a tile: the chunk's rows from row on by the
// queries from query q of the block on.
func (w *nearestWorker) look(scores []float32, q, row int, ofRow []Nearest) {
	for i := range ofRow {
		r := &ofRow[i]
		for m := w.masks[i]; m != 0; m &= m - 1 {
			j := bits.TrailingZeros32(m)
			if q+j >= len(w.ofCol) {
				break
			}
			score := scores[i*w.kernel.cols+j]
			r.push(int32(w.first+q+j), score)
			c := &w.ofCol[q+j]
			c.push(int32(w.at+row+i), score)
			w.colLimit[q+j] = c.Second
		}
		w.rowLimit[row+i] = r.Second
	}
}
