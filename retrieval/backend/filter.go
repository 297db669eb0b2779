package backend

import (
	"slices"
	"unsafe"
)

// filterTile is one call of a kernel for convolutions; the assembly reads it by
// offset. Steps and offsets are in bytes.
type filterTile struct {
	in      *float32 // pixel 0, tap offset 0
	step    int      // from a pixel to the next
	offsets *int     // by tap
	taps    int
	depth   int      // features a tap, consecutive in memory
	weights *float32 // [taps][depth][cols]
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

// NewFilter packs weights[o][t][c] of outputs × taps × depth and the bias of
// each output. It is nil on a device of XLA, which has convolutions of its own.
func (b *Backend) NewFilter(outputs, taps, depth int, weights, bias []float32) *Filter {
	if len(weights) != outputs*taps*depth || len(bias) != outputs {
		panic("backend: filter weights do not fit their shape")
	}
	if b.device != nil {
		return nil
	}
	cols := b.kernel.cols
	panels := (outputs + cols - 1) / cols
	f := &Filter{kernel: b.kernel, taps: taps, depth: depth, outputs: outputs}
	f.packed = make([]float32, panels*cols*taps*depth)
	f.bias = make([]float32, panels*cols)
	copy(f.bias, bias)
	n := taps * depth
	for o := range outputs {
		panel := f.packed[o/cols*cols*n:][o%cols : cols*n]
		for i, w := range weights[o*n:][:n] {
			panel[i*cols] = w
		}
	}
	return f
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

// Apply computes an area of out from in. Pixels are written whole
// ([Filter.Width] floats) and nothing else is; up to [FilterSlack] pixels beyond
// the end of a row are read.
func (f *Filter) Apply(out, in []float32, a *Area) {
	rows := f.kernel.rows
	offsets := make([]int, len(a.Offsets))
	for i, o := range a.Offsets {
		offsets[i] = o * 4
	}
	t := filterTile{step: a.InStep * 4, outStep: a.OutStep * 4, offsets: &offsets[0], taps: f.taps, depth: f.depth}
	if a.Add {
		t.add = 1
	}
	if a.ReLU {
		t.relu = 1
	}
	across := (a.Cols + rows - 1) / rows
	f.check(in, a, across*rows)
	tiles := across * a.Rows
	block := max(4, tileCache/(rows*max(a.InStep, 1)))
	for from := 0; from < tiles; from += block {
		to := min(from+block, tiles)
		for panel := 0; panel < len(f.bias); panel += f.kernel.cols {
			t.weights = &f.packed[panel*f.taps*f.depth]
			t.bias = &f.bias[panel]
			t.narrow = narrow(f.outputs-panel, f.kernel.cols)
			for i := from; i < to; i++ {
				y, x := i/across, i%across*rows
				t.in = &in[a.In+y*a.InRow+x*a.InStep]
				t.out = &out[a.Out+y*a.OutRow+x*a.OutStep+panel]
				t.pixels = min(rows, a.Cols-x)
				f.kernel.filter(&t)
			}
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

// check panics if the kernel would read memory that is not there: it takes whole
// tiles, pixels of each row in all.
func (f *Filter) check(in []float32, a *Area, pixels int) {
	if last := a.In + (a.Rows-1)*a.InRow + (pixels-1)*a.InStep + slices.Max(a.Offsets) + f.depth; last > cap(in) {
		panic("backend: a filter's input lacks the slack beyond its last row")
	}
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
	weights := unsafe.Slice(t.weights, t.taps*t.depth*portableCols)
	bias := unsafe.Slice(t.bias, portableCols)
	for i := range t.pixels {
		var sums [portableCols]float32
		copy(sums[:], bias)
		w := weights
		for _, o := range offsets {
			in := unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(t.in), i*t.step+o)), t.depth)
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
