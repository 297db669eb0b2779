package loss

import (
	"context"
	"math"

	"golang.org/x/sync/errgroup"

	"locbench/retrieval/backend"
	"locbench/retrieval/train/trainset"
)

// apLoss is [AP] over a batch.
type apLoss struct {
	ap AP
	s  *similarities
}

// ranking is the scratch of one block of queries.
type ranking struct {
	*ranker
	s, grad []float64
	kinds   []int8
	packed  backend.Pixels // descriptors of the block
	loss    float64        // Σ 1 − weight·AP over the block's queries
	terms   int
}

// Of returns the loss of a batch and its gradient. With S the similarities and
// G the derivative of the loss by them, descriptors X get (G + Gᵀ)·X.
func (l *apLoss) Of(ctx context.Context, b *Batch, grad []float32) (Value, error) {
	p := l.s.of(b)
	g := newGradient(p, b)
	var v Value
	var sum float64
	err := p.waves(ctx, func(slot int, k *block) {
		r, ok := p.work[slot].(*ranking)
		if !ok {
			r = &ranking{ranker: newRanker(l.ap), s: make([]float64, p.n), grad: make([]float64, p.n), kinds: make([]int8, p.n)}
			p.work[slot] = r
		}
		r.block(b, k)
		g.rows(k)
		l.s.b.Pack(&r.packed, b.Descriptors, rowStarts(k.from, k.to, b.Dim), b.Dim)
	}, func(blocks []block) error {
		for slot := range blocks {
			r := p.work[slot].(*ranking)
			sum += r.loss
			v.Terms += r.terms
		}
		return g.columns(ctx, blocks)
	})
	if err != nil || v.Terms == 0 {
		clear(grad)
		return Value{}, err
	}
	v.Loss = sum / float64(v.Terms)
	g.write(grad, 1/float64(v.Terms))
	return v, nil
}

// block computes the AP of the queries of k, and puts its negative derivatives
// in place of the similarities.
func (r *ranking) block(b *Batch, k *block) {
	r.loss, r.terms = 0, 0
	n := len(r.s)
	for i := k.from; i < k.to; i++ {
		row := k.row(i)
		for j := range n {
			r.s[j] = float64(row[j])
			switch {
			case i == j:
				r.kinds[j] = skipped
			default:
				r.kinds[j] = kindOf(b.Relation(i, j))
			}
		}
		weight := 1.0
		if b.Weights != nil {
			weight = b.Weights[i]
		}
		ap := math.NaN()
		if finite(row[:n]) {
			ap = r.rank(r.s, r.kinds, r.grad)
			if math.IsNaN(ap) { // no positive
				clear(row)
				continue
			}
		}
		r.loss += 1 - weight*ap
		r.terms++
		for j := range n {
			row[j] = float32(-weight * r.grad[j])
		}
		clear(row[n:])
	}
}

func kindOf(r trainset.Relation) int8 {
	switch r {
	case trainset.Positive:
		return match
	case trainset.Negative:
		return other
	}
	return skipped
}

func finite(values []float32) bool {
	for _, v := range values {
		if v-v != 0 {
			return false
		}
	}
	return true
}

// gradient gathers (G + Gᵀ)·X over blocks of rows of G.
type gradient struct {
	p       *product
	columnX *backend.Filter // by dimension: what descriptors have there
	byRow   []float32       // G·X, rows of columnX.Width
	width   int
	byCol   []float32 // Gᵀ·X, rows of width
}

func newGradient(p *product, b *Batch) *gradient {
	g := &gradient{p: p}
	n := p.all.Width()
	across := make([]float32, p.dim*n)
	for i := range p.n {
		for d, v := range b.Descriptors[i*p.dim:][:p.dim] {
			across[d*n+i] = v
		}
	}
	g.columnX = p.s.b.NewFilter(p.dim, 1, n, across, make([]float32, p.dim))
	g.byRow = make([]float32, (p.n+backend.FilterSlack)*g.columnX.Width())
	return g
}

// rows computes the rows of G·X that belong to a block.
func (g *gradient) rows(k *block) {
	width := g.columnX.Width()
	g.columnX.Apply(g.byRow, k.values, &backend.Area{
		Rows: 1, Cols: k.to - k.from, Offsets: []int{0},
		InStep: k.width, Out: k.from * width, OutStep: width,
	})
}

// columnRows is how many rows of Gᵀ·X one worker adds to at a time.
const columnRows = 256

// columns adds what blocks have of Gᵀ·X: block after block for each row, so that
// the order of the sums is always the same.
func (g *gradient) columns(ctx context.Context, blocks []block) error {
	if g.byCol == nil {
		g.width = g.p.work[0].(*ranking).packed.Width()
		g.byCol = make([]float32, (g.p.n+backend.FilterSlack)*g.width)
	}
	var work errgroup.Group
	work.SetLimit(g.p.s.jobs)
	for from := 0; from < g.p.n; from += columnRows {
		work.Go(func() error {
			for slot := range blocks {
				k := &blocks[slot]
				packed := &g.p.work[slot].(*ranking).packed
				packed.AddOuter(g.byCol[from*g.width:], k.values[from:], []backend.Chain{chain(k.to-k.from, k.width)}, min(columnRows, g.p.n-from))
			}
			return ctx.Err()
		})
	}
	return work.Wait()
}

// write sets grad to scale·(G + Gᵀ)·X.
func (g *gradient) write(grad []float32, scale float64) {
	for i := range g.p.n {
		row, col := g.byRow[i*g.columnX.Width():], g.byCol[i*g.width:]
		for d := range g.p.dim {
			grad[i*g.p.dim+d] = float32(scale * (float64(row[d]) + float64(col[d])))
		}
	}
}

// rowStarts returns where rows from…to of a row-major matrix start.
func rowStarts(from, to, width int) []int {
	at := make([]int, to-from)
	for i := range at {
		at[i] = (from + i) * width
	}
	return at
}

// chain pairs the n rows of a block, blockRows at most, with as many packed ones.
func chain(n, width int) backend.Chain {
	c := make(backend.Chain, n)
	for i, at := range rowStarts(0, n, width) {
		c[i] = backend.Pair{In: at, Packed: i}
	}
	return c
}
