package backend

// ChainPixels is how long a [Chain] should be at most: so many pixels stay in
// the cache over all features, and short chains are more exact.
const ChainPixels = 256

// Pixels are rows of values, packed for [Pixels.AddOuter]. The zero value is
// ready for [Pixels.Pack]; its memory is kept from one to the next.
type Pixels struct {
	kernel  kernel
	n       int
	outputs int
	packed  []float32 // [panels][pixels][cols]
	zero    []float32
}

// Chain is a list of products that are summed one after the other.
type Chain []Pair

// Pair is a pixel by the index of its first feature, and the packed pixel that
// it is multiplied with.
type Pair struct{ In, Packed int }

// Pack copies the pixels of data that start at the indices at, outputs values
// each. It is for the embedded backend only.
func (b *Backend) Pack(p *Pixels, data []float32, at []int, outputs int) {
	cols := b.kernel.cols
	p.kernel, p.n, p.outputs = b.kernel, len(at), outputs
	if n := len(at) * p.Width(); len(p.packed) < n {
		p.packed = make([]float32, n)
		p.zero = make([]float32, cols)
	}
	for first := 0; first < outputs; first += cols {
		panel := p.packed[first*len(at):]
		n := min(cols, outputs-first)
		for i, o := range at {
			row := panel[i*cols:][:cols]
			copy(row, data[o+first:][:n])
			clear(row[n:])
		}
	}
}

// Width is the number of outputs, filled up to whole panels.
func (p *Pixels) Width() int {
	return (p.outputs + p.kernel.cols - 1) / p.kernel.cols * p.kernel.cols
}

// AddOuter adds to sums, chain after chain, the sum of the chain's outer
// products of pixels of in and packed ones:
//
//	sums[i][o] += Σ in[pair.In+i] · packed[pair.Packed][o],   i < features
//
// which is the gradient of a filter's weights at one of its taps, if in is what
// the filter read and the packed pixels are the gradient of what it wrote. Rows
// of sums are [Pixels.Width] long. Up to [FilterSlack] values beyond the
// features are read. It is safe for concurrent use on other sums.
func (p *Pixels) AddOuter(sums, in []float32, chains []Chain, features int) {
	rows := p.kernel.rows
	var bytes [ChainPixels][2]int
	for len(chains) > 0 {
		batch, n := 0, 0 // chains whose pixels stay in the cache together
		for batch < len(chains) && (batch == 0 || n+len(chains[batch]) <= ChainPixels) {
			n += len(chains[batch])
			batch++
		}
		if n > ChainPixels {
			panic("backend: a chain of more than ChainPixels")
		}
		list := bytes[:0]
		for _, c := range chains[:batch] {
			for _, pair := range c {
				if pair.In+(features+rows-1)/rows*rows > cap(in) || pair.Packed >= p.n {
					panic("backend: the pixels lack the slack beyond the last one")
				}
				list = append(list, [2]int{pair.In * 4, pair.Packed * p.kernel.cols * 4})
			}
		}
		p.addBatch(sums, in, chains[:batch], list, features)
		chains = chains[batch:]
	}
}

// addBatch adds chains, whose pairs are listed in bytes.
func (p *Pixels) addBatch(sums, in []float32, chains []Chain, list [][2]int, features int) {
	width, cols, rows := p.Width(), p.kernel.cols, p.kernel.rows
	t := filterTile{step: 4, depth: 1, outStep: width * 4, add: 1, bias: &p.zero[0]}
	for first := 0; first < p.outputs; first += cols {
		t.weights = &p.packed[first*p.n]
		t.narrow = narrow(p.outputs-first, cols)
		for i := 0; i < features; i += rows {
			t.in = &in[i]
			t.out = &sums[i*width+first]
			t.pixels = min(rows, features-i)
			from := 0
			for _, c := range chains {
				if len(c) > 0 {
					t.offsets, t.taps = &list[from], len(c)
					p.kernel.filter(&t)
					from += len(c)
				}
			}
		}
	}
}
