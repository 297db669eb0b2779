package loss

import (
	"context"

	"golang.org/x/sync/errgroup"

	"locbench/retrieval/backend"
)

const (
	blockRows = 64 // queries whose similarities are computed together
	waveSize  = 8  // blocks that are in memory at a time
	// rowGap lies between the rows of a matrix: a power of two apart, they would
	// all be in the same few sets of the caches.
	rowGap = 16
)

// similarities computes products of descriptors in blocks of queries, on the
// embedded backend: they are small beside the network's work.
type similarities struct {
	b    *backend.Backend
	jobs int
}

func newSimilarities(jobs int) (*similarities, error) {
	b, err := backend.Open("go")
	if err != nil {
		return nil, err
	}
	return &similarities{b, max(jobs, 1)}, nil
}

// block is the rows from…to of the matrix of similarities, or of its gradient.
type block struct {
	from, to int
	width    int       // of a row, at least the number of images
	values   []float32 // and some slack for the kernels
}

func (k *block) row(i int) []float32 { return k.values[(i-k.from)*k.width:][:k.width] }

// product is the matrix of similarities, of which waves of blocks are looked at.
type product struct {
	s      *similarities
	n, dim int
	padded []float32 // the descriptors, in rows of step floats, with slack
	step   int
	all    *backend.Filter
	blocks [waveSize]block
	work   [waveSize]any // of the loss, kept from wave to wave
}

func (s *similarities) of(b *Batch) *product {
	p := &product{s: s, n: b.Len(), dim: b.Dim, step: b.Dim + rowGap}
	p.padded = make([]float32, (p.n+backend.FilterSlack)*p.step)
	for i := range p.n {
		copy(p.padded[i*p.step:], b.Descriptors[i*p.dim:][:p.dim])
	}
	p.all = s.b.NewFilter(p.n, 1, b.Dim, b.Descriptors, make([]float32, p.n))
	return p
}

// waves calls rows for all blocks, some at a time and in parallel, and after,
// if not nil, between them with those that have been filled.
func (p *product) waves(ctx context.Context, rows func(slot int, k *block), after func(blocks []block) error) error {
	for from := 0; from < p.n; from += blockRows * waveSize {
		var g errgroup.Group
		g.SetLimit(p.s.jobs)
		used := 0
		for slot := range p.blocks {
			first := from + slot*blockRows
			if first >= p.n {
				break
			}
			used++
			g.Go(func() error {
				if err := ctx.Err(); err != nil {
					return err
				}
				p.fill(&p.blocks[slot], first)
				rows(slot, &p.blocks[slot])
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			return err
		}
		if after != nil {
			if err := after(p.blocks[:used]); err != nil {
				return err
			}
		}
	}
	return nil
}

// fill computes the similarities of the block that starts at image from.
func (p *product) fill(k *block, from int) {
	k.from, k.to, k.width = from, min(from+blockRows, p.n), p.all.Width()+rowGap
	if k.values == nil {
		k.values = make([]float32, (blockRows+backend.FilterSlack)*k.width)
	}
	p.all.Apply(k.values, p.padded, &backend.Area{
		Rows: 1, Cols: k.to - k.from, Offsets: []int{0},
		In: from * p.step, InStep: p.step, OutStep: k.width,
	})
}
