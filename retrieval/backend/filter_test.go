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
