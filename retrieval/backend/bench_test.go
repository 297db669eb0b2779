package backend

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkTopK measures the search at a benchmark's size, for a single query,
// and at k = 1 as matching uses it. LOCBENCH_BENCH_LARGE=1 adds the size that
// docs/benchmarks.md compares with PyTorch (1 GiB). The last figure is how much
// the peak of resident memory lies above the matrices, on Linux.
func BenchmarkTopK(b *testing.B) {
	sizes := []struct{ queries, rows, dim, k int }{
		{200, 20_000, 2048, 20},
		{1, 20_000, 2048, 20},
		{5000, 5000, 128, 1},
	}
	if os.Getenv("LOCBENCH_BENCH_LARGE") != "" {
		sizes = append(sizes, []struct{ queries, rows, dim, k int }{
			{1000, 100_000, 2048, 20}, {1, 100_000, 2048, 20}, {20_000, 20_000, 32, 1}, {20_000, 20_000, 128, 1},
		}...)
	}
	for _, s := range sizes {
		name := fmt.Sprintf("%dx%dx%d/k=%d", s.queries, s.rows, s.dim, s.k)
		b.Run(name, func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 2))
			q, db := uniformMatrix(rng, s.queries, s.dim), uniformMatrix(rng, s.rows, s.dim)
			backend := embedded()
			debug.FreeOSMemory()
			before := resetPeak()
			for b.Loop() {
				topK(b, backend, q, db, s.k)
			}
			seconds := b.Elapsed().Seconds() / float64(b.N)
			b.ReportMetric(2*float64(s.queries)*float64(s.rows)*float64(s.dim)/seconds/1e9, "GFLOP/s")
			b.ReportMetric(float64(s.queries)/seconds, "queries/s")
			if before > 0 {
				b.ReportMetric(float64(resident("VmHWM:")-before)/1024, "MiB-over-matrices")
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(seconds, "s/op")
			runtime.KeepAlive(db)
		})
	}
}

// uniformMatrix is filled faster than with normal numbers.
func uniformMatrix(rng *rand.Rand, rows, cols int) Matrix {
	m := Matrix{Rows: rows, Cols: cols, Data: make([]float32, rows*cols)}
	for i := range m.Data {
		m.Data[i] = (rng.Float32() - 0.5) * 0.076
	}
	return m
}

// resetPeak sets the peak of resident memory to what is resident now and
// returns that in KiB; 0 where Linux does not tell.
func resetPeak() int {
	if os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) != nil {
		return 0
	}
	return resident("VmRSS:")
}

// resident reads a line of /proc/self/status, in KiB.
func resident(key string) int {
	raw, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(raw), key)
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(fields[0])
	return n
}
