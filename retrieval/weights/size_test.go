package weights_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"locbench/retrieval/weights"
)

// resnet101 is a checkpoint like the published ones: 178 MB of tensors, and a PCA
// set of 34 MB.
func resnet101(tb testing.TB) torchFile {
	tb.Helper()
	specs, err := (&weights.Checkpoint{Arch: "resnet101_rmac", OutDim: 2048, Pooling: "gem"}).Expect()
	if err != nil {
		tb.Fatal(err)
	}
	return torchFile{specs: specs, options: map[string]string{"arch": unicode("resnet101_rmac"), "out_dim": integer(2048), "pooling": unicode("gem")}, pca: 2048}
}

// readAll opens a checkpoint and keeps every tensor as float32, as loading a
// network does.
func readAll(path string) (opened, read time.Duration, err error) {
	start := time.Now()
	c, err := weights.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer c.Close()
	d, err := c.Check()
	if err != nil {
		return 0, 0, err
	}
	if err := d.Err(path); err != nil {
		return 0, 0, err
	}
	opened = time.Since(start)
	if p := c.PCA["Landmarks_clean"]; p == nil || !p.Whiten || p.Components[2049] != 1.7 {
		return 0, 0, fmt.Errorf("want the PCA set, found another")
	}
	held := map[string][]float32{}
	for _, t := range c.Tensors {
		if held[t.Name], err = t.Float32(); err != nil {
			return 0, 0, err
		}
	}
	return opened, time.Since(start), nil
}

const sizeEnv = "WEIGHTS_SIZE_FILE"

// TestReadSizeChild reads a checkpoint in a process of its own and prints its
// peak memory, for the benchmark below.
func TestReadSizeChild(t *testing.T) {
	path := os.Getenv(sizeEnv)
	if path == "" {
		t.Skip("part of BenchmarkOpen: skipped")
	}
	if _, _, err := readAll(path); err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("no /proc: peak memory unknown")
	}
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	fmt.Printf("peak=%s\n", strings.Fields(peak)[0])
}

// peakMemory reads a checkpoint in a child process and returns its peak
// resident memory in bytes.
func peakMemory(b *testing.B, path string) float64 {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestReadSizeChild$")
	cmd.Env = append(os.Environ(), sizeEnv+"="+path)
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	_, peak, ok := strings.Cut(string(out), "peak=")
	if !ok {
		return 0
	}
	kib, err := strconv.ParseFloat(strings.Fields(peak)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kib * 1024
}

// BenchmarkOpen opens a ResNet-101 checkpoint with a PCA set, and reads all of its
// tensors into memory: the milliseconds of both, and the peak memory of the
// process as a multiple of the file's size.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	f := resnet101(b)
	files := map[string]string{"zip": filepath.Join(dir, "zip.pt"), "legacy": filepath.Join(dir, "legacy.pt"), "safetensors": filepath.Join(dir, "x.safetensors")}
	f.writeZip(b, files["zip"])
	f.writeLegacy(b, files["legacy"])
	if err := weights.WriteSafetensors(files["safetensors"], open(b, files["zip"])); err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"zip", "legacy", "safetensors"} {
		path := files[name]
		b.Run(name, func(b *testing.B) {
			var opened, read time.Duration
			for b.Loop() {
				o, r, err := readAll(path)
				if err != nil {
					b.Fatal(err)
				}
				opened, read = opened+o, read+r
			}
			info, err := os.Stat(path)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(info.Size())
			b.ReportMetric(opened.Seconds()*1e3/float64(b.N), "open-ms")
			b.ReportMetric(read.Seconds()*1e3/float64(b.N), "read-ms")
			b.ReportMetric(peakMemory(b, path)/float64(info.Size()), "peak/size")
		})
	}
}
