package backend

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// Found is what [Probe] says about one backend.
type Found struct {
	Spec   string   // what [Open] takes: "go", "xla:cpu", "xla:cuda"
	OK     bool     // opened, and its self-test gave the right result
	Detail string   // the kernel in use or the plugin and its device
	Looked []string // folders in which a plugin was looked for, in order
	Err    error    // why not, if not OK
	Hint   string   // how to get it, if not OK
	Memory string   // of the device, "" if it is not known
	GFLOPS float64  // speed of the self-test's product, 10⁹ operations a second
}

// Probe tries every backend by its name and measures those that open. It takes
// a fraction of a second for the embedded backend and seconds for a plugin.
func Probe() []Found {
	found := []Found{{Spec: "go", Detail: embeddedDetail()}, {Spec: "xla:cpu"}, {Spec: "xla:cuda"}}
	for i := range found {
		f := &found[i]
		if name, isXLA := strings.CutPrefix(f.Spec, "xla:"); isXLA {
			f.Detail, f.Looked = findPlugin(name)
			f.Hint = installHint
			if errNoXLA != nil {
				f.Hint = ""
			} else if f.Detail == "" {
				f.Err = errors.New("no PJRT plugin found")
				continue
			}
		}
		if f.GFLOPS, f.Err = probe(f); f.Err == nil {
			f.OK, f.Hint = true, ""
			f.Memory = deviceMemory(f.Spec)
		}
	}
	return found
}

// deviceMemory is that of the GPU, or of the machine where the CPU computes.
func deviceMemory(spec string) string {
	if spec == "xla:cuda" {
		return cudaMemory(context.Background())
	}
	return hostMemory()
}

// probe opens the backend, adds its device to the detail and runs the self-test.
func probe(f *Found) (gflops float64, err error) {
	b, err := Open(f.Spec)
	if err != nil {
		return 0, err
	}
	defer b.Close()
	if b.device != nil {
		f.Detail += ", " + b.device.DeviceDescription(0)
	}
	return selfTest(b)
}

// embeddedDetail says what the embedded backend computes with: the kernel in use,
// the others that would run here, and whether this program was built with
// GOEXPERIMENT=simd, which GoMLX's interpreter needs to be fast (the kernels of
// this package do not).
func embeddedDetail() string {
	var names []string
	for _, k := range kernels() {
		names = append(names, k.name)
	}
	simd := "off"
	if SIMD() {
		simd = "on"
	}
	detail := names[0] + " kernel"
	if len(names) > 1 {
		detail += " (also here: " + strings.Join(names[1:], ", ") + ")"
	}
	return fmt.Sprintf("%s, %d threads, GOEXPERIMENT=simd %s", detail, runtime.GOMAXPROCS(0), simd)
}

// SIMD reports whether the program was built with GOEXPERIMENT=simd.
func SIMD() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool {
		return s.Key == "GOEXPERIMENT" && slices.Contains(strings.Split(s.Value, ","), "simd")
	})
}

// selfTest multiplies 256 queries with 8,192 rows of 512 small integers, whose
// products float32 holds exactly, checks every best hit and returns the speed
// of the fastest of four runs.
func selfTest(b *Backend) (gflops float64, err error) {
	const queries, rows, dim = 256, 8192, 512
	q, db := testMatrix(queries, dim), testMatrix(rows, dim)
	var fastest time.Duration
	for range 4 {
		start := time.Now()
		hits, err := b.TopK(context.Background(), q, db, 1)
		if err != nil {
			return 0, err
		}
		if took := time.Since(start); fastest == 0 || took < fastest {
			fastest = took
		}
		// Row i of both is the same, and no other row is more alike.
		for i, h := range hits {
			if want := squares(q.Data[i*dim:][:dim]); len(h) != 1 || int(h[0].Index) != i || h[0].Score != want {
				return 0, fmt.Errorf("self-test: want row %d with %g for query %d, found %v", i, want, i, h)
			}
		}
	}
	return 2 * queries * rows * dim / fastest.Seconds() / 1e9, nil
}

// testMatrix fills a matrix with -2 … 2, from a linear congruential generator.
func testMatrix(rows, cols int) Matrix {
	m := Matrix{Rows: rows, Cols: cols, Data: make([]float32, rows*cols)}
	state := uint64(1)
	for i := range m.Data {
		state = state*6364136223846793005 + 1442695040888963407
		m.Data[i] = float32(int(state>>60)%5 - 2)
	}
	return m
}

func squares(row []float32) float32 {
	var sum float32
	for _, v := range row {
		sum += v * v
	}
	return sum
}
