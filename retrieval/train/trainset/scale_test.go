package trainset

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// writeCleanList writes a list of the size of Google Landmarks v2 clean, whose
// classes have 2 to 10,000 images: 1,580,470 images of 81,313 classes.
func writeCleanList(tb testing.TB, path string) {
	tb.Helper()
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "landmark_id,images")
	const images, classes = 1_580_470, 81_313
	for c, i := 0, 0; c < classes; c++ {
		n := max(2, min(10_000, (images-i-2*(classes-c))*7/(2*(c+10))+2))
		if c == classes-1 {
			n = images - i
		}
		fmt.Fprintf(w, "%d,", c)
		for range n {
			fmt.Fprintf(w, "%016x ", mix(uint64(i)))
			i++
		}
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		tb.Fatal(err)
	}
}

// BenchmarkGoogle2 reads a list of the size of Google Landmarks v2 clean, and
// draws the first batch of an epoch.
func BenchmarkGoogle2(b *testing.B) {
	path := filepath.Join(b.TempDir(), "train_clean.csv")
	writeCleanList(b, path)
	var s *Set
	var before, after runtime.MemStats
	for b.Loop() {
		s = nil
		runtime.GC()
		runtime.ReadMemStats(&before)
		s = mustOpen(b, unchecked(KindGoogle2, path))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(s.Len()), "images")
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB-held")
}

// BenchmarkEpoch draws a batch of a new epoch of 1.6 million images.
func BenchmarkEpoch(b *testing.B) {
	path := filepath.Join(b.TempDir(), "train_clean.csv")
	writeCleanList(b, path)
	s := newSampler(b, mustOpen(b, unchecked(KindGoogle2, path)), SamplerOptions{Batch: 4096, PerClass: 4, Balance: 0.5})
	e := 0
	for b.Loop() {
		s.Batch(e, 0)
		e++
	}
}
