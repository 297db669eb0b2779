package backend

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// TestFilterTileLayout holds the struct against the offsets in the assembly.
func TestFilterTileLayout(t *testing.T) {
	var f filterTile
	if unsafe.Offsetof(f.weights) != 40 || unsafe.Offsetof(f.pixels) != 72 || unsafe.Offsetof(f.narrow) != 96 {
		t.Errorf("filterTile changed: adapt filter_amd64.s")
	}
}

// TestFilter compares every kernel with sums in float64, over sizes that leave
// partial tiles and panels, and checks that nothing else is written.
func TestFilter(t *testing.T) {
	cases := []struct {
		outputs, depth, rows, cols, stride int
		add, relu                          bool
	}{
		{32, 4, 1, 14, 1, false, false},
		{64, 21, 3, 37, 1, false, true},
		{40, 64, 2, 5, 2, true, true},
		{17, 3, 5, 1, 2, true, false},
		{16, 21, 2, 30, 1, true, true}, // half a panel of AVX-512
		{48, 7, 2, 8, 2, true, false},
		{64, 9, 2, 7, 1, true, true},  // half a tile of AVX-512
		{40, 6, 2, 8, 1, false, true}, // one pixel more
		{40, 7, 3, 4, 2, true, true},  // a quarter
		{33, 4, 2, 5, 1, false, true},
	}
	for _, c := range cases {
		for _, k := range kernels() {
			name := fmt.Sprintf("%s/%d outputs, %d features, %d×%d, stride %d", k.name, c.outputs, c.depth, c.rows, c.cols, c.stride)
			t.Run(name, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(3, 4))
				f := (&Backend{kernel: k}).NewFilter(c.outputs, 2, c.depth, normal(rng, c.outputs*2*c.depth), normal(rng, c.outputs))
				a := Area{Rows: c.rows, Cols: c.cols, Offsets: []int{1, 2*c.depth + 3}, Add: c.add, ReLU: c.relu}
				a.In, a.InStep = 2, c.stride*(c.depth+1)
				a.InRow = (c.cols + 3) * a.InStep
				a.Out, a.OutStep = 5, f.Width()+3
				a.OutRow = (c.cols + 1) * a.OutStep
				in := normal(rng, (c.rows+2)*a.InRow+2*FilterSlack*a.InStep)
				before := normal(rng, c.rows*a.OutRow+FilterSlack*a.OutStep+100)
				checkFilter(t, f, in, before, &a)
			})
		}
	}
}

func checkFilter(t *testing.T, f *Filter, in, before []float32, a *Area) {
	t.Helper()
	out := slices.Clone(before)
	f.Apply(out, in, a)
	written := map[int]bool{}
	for y := range a.Rows {
		for x := range a.Cols {
			for o := range f.Width() {
				at := a.Out + y*a.OutRow + x*a.OutStep + o
				written[at] = true
				want := f.exact(in[a.In+y*a.InRow+x*a.InStep:], a.Offsets, o)
				if a.Add {
					want += float64(before[at])
				}
				if a.ReLU {
					want = max(want, 0)
				}
				if math.Abs(float64(out[at])-want) > 1e-5 { // sums of ≤ 128 products near 1
					t.Fatalf("pixel %d,%d output %d: want %g, found %g", y, x, o, want, out[at])
				}
			}
		}
	}
	for i, v := range out {
		if !written[i] && v != before[i] {
			t.Fatalf("float %d is outside the area and was written", i)
		}
	}
}

// TestApplyRuns: a run gives the bits of a filter of its taps alone.
func TestApplyRuns(t *testing.T) {
	const outputs, depth, width = 40, 6, 64
	for _, k := range kernels() {
		b := &Backend{kernel: k}
		rng := rand.New(rand.NewPCG(7, 8))
		weights, bias, in := normal(rng, outputs*3*depth), normal(rng, outputs), normal(rng, 4000)
		var two []float32 // taps 0 and 2
		for o := range outputs {
			two = append(two, weights[o*3*depth:][:depth]...)
			two = append(two, weights[(o*3+2)*depth:][:depth]...)
		}
		got, want := make([]float32, 50*width), make([]float32, 50*width)
		runs := []Run{
			{Pixels: 17, In: 5, InStep: 7, Out: 0, OutStep: width, Taps: []Tap{{3, 0}, {90, 2}}},
			{Pixels: 3, In: 300, InStep: 14, Out: 20 * width, OutStep: 2 * width, Taps: []Tap{{0, 0}, {1, 1}, {2, 2}}},
		}
		b.NewFilter(outputs, 3, depth, weights, bias).ApplyRuns(got, in, runs, false, true)
		b.NewFilter(outputs, 2, depth, two, bias).Apply(want, in, &Area{Rows: 1, Cols: 17, In: 5, InStep: 7, OutStep: width, Offsets: []int{3, 90}, ReLU: true})
		b.NewFilter(outputs, 3, depth, weights, bias).Apply(want, in, &Area{Rows: 1, Cols: 3, In: 300, InStep: 14, Out: 20 * width, OutStep: 2 * width, Offsets: []int{0, 1, 2}, ReLU: true})
		if !slices.Equal(got, want) {
			t.Errorf("%s: runs differ from areas", k.name)
		}
	}
}

// TestPack: weights that lie in another order give the same filter.
func TestPack(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for _, k := range kernels() {
		for _, c := range []struct{ outputs, taps, depth int }{{40, 9, 37}, {5, 1, 70}, {64, 4, 3}} {
			b := &Backend{kernel: k}
			weights, bias := normal(rng, c.outputs*c.taps*c.depth), normal(rng, c.outputs)
			want := b.NewFilter(c.outputs, c.taps, c.depth, weights, bias)
			for _, l := range []Layout{{Output: c.depth * c.taps, Feature: c.taps}, {Output: c.taps, Feature: c.outputs * c.taps}} {
				moved := make([]float32, len(weights))
				for tap := range c.taps {
					l.Taps = append(l.Taps, c.taps-1-tap)
				}
				for o := range c.outputs {
					for tap, at := range l.Taps {
						for i := range c.depth {
							moved[at+o*l.Output+i*l.Feature] = weights[(o*c.taps+tap)*c.depth+i]
						}
					}
				}
				got := b.EmptyFilter(c.outputs, c.taps, c.depth)
				got.Pack(moved, bias, &l)
				if !slices.Equal(got.packed, want.packed) || !slices.Equal(got.bias, want.bias) {
					t.Errorf("%s, %v, %v: filters differ", k.name, c, l)
				}
			}
		}
	}
}

// exact is output o of one pixel in float64.
func (f *Filter) exact(in []float32, offsets []int, o int) float64 {
	cols := f.kernel.cols
	sum := float64(f.bias[o])
	w := f.packed[o/cols*cols*f.taps*f.depth+o%cols:]
	for t, offset := range offsets {
		for c := range f.depth {
			sum += float64(in[offset+c]) * float64(w[(t*f.depth+c)*cols])
		}
	}
	return sum
}

// TestFilterKernelsAgree: both assembly kernels give the same bytes.
func TestFilterKernelsAgree(t *testing.T) {
	var first []float32
	for _, k := range kernels() {
		if k.name == "portable" {
			continue
		}
		rng := rand.New(rand.NewPCG(5, 6))
		f := (&Backend{kernel: k}).NewFilter(64, 1, 300, normal(rng, 64*300), normal(rng, 64))
		in := normal(rng, 80*300)
		out := make([]float32, 80*64)
		f.Apply(out, in, &Area{Rows: 1, Cols: 47, Offsets: []int{0}, InStep: 300, OutStep: 64})
		if first == nil {
			first = out
		}
		if !slices.Equal(first, out) {
			t.Errorf("%s differs from the first kernel", k.name)
		}
	}
}

func TestMax3(t *testing.T) {
	for _, k := range kernels() {
		b := &Backend{kernel: k}
		got := make([]float32, 11)
		x := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1}
		y := []float32{5, 1, 0, 9, -1, 7, 2, 3, 4, 5, 6}
		z := []float32{0, 3, 1, 2, 8, 1, 1, 9, 1, 1, 9}
		b.Max3(got, x, y, z)
		if want := []float32{5, 3, 3, 9, 8, 7, 7, 9, 9, 5, 9}; !slices.Equal(got, want) {
			t.Errorf("%s: want %v, found %v", k.name, want, got)
		}
	}
}

func normal(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

// BenchmarkFilter measures convolutions of ResNet-101 on 768×1024 pixels, on
// one thread.
func BenchmarkFilter(b *testing.B) {
	for _, s := range []struct{ h, w, in, out, taps int }{
		{192, 256, 64, 256, 1}, {192, 256, 256, 64, 1}, {192, 256, 64, 64, 9},
		{96, 128, 128, 128, 9}, {96, 128, 512, 128, 1}, {96, 128, 128, 512, 1},
		{48, 64, 1024, 256, 1}, {48, 64, 256, 256, 9}, {48, 64, 256, 1024, 1},
		{24, 32, 2048, 512, 1}, {24, 32, 512, 512, 9}, {24, 32, 512, 2048, 1},
	} {
		b.Run(fmt.Sprintf("%dx%d/%dto%d/taps=%d", s.h, s.w, s.in, s.out, s.taps), func(b *testing.B) {
			f := embedded().NewFilter(s.out, s.taps, s.in, make([]float32, s.out*s.taps*s.in), make([]float32, s.out))
			row := s.w + 1
			a := Area{Rows: 1, Cols: s.h * row, ReLU: true, Add: s.out > s.in, InStep: s.in + 16, OutStep: s.out + 16}
			a.In = (row + 1) * a.InStep
			for t := range s.taps {
				if s.taps == 9 {
					a.Offsets = append(a.Offsets, ((t/3-1)*row+t%3-1)*a.InStep)
				} else {
					a.Offsets = append(a.Offsets, 0)
				}
			}
			in := make([]float32, ((s.h+2)*row+20)*a.InStep)
			out := make([]float32, ((s.h+2)*row+20)*a.OutStep)
			for b.Loop() {
				f.Apply(out, in, &a)
			}
			flops := 2 * float64(s.h*s.w) * float64(s.in*s.out*s.taps)
			b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
