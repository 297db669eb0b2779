package landmarks

import (
	"locbench/kapture"
	"locbench/retrieval/backend"
)

// product multiplies queries with blocks of descriptors. A score depends on its
// two descriptors alone, so that those of distractors can be compared with those
// of images. It is safe for concurrent use.
type product struct {
	filter  *backend.Filter
	queries int
}

// newProduct packs the queries from, …, to-1.
func newProduct(b *backend.Backend, queries backend.Matrix, from, to int) *product {
	dim := queries.Cols
	return &product{b.NewFilter(to-from, 1, dim, queries.Data[from*dim:to*dim], make([]float32, to-from)), to - from}
}

// scores calls use with the score of every row of a block, which is from the
// file path, for every query.
func (p *product) scores(block backend.Matrix, path string, use func(row, query int, score float32)) error {
	n, dim, width := block.Rows, block.Cols, p.filter.Width()
	data, readable := block.Data, (n+backend.FilterSlack)*dim
	if cap(data) < readable {
		data = append(make([]float32, 0, readable), data...)
	}
	out := make([]float32, n*width)
	p.filter.Apply(out, data[:readable], &backend.Area{Rows: 1, Cols: n, Offsets: []int{0}, InStep: dim, OutStep: width})
	for row := range n {
		for q, s := range out[row*width:][:p.queries] {
			if s-s != 0 {
				return &kapture.InputError{Path: path, Msg: "want descriptors whose products are finite: these are too long"}
			}
			use(row, q, s)
		}
	}
	return nil
}
