package trainset

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// PoolOptions say what is drawn for the mining of hard negatives.
type PoolOptions struct {
	Queries int    `yaml:"queries"` // pairs of a query and a positive; at most as many as there are
	Images  int    `yaml:"images"`  // from which negatives are taken; at most as many as there are
	Seed    uint64 `yaml:"-"`
}

// Check reports all that is wrong with o.
func (o PoolOptions) Check() error {
	if o.Queries < 1 || o.Images < 1 {
		return fmt.Errorf("want at least a query and an image in the pool, found %d and %d", o.Queries, o.Images)
	}
	return nil
}

// Pool holds queries with a positive each and a random choice of images. A
// trainer describes all of them with the network as it is, and takes for each
// query the negatives that it finds hardest (Gordo et al., IJCV 2017; Radenović
// et al., TPAMI 2019).
type Pool struct {
	Queries, Positives []Draw // of one length
	Images             []Draw
	set                *Set
}

// NewPool draws the pool of a round, counted from 0. In a set of classes any
// image is a query, with another one of its class; where positives are pairs,
// the queries are drawn from those.
func NewPool(set *Set, o PoolOptions, round int) (*Pool, error) {
	if err := o.Check(); err != nil {
		return nil, fmt.Errorf("pool: %w", err)
	}
	p := &Pool{set: set}
	r := generator(o.Seed, "pool", uint64(round))
	draw := func(image int, what string, i int) Draw {
		return Draw{Image: image, Key: key(o.Seed, what, uint64(round), uint64(i))}
	}
	for _, q := range r.Perm(set.Len()) {
		if len(p.Queries) == o.Queries {
			break
		}
		partners := set.partners(q)
		if set.positives == nil { // one of them is the query itself
			if len(partners) < 2 {
				continue
			}
		} else if len(partners) == 0 {
			continue
		}
		other := q
		for other == q {
			other = int(partners[r.IntN(len(partners))])
		}
		i := len(p.Queries)
		p.Queries = append(p.Queries, draw(q, "query", i))
		p.Positives = append(p.Positives, draw(other, "positive", i))
	}
	if len(p.Queries) == 0 {
		return nil, errors.New("pool: want images that show the same, found none")
	}
	for i, image := range r.Perm(set.Len())[:min(o.Images, set.Len())] {
		p.Images = append(p.Images, draw(image, "candidate", i))
	}
	return p, nil
}

// Hardest returns the n negatives of query q that are most similar to it, the
// most similar first, at most one of each class: fewer where the pool has no
// more. scores has the similarity of each image of the pool; equal ones go by
// their place in the pool.
func (p *Pool) Hardest(q int, scores []float32, n int) []Draw {
	if len(scores) != len(p.Images) {
		panic("trainset: want a score for each image of the pool")
	}
	query := p.Queries[q].Image
	// The best of each class so far; all but the n best of them can go.
	var best []int
	worse := func(a, b int) int { return cmp.Or(cmp.Compare(scores[b], scores[a]), cmp.Compare(a, b)) }
	for i := range scores {
		if len(best) == n && (n == 0 || worse(best[n-1], i) < 0) || p.set.Relation(query, p.Images[i].Image) != Negative {
			continue
		}
		class := p.set.Class(p.Images[i].Image)
		same := slices.IndexFunc(best, func(j int) bool { return p.set.Class(p.Images[j].Image) == class })
		switch {
		case same >= 0 && worse(best[same], i) < 0:
			continue
		case same >= 0:
			best = slices.Delete(best, same, same+1)
		case len(best) == n:
			best = best[:n-1]
		}
		at, _ := slices.BinarySearchFunc(best, i, worse)
		best = slices.Insert(best, at, i)
	}
	out := make([]Draw, len(best))
	for k, i := range best {
		out[k] = p.Images[i]
	}
	return out
}
