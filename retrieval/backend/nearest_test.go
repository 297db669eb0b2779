package backend

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// nearestBySorting is one direction, from all products in order.
func nearestBySorting(a, c Matrix) []Nearest {
	out := nothingNear(a.Rows)
	for i, hits := range naive(a, c, 2) {
		for _, h := range hits {
			out[i].push(h.Index, h.Score)
		}
	}
	return out
}

func TestNearestBothAgreesWithSorting(t *testing.T) {
	for _, k := range kernels() {
		t.Run(k.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				dim := rapid.SampledFrom([]int{1, 3, 32, 300}).Draw(t, "dim")
				a := integers(t, rapid.IntRange(1, 70).Draw(t, "rows of a"), dim)
				c := integers(t, rapid.IntRange(1, 90).Draw(t, "rows of c"), dim)
				b := withKernel(k, rapid.IntRange(1, 4).Draw(t, "jobs"))
				ofA, ofC, err := b.NearestBoth(t.Context(), a, c)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(nearestBySorting(a, c), ofA); diff != "" {
					t.Errorf("of a (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(nearestBySorting(c, a), ofC); diff != "" {
					t.Errorf("of c (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// More queries than a block holds, more rows than a chunk.
func TestNearestBothOfLargeMatrices(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	a, c := randomMatrix(rng, 700, 32), randomMatrix(rng, blockQueries+77, 32)
	b := withKernel(kernels()[0], 2)
	ofA, ofC, err := b.NearestBoth(t.Context(), a, c)
	if err != nil {
		t.Fatal(err)
	}
	close := cmp.Comparer(func(x, y float32) bool { return math.Abs(float64(x-y)) < 1e-6 || x == y })
	if diff := cmp.Diff(nearestBySorting(a, c), ofA, close); diff != "" {
		t.Errorf("of a (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(nearestBySorting(c, a), ofC, close); diff != "" {
		t.Errorf("of c (-want +got):\n%s", diff)
	}
}

func TestNearestBothNeverFindsNaN(t *testing.T) {
	nan := float32(math.NaN())
	a := Matrix{Rows: 2, Cols: 1, Data: []float32{nan, 1}}
	c := Matrix{Rows: 3, Cols: 1, Data: []float32{nan, 2, 1}}
	for _, k := range kernels() {
		ofA, ofC, err := withKernel(k, 1).NearestBoth(t.Context(), a, c)
		if err != nil {
			t.Fatal(err)
		}
		if ofA[0].Index != -1 || ofA[1].Index != 1 || ofC[0].Index != -1 || ofC[1].Index != 1 {
			t.Errorf("%s: found %v and %v", k.name, ofA, ofC)
		}
	}
}

// matchSizes are those of today's tools: keypoints an image, values a descriptor.
var matchSizes = []struct{ rows, dim int }{{5000, 128}, {20000, 32}, {20000, 128}}

func benchmarkNearest(b *testing.B, be *Backend) {
	for _, size := range matchSizes {
		b.Run(fmt.Sprintf("%dx%d", size.rows, size.dim), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 2))
			x, y := randomMatrix(rng, size.rows, size.dim), randomMatrix(rng, size.rows, size.dim)
			if _, _, err := be.NearestBoth(b.Context(), x, y); err != nil { // a device compiles
				b.Fatal(err)
			}
			for b.Loop() {
				if _, _, err := be.NearestBoth(b.Context(), x, y); err != nil {
					b.Fatal(err)
				}
			}
			flops := 2 * float64(size.rows) * float64(size.rows) * float64(size.dim) * float64(b.N)
			b.ReportMetric(flops/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

func BenchmarkNearestBoth(b *testing.B) { benchmarkNearest(b, withKernel(kernels()[0], 2)) }

// BenchmarkDeviceNearest is the same on the device that LOCBENCH_BACKEND names;
// docs/benchmarks/gpu.sh runs it beside PyTorch.
func BenchmarkDeviceNearest(b *testing.B) {
	spec := os.Getenv("LOCBENCH_BACKEND")
	if spec == "" {
		b.Skip("LOCBENCH_BACKEND names no device: skipped")
	}
	be, err := Open(spec)
	if err != nil {
		b.Fatal(err)
	}
	defer be.Close()
	benchmarkNearest(b, be)
}
