package retrieval

import (
	"cmp"
	"context"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"

	"locbench/retrieval/backend"
)

// Expansion replaces a descriptor d by the mean of itself and its K best
// database descriptors, each weighted by its similarity to the power Alpha, and
// scales it to unit length: αQE on queries (Radenović et al., TPAMI 2019), DBA on
// the database (dirtorch.test_dir.expand_descriptors). K = 0 changes nothing. A
// negative similarity has no weight where Alpha is no integer.
type Expansion struct {
	K     int
	Alpha float64
}

// spare is how many candidates are looked at beyond K: float32 products choose
// them, and float64 ones put them in order.
const spare = 8

// Candidates is how many hits of [backend.Backend.TopK] [Expansion.Row] wants.
func (e Expansion) Candidates() int { return e.K + 1 + spare }

// NoSelf is the place of a descriptor that is not in the database.
const NoSelf int32 = -1

// Row replaces row in place. hits are its candidates; fetch puts a row of the
// database into dst. self is the row's own place in the database, or [NoSelf]:
// its similarity to itself is taken as 0, as in the reference, so that it ranks
// below every similar row but is not left out.
func (e Expansion) Row(row []float64, self int32, hits []backend.Hit, fetch func(i int32, dst []float64) error) error {
	if e.K == 0 {
		return nil
	}
	type neighbor struct {
		index int32
		score float64
		row   []float64
	}
	var near []neighbor
	if self != NoSelf {
		near = append(near, neighbor{self, 0, slices.Clone(row)})
	}
	for _, h := range hits {
		if h.Index == self {
			continue
		}
		n := neighbor{index: h.Index, row: make([]float64, len(row))}
		if err := fetch(h.Index, n.row); err != nil {
			return err
		}
		for i, v := range n.row {
			n.score += row[i] * v
		}
		near = append(near, n)
	}
	slices.SortFunc(near, func(a, b neighbor) int { return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.index, b.index)) })
	for _, n := range near[:min(e.K, len(near))] {
		weight := e.weight(n.score)
		for i, v := range n.row {
			row[i] += weight * v
		}
	}
	Normalize(row)
	return nil
}

func (e Expansion) weight(score float64) float64 {
	if score < 0 && e.Alpha != math.Trunc(e.Alpha) {
		return 0
	}
	return math.Pow(score, e.Alpha)
}

// ExpandDatabase returns the expanded rows of a database: DBA.
func ExpandDatabase(ctx context.Context, b *backend.Backend, db backend.Matrix, e Expansion) (backend.Matrix, error) {
	if e.K == 0 {
		return db, nil
	}
	hits, err := b.TopK(ctx, db, db, e.Candidates())
	if err != nil {
		return backend.Matrix{}, err
	}
	out := backend.Matrix{Rows: db.Rows, Cols: db.Cols, Data: make([]float32, len(db.Data))}
	fetch := func(i int32, dst []float64) error {
		for j, v := range db.Data[int(i)*db.Cols:][:db.Cols] {
			dst[j] = float64(v)
		}
		return nil
	}
	var group errgroup.Group
	group.SetLimit(max(b.Jobs, 1))
	for i := range db.Rows {
		group.Go(func() error {
			row := make([]float64, db.Cols)
			if err := fetch(int32(i), row); err != nil {
				return err
			}
			if err := e.Row(row, int32(i), hits[i], fetch); err != nil {
				return err
			}
			for j, v := range row {
				out.Data[i*db.Cols+j] = float32(v)
			}
			return nil
		})
	}
	return out, group.Wait()
}
