package backend

import "unsafe"

// filterTile is one call of a kernel for convolutions; the assembly reads it by
// offset. Steps and offsets are in bytes.
type filterTile struct {
	in      *float32 // pixel 0, tap offset 0
	step    int      // from a pixel to the next
	offsets *[2]int  // by tap: of its input, of its weights
	taps    int
	depth   int      // features a tap, consecutive in memory
	weights *float32 // [depth][cols] a tap
	bias    *float32 // [cols]
	out     *float32
	outStep int
	pixels  int // that are written, 1…rows; all rows may be read
	add     int // 1: add what out holds
	relu    int // 1: nothing below zero
	narrow  int // 1: the weights of the panel's second half are zero
}

// tileCache is how many floats of input one block of tiles may touch so that
// they stay in the second-level cache beside a panel of weights.
const tileCache = 96 << 10

// Filter is a bank of filters, packed for the kernel of the embedded backend:
// the weights of a convolution, of a linear layer, or of any sum of products
// whose inputs lie at fixed offsets from a pixel.
//
// A result is the bias followed by one chain of fused multiply-adds over taps
// and features in their order (the portable kernel rounds the products). It
// belongs to the pixel alone, whatever else is computed beside it.
type Filter struct {
	kernel               kernel
	taps, depth, outputs int
	packed               []float32 // panel after panel of [taps][depth][cols]
	bias                 []float32 // whole panels
}

// Width is how many floats of a pixel's output are written: the number of
// outputs, filled up to whole panels.
func (f *Filter) Width() int { return len(f.bias) }

// FilterSlack is how many pixels, at the step of the [Area], a [Filter] may read of
// its input beyond the last one of a row: that memory must exist.
const FilterSlack = maxRows

// FilterPanel is what [Filter.Width] rounds up to at most: its outputs fit into
// multiples of it, whatever the processor.
const FilterPanel = 32

// Area is what a [Filter] is applied to: rows of pixels whose inputs and
// outputs lie at regular steps, in floats.
type Area struct {
	Rows, Cols int   // pixels
	Offsets    []int // by tap: from a pixel to the first of its features
	Add, ReLU  bool  // add what the output holds; then nothing below zero

	In, InStep, InRow    int // of the first pixel, between pixels, between rows
	Out, OutStep, OutRow int
}

// Run is a row of pixels as in an [Area], with the taps that count there: others
// would read zeros.
type Run struct {
	Pixels       int
	In, InStep   int
	Out, OutStep int
	Taps         []Tap // in ascending order of their places
}

// Tap is one of a filter's taps: its offset as in an [Area], and its place among
// the filter's weights.
type Tap struct{ Offset, Place int }

// Apply computes an area of out from in. Pixels are written whole
// ([Filter.Width] floats) and nothing else is; up to [FilterSlack] pixels beyond
// the end of a row are read.
func (f *Filter) Apply(out, in []float32, a *Area) {
	taps := make([]Tap, len(a.Offsets))
	for i, o := range a.Offsets {
		taps[i] = Tap{o, i}
	}
	runs := make([]Run, a.Rows)
	for y := range runs {
		runs[y] = Run{a.Cols, a.In + y*a.InRow, a.InStep, a.Out + y*a.OutRow, a.OutStep, taps}
	}
	f.ApplyRuns(out, in, runs, a.Add, a.ReLU)
}

// ApplyRuns is [Filter.Apply] for runs.
func (f *Filter) ApplyRuns(out, in []float32, runs []Run, add, relu bool) {
	w := walk{filter: f, out: out, in: in, runs: runs}
	w.prepare()
	w.tile = filterTile{depth: f.depth}
	if add {
		w.tile.add = 1
	}
	if relu {
		w.tile.relu = 1
	}
	for w.run < len(runs) {
		first := w.position
		for panel := 0; panel < len(f.bias); panel += f.kernel.cols {
			w.position = first
			w.tile.weights = &f.packed[panel*f.taps*f.depth]
			w.tile.bias = &f.bias[panel]
			w.tile.narrow = narrow(f.outputs-panel, f.kernel.cols)
			w.block(panel)
		}
	}
}

// walk goes over the tiles of runs.
type walk struct {
	filter  *Filter
	out, in []float32
	runs    []Run
	tile    filterTile
	taps    [][2]int // of all runs, in bytes: of the input, of the weights
	starts  []int    // by run: where its taps begin
	size    int      // tiles of a block
	position
}

// position is a tile's.
type position struct{ run, pixel int }

// prepare turns the taps into bytes and divides the tiles evenly into blocks, and
// panics if the kernel would read memory that is not there: it takes whole tiles.
func (w *walk) prepare() {
	f := w.filter
	line := f.depth * f.kernel.cols * 4
	w.starts = make([]int, len(w.runs))
	tiles, step := 0, 1
	for i, r := range w.runs {
		if i > 0 && &r.Taps[0] == &w.runs[i-1].Taps[0] && len(r.Taps) == len(w.runs[i-1].Taps) {
			w.starts[i] = w.starts[i-1]
		} else {
			w.starts[i] = len(w.taps)
			for _, t := range r.Taps {
				w.taps = append(w.taps, [2]int{t.Offset * 4, t.Place * line})
			}
		}
		whole := (r.Pixels + f.kernel.rows - 1) / f.kernel.rows * f.kernel.rows
		tiles, step = tiles+whole/f.kernel.rows, max(step, r.InStep)
		for _, t := range r.Taps {
			if t.Place >= f.taps || r.In+(whole-1)*r.InStep+t.Offset+f.depth > cap(w.in) {
				panic("backend: a filter's input lacks the slack beyond its last row")
			}
		}
	}
	size := max(4, tileCache/(f.kernel.rows*step))
	blocks := max(1, (tiles+size/2)/size)
	w.size = (tiles + blocks - 1) / blocks
}

// block computes one panel of some tiles, whose input stays in the cache, and
// ends at the first tile after them.
func (w *walk) block(panel int) {
	rows, t := w.filter.kernel.rows, &w.tile
	for tiles := 0; w.run < len(w.runs) && tiles < w.size; {
		r := &w.runs[w.run]
		t.offsets, t.taps = &w.taps[w.starts[w.run]], len(r.Taps)
		t.step, t.outStep = r.InStep*4, r.OutStep*4
		for ; w.pixel < r.Pixels && tiles < w.size; w.pixel += rows {
			t.in = &w.in[r.In+w.pixel*r.InStep]
			t.out = &w.out[r.Out+w.pixel*r.OutStep+panel]
			t.pixels = min(rows, r.Pixels-w.pixel)
			w.filter.kernel.filter(t)
			tiles++
		}
		if w.pixel >= r.Pixels {
			w.run, w.pixel = w.run+1, 0
		}
	}
}

// narrow says whether so many outputs leave the second half of a panel empty.
func narrow(outputs, cols int) int {
	if outputs <= cols/2 {
		return 1
	}
	return 0
}

// Max3 sets dst to the elementwise largest of three slices of its length.
func (b *Backend) Max3(dst, x, y, z []float32) {
	n := len(dst)
	x, y, z = x[:n], y[:n], z[:n]
	fast := n / 8 * 8
	if b.kernel.max3 == nil {
		fast = 0
	} else if fast > 0 {
		b.kernel.max3(&dst[0], &x[0], &y[0], &z[0], fast)
	}
	for i := fast; i < n; i++ {
		dst[i] = max(x[i], y[i], z[i])
	}
}

// filterPortable is the kernel without assembly: portableRows × portableCols.
func filterPortable(t *filterTile) {
	offsets := unsafe.Slice(t.offsets, t.taps)
	bias := unsafe.Slice(t.bias, portableCols)
	for i := range t.pixels {
		var sums [portableCols]float32
		copy(sums[:], bias)
		for _, o := range offsets {
			in := unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(t.in), i*t.step+o[0])), t.depth)
			w := unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(t.weights), o[1])), t.depth*portableCols)
			for _, v := range in {
				for j := range sums {
					sums[j] += v * w[j]
				}
				w = w[portableCols:]
			}
		}
		out := unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(t.out), i*t.outStep)), portableCols)
		for j, s := range sums {
			if t.add != 0 {
				s += out[j]
			}
			if t.relu != 0 {
				s = max(s, 0)
			}
			out[j] = s
		}
	}
}
