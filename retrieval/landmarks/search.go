package landmarks

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"locbench/kapture"
	"locbench/retrieval"
	"locbench/retrieval/backend"
)

// Search ranks a database by the dot products of descriptors.
type Search struct {
	Queries, Database *Rows
	Distractors       []*Rows             // read from the disk in blocks
	QueryExpansion    retrieval.Expansion // αQE, over database and distractors
	DatabaseExpansion retrieval.Expansion // DBA, of the database alone
	Jobs              int                 // workers; 0 stands for GOMAXPROCS. Results do not depend on it
	Progress          func(rows int)      // told of distractors that are done; may be nil
}

const (
	// blockRows is how many descriptors a worker has in hand at a time: 16 MiB
	// of 2048 values.
	blockRows = 2048
	// maxScores and maxQueries bound the scores of queries and database that
	// are held, and the queries whose scores with a block are.
	maxScores  = 8 << 20
	maxQueries = 512
)

// FromDescriptors returns the places of each query's graded images. Of the
// database's n descriptors, n × dim float32 are held (twice with DBA), of the
// distractors one block a worker.
func (d *Dataset) FromDescriptors(ctx context.Context, s Search) ([][]Place, error) {
	if err := d.checkShapes(s); err != nil {
		return nil, err
	}
	b, err := backend.Open("go")
	if err != nil {
		return nil, err
	}
	if b.Jobs = s.Jobs; b.Jobs <= 0 {
		b.Jobs = runtime.GOMAXPROCS(0)
	}
	r := &ranker{Search: s, dataset: d, backend: b}
	if r.queries, err = s.Queries.Read(0, s.Queries.Len()); err != nil {
		return nil, err
	}
	if r.db, err = s.Database.Read(0, s.Database.Len()); err != nil {
		return nil, err
	}
	if r.db, err = retrieval.ExpandDatabase(ctx, b, r.db, s.DatabaseExpansion); err != nil {
		return nil, err
	}
	if err := r.expandQueries(ctx); err != nil {
		return nil, err
	}
	return r.places(ctx)
}

// checkShapes holds all descriptors against the data set and each other.
func (d *Dataset) checkShapes(s Search) error {
	var bad []error
	for _, c := range []struct {
		rows *Rows
		want int
		what string
	}{{s.Queries, len(d.Queries), "queries"}, {s.Database, len(d.Images), "images"}} {
		if c.rows.Len() != c.want {
			bad = append(bad, d.shapeError(c.rows.File, fmt.Sprintf("the descriptors of %d %s, a row each,", c.want, c.what)))
		}
	}
	for _, rows := range append([]*Rows{s.Queries, s.Database}, s.Distractors...) {
		bad = append(bad, rows.check())
		if q := s.Queries; rows.File.Cols() != q.File.Cols() {
			bad = append(bad, &kapture.InputError{Path: rows.File.Path(), Msg: fmt.Sprintf("want descriptors of %d values as in %s of the shape %v, found the shape %v",
				q.File.Cols(), q.File.Path(), q.File.Shape(), rows.File.Shape())})
		}
	}
	return kapture.FirstTen(bad)
}

// ranker is a search at work.
type ranker struct {
	Search
	dataset     *Dataset
	backend     *backend.Backend
	queries, db backend.Matrix
}

// places ranks blocks of queries, so few that their scores can be held.
func (r *ranker) places(ctx context.Context) ([][]Place, error) {
	places := make([][]Place, r.queries.Rows)
	size := min(maxQueries, max(1, maxScores/r.db.Rows))
	for from := 0; from < len(places); from += size {
		to := min(from+size, len(places))
		p := newProduct(r.backend, r.queries, from, to)
		tallies, err := r.tallies(ctx, p, from)
		if err != nil {
			return nil, err
		}
		if err := r.distract(ctx, p, tallies); err != nil {
			return nil, err
		}
		for i, t := range tallies {
			places[from+i] = t.places()
		}
	}
	return places, nil
}

// tallies ranks the database for the queries of a product, from query from on.
func (r *ranker) tallies(ctx context.Context, p *product, from int) ([]*tally, error) {
	n := r.db.Rows
	scores := make([]float32, p.queries*n)
	var group errgroup.Group
	group.SetLimit(r.backend.Jobs)
	for at := 0; at < n; at += blockRows {
		rows := min(blockRows, n-at)
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			block := backend.Matrix{Rows: rows, Cols: r.db.Cols, Data: r.db.Data[at*r.db.Cols:][:rows*r.db.Cols]}
			return p.scores(block, r.Database.File.Path(), func(i, q int, score float32) { scores[q*n+at+i] = score })
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	tallies := make([]*tally, p.queries)
	row := make([]float64, n)
	for q := range tallies {
		widen(row, scores[q*n:][:n])
		tallies[q] = newTally(r.dataset.Queries[from+q].Graded(OK, Easy, Hard, Junk), row)
	}
	return tallies, nil
}

// distract counts the distractors that rank above the graded images.
func (r *ranker) distract(ctx context.Context, p *product, tallies []*tally) error {
	perWorker := make([][]counts, r.backend.Jobs)
	for w := range perWorker {
		for _, t := range tallies {
			perWorker[w] = append(perWorker[w], newCounts(len(t.images)))
		}
	}
	err := r.stream(ctx, func(w int, b block, m backend.Matrix) error {
		return p.scores(m, b.rows.File.Path(), func(_, q int, score float32) {
			tallies[q].count(perWorker[w][q], float64(score), distractor)
		})
	})
	for _, found := range perWorker {
		for q, t := range tallies {
			t.above.add(found[q])
		}
	}
	return err
}

// block is a block of distractors.
type block struct {
	rows *Rows
	from int // first row of the file
	at   int // the same, counted over database and distractors
}

// stream hands all distractors to use, block after block, on several workers.
// use gets the worker's number, the block and its rows.
func (r *ranker) stream(ctx context.Context, use func(w int, b block, m backend.Matrix) error) error {
	var blocks []block
	at := r.db.Rows
	for _, rows := range r.Distractors {
		for from := 0; from < rows.Len(); from += blockRows {
			blocks = append(blocks, block{rows, from, at + from})
		}
		at += rows.Len()
	}
	if at > math.MaxInt32 {
		return fmt.Errorf("want at most %d descriptors in all, found %d", math.MaxInt32, at)
	}
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for w := range min(r.backend.Jobs, len(blocks)) {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(blocks) || ctx.Err() != nil {
					return ctx.Err()
				}
				b := blocks[i]
				n := min(blockRows, b.rows.Len()-b.from)
				m, err := b.rows.Read(b.from, n)
				if err != nil {
					return err
				}
				if err := use(w, b, m); err != nil {
					return err
				}
				if r.Progress != nil {
					r.Progress(n)
				}
			}
		})
	}
	return group.Wait()
}
