package retrieval

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"locbench/retrieval/backend"
)

// Feature holds the descriptors of one global feature.
type Feature struct{ Queries, Database *Descriptors }

// fusedBlock is how many queries are fused at a time: their similarities to the
// whole database, by every feature, are in memory.
const fusedBlock = 64

// FusedTopK returns, for each query, the k database images that several
// features together rank first (late fusion), as [TopK] does for one. The
// features must describe the same images; fused scores are ordered by name
// where they are equal. One feature alone is not fused: its hits are TopK's. The
// error says what does not fit.
func FusedTopK(ctx context.Context, b *backend.Backend, features []Feature, how Fused, k int) ([][]Hit, error) {
	if len(features) == 0 {
		return nil, fmt.Errorf("want at least one feature, found none")
	}
	for _, f := range features[1:] {
		if !slices.Equal(f.Queries.Names, features[0].Queries.Names) || !slices.Equal(f.Database.Names, features[0].Database.Names) {
			return nil, fmt.Errorf("want features of the same images, found different ones")
		}
	}
	if len(features) == 1 {
		return TopK(ctx, b, features[0].Queries, features[0].Database, k)
	}
	hits := make([][]Hit, 0, len(features[0].Queries.Names))
	for from := 0; from < cap(hits); from += fusedBlock {
		block, err := fuseBlock(ctx, b, features, how, from, k)
		if err != nil {
			return nil, err
		}
		hits = append(hits, block...)
	}
	return hits, nil
}

// Fused is a method of late fusion and its parameters.
type Fused struct {
	Method Fusion
	Params FusionParams
}

// fuseBlock ranks the queries from, from+1, ….
func fuseBlock(ctx context.Context, b *backend.Backend, features []Feature, how Fused, from, k int) ([][]Hit, error) {
	n := len(features[0].Database.Names)
	var ranked [][][]Hit // feature, query, rank: the whole database
	for _, f := range features {
		all, err := TopK(ctx, b, f.Queries.rows(from, from+fusedBlock), f.Database, n)
		if err != nil {
			return nil, err
		}
		ranked = append(ranked, all)
	}
	out := make([][]Hit, len(ranked[0]))
	for q := range out {
		lists := make([][]Hit, len(features))
		for i := range features {
			lists[i] = ranked[i][q]
		}
		var err error
		if out[q], err = how.rank(lists, n, k); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// rows returns the descriptors from one row up to another, or to the last.
func (d *Descriptors) rows(from, to int) *Descriptors {
	to = min(to, len(d.Names))
	return &Descriptors{Names: d.Names[from:to], Dim: d.Dim, Data: d.Data[from*d.Dim : to*d.Dim]}
}

// rank fuses the complete rankings of one query.
func (how Fused) rank(lists [][]Hit, n, k int) ([]Hit, error) {
	if how.Method == FusionRoundRobin {
		return roundRobinHits(lists, k), nil
	}
	sims := make([][]float32, len(lists))
	for i, list := range lists {
		sims[i] = make([]float32, n)
		for _, h := range list {
			sims[i][h.Index] = h.Score
		}
	}
	fused, err := Fuse(how.Method, sims, how.Params)
	if err != nil {
		return nil, err
	}
	hits := make([]Hit, n)
	for i, s := range fused {
		hits[i] = Hit{Index: int32(i), Score: s}
	}
	slices.SortFunc(hits, func(a, b Hit) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Index, b.Index)) })
	return hits[:min(k, n)], nil
}

// roundRobinHits scores an image by its place counted from the end, as the
// benchmark does.
func roundRobinHits(lists [][]Hit, k int) []Hit {
	rankings := make([][]int32, len(lists))
	for i, list := range lists {
		for _, h := range list {
			rankings[i] = append(rankings[i], h.Index)
		}
	}
	order := RoundRobin(rankings, k)
	hits := make([]Hit, len(order))
	for place, index := range order {
		hits[place] = Hit{Index: index, Score: float32(k - place)}
	}
	return hits
}
