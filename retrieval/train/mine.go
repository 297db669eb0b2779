package train

import (
	"context"
	"slices"

	"locbench/retrieval/backend"
	"locbench/retrieval/train/trainset"
)

// batch returns the draws of a batch, counted from the first step's.
func (t *Trainer) batch(ctx context.Context, index int) ([]trainset.Draw, error) {
	if t.cfg.Mining.Every == 0 {
		return t.sampler.Batch(index/t.sampler.Steps(), index%t.sampler.Steps()), nil
	}
	each := t.cfg.Mining.Every * t.cfg.Accumulate // batches of a round
	round := index / each
	if t.mined == nil || t.mined.Round != round {
		m, err := t.mine(ctx, round)
		if err != nil {
			return nil, err
		}
		t.mined = m
	}
	return t.mined.batch(index%each, t.cfg.Sampler.Batch), nil
}

// mined is what one pool of hard negatives gave: for each query the query, a
// positive and the negatives. It is kept with the weights, for a resumed
// training cannot find it again: the network has moved on.
type mined struct {
	Round  int               `json:"round"`
	Tuples [][]trainset.Draw `json:"tuples"`
}

// batch returns the tuples of a batch, as many as fit into size images; after
// the last one they come again.
func (m *mined) batch(i, size int) []trainset.Draw {
	var draws []trainset.Draw
	per := max(1, size/len(m.Tuples[0]))
	for j := range min(per, len(m.Tuples)) {
		draws = append(draws, m.Tuples[(i*per+j)%len(m.Tuples)]...)
	}
	return draws
}

// mine describes a pool with the network as it is, and takes the negatives that
// are most similar to each query.
func (t *Trainer) mine(ctx context.Context, round int) (*mined, error) {
	o := t.cfg.Mining
	p, err := trainset.NewPool(t.set, trainset.PoolOptions{Queries: o.Queries, Images: o.Images, Seed: t.cfg.Seed}, round)
	if err != nil {
		return nil, err
	}
	t.log.Debug("mine hard negatives", "queries", len(p.Queries), "images", len(p.Images))
	images, err := t.describeDraws(ctx, p.Images)
	if err != nil {
		return nil, err
	}
	queries, err := t.describeDraws(ctx, p.Queries)
	if err != nil {
		return nil, err
	}
	tuples := make([][]trainset.Draw, len(p.Queries))
	err = eachScores(ctx, queries, images, t.jobs, func(q int, scores []float32) {
		tuples[q] = append([]trainset.Draw{p.Queries[q], p.Positives[q]}, p.Hardest(q, scores, o.Negatives)...)
	})
	if err != nil {
		return nil, err
	}
	m := &mined{Round: round, Tuples: slices.DeleteFunc(tuples, func(tuple []trainset.Draw) bool { return len(tuple) < 2+o.Negatives })}
	if len(m.Tuples) == 0 {
		return nil, t.dataError("want %d negatives for a query of a pool of %d images, found fewer for each", o.Negatives, len(p.Images))
	}
	return m, nil
}

// describeDraws returns the descriptors of draws.
func (t *Trainer) describeDraws(ctx context.Context, draws []trainset.Draw) (backend.Matrix, error) {
	m := newRows(len(draws), t.learner.Dim())
	for c, err := range newPictures(t.loader, draws, 0).chunks(ctx, places(len(draws)), t.chunk) {
		if err != nil {
			return m, err
		}
		rows, err := t.learner.Describe(ctx, c.images)
		if err != nil {
			return m, err
		}
		copy(m.Data[c.places[0]*m.Cols:], rows)
	}
	return m, nil
}
