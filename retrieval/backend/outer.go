package backend

import "slices"

// outerBlock is how many pixels are summed in one chain: a block of them stays
// in the cache over all features, and short chains are more exact.
const outerBlock = 256

// Pixels are rows of values, packed for [Pixels.AddOuter]. The zero value is
// ready for [Pixels.Pack]; its memory is kept from one to the next.
type Pixels struct {
	kernel  kernel
	n       int
	outputs int
	packed  []float32 // block after block of [panels][pixels of the block][cols]
	zero    []float32
	bytes   []int // scratch: offsets of a block
}

// Pack copies the pixels of data that start at the indices at, outputs values
// each. It is for the embedded backend only.
func (b *Backend) Pack(p *Pixels, data []float32, at []int, outputs int) {
	cols := b.kernel.cols
	p.kernel, p.n, p.outputs = b.kernel, len(at), outputs
	width := p.Width()
	if len(p.packed) < len(at)*width {
		p.packed = make([]float32, len(at)*width)
		p.bytes = make([]int, outerBlock)
		p.zero = make([]float32, cols)
	}
	for from := 0; from < len(at); from += outerBlock {
		block := at[from:min(from+outerBlock, len(at))]
		for first := 0; first < outputs; first += cols {
			panel := p.packed[from*width+first*len(block):]
			n := min(cols, outputs-first)
			for i, o := range block {
				row := panel[i*cols:][:cols]
				copy(row, data[o+first:][:n])
				clear(row[n:])
			}
		}
	}
}

// Width is the number of outputs, filled up to whole panels.
func (p *Pixels) Width() int {
	return (p.outputs + p.kernel.cols - 1) / p.kernel.cols * p.kernel.cols
}

// AddOuter adds the outer products of two lists of pixels, those of in and the
// packed ones:
//
//	sums[i][o] += Σₚ in[offsets[p]+i] · packed[p][o],   i < features
//
// which is the gradient of a filter's weights at one of its taps, if in is what
// the filter read and the packed pixels are the gradient of what it wrote. Rows
// of sums are [Pixels.Width] long. Up to [FilterSlack] values beyond the
// features are read. The order of the sums depends on the shapes alone.
func (p *Pixels) AddOuter(sums, in []float32, offsets []int, features int) {
	if len(offsets) != p.n {
		panic("backend: one offset a packed pixel")
	}
	width, cols, rows := p.Width(), p.kernel.cols, p.kernel.rows
	if p.n > 0 && slices.Max(offsets)+(features+rows-1)/rows*rows > cap(in) {
		panic("backend: the pixels lack the slack beyond the last one")
	}
	t := filterTile{step: 4, depth: 1, outStep: width * 4, add: 1, offsets: &p.bytes[0], bias: &p.zero[0]}
	for from := 0; from < p.n; from += outerBlock {
		block := offsets[from:min(from+outerBlock, p.n)]
		for i, o := range block {
			p.bytes[i] = o * 4
		}
		t.taps = len(block)
		for first := 0; first < p.outputs; first += cols {
			t.weights = &p.packed[from*width+first*len(block)]
			t.narrow = narrow(p.outputs-first, cols)
			for i := 0; i < features; i += rows {
				t.in = &in[i]
				t.out = &sums[i*width+first]
				t.pixels = min(rows, features-i)
				p.kernel.filter(&t)
			}
		}
	}
}
