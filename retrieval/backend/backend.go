package backend

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
)

// ErrSpec is wrapped by what [Open] returns for a name that it does not know.
var ErrSpec = errors.New(`unknown backend (want "go", "xla:cpu", "xla:cuda" or "xla:/path/to/plugin.so")`)

// Backend computes products on one device. It is safe for concurrent use.
type Backend struct {
	// Jobs bounds the goroutines of one product of the embedded backend; 0
	// stands for GOMAXPROCS. Results do not depend on it.
	Jobs int

	name   string
	kernel kernel          // of the embedded backend
	device compute.Backend // of XLA; nil for the embedded backend

	once           sync.Once // opens interpreter, see Device
	interpreter    compute.Backend
	interpreterErr error

	nearestOnce sync.Once // prepares nearestExec, see NearestBoth
	nearestExec *graph.Exec
	nearestErr  error
}

// Open opens the backend that spec names: "go" is the embedded one, "xla:cpu"
// and "xla:cuda" look for a PJRT plugin (see [Probe] for where), and
// "xla:/path/to/plugin.so" loads that file. "" is the best that works here:
// CUDA where there is a plugin and it works, and else the embedded backend.
// Nothing is ever downloaded. The error for a plugin that is not there says
// where it was looked for and how to get one; an unknown name is [ErrSpec].
func Open(spec string) (*Backend, error) {
	switch {
	case spec == "":
		if b, err := openNamed("cuda"); err == nil {
			return b, nil
		}
		return embedded(), nil
	case spec == "go":
		return embedded(), nil
	case spec == "xla:cpu" || spec == "xla:cuda":
		return openNamed(strings.TrimPrefix(spec, "xla:"))
	case strings.HasPrefix(spec, "xla:") && filepath.IsAbs(spec[len("xla:"):]):
		return openPlugin(spec, spec[len("xla:"):])
	}
	return nil, fmt.Errorf("open backend %q: %w", spec, ErrSpec)
}

func embedded() *Backend { return &Backend{name: "go", kernel: kernels()[0]} }

// openNamed opens the first plugin of that name in the usual places.
func openNamed(name string) (*Backend, error) {
	spec := "xla:" + name
	if errNoXLA != nil {
		return nil, fmt.Errorf("open backend %s: %w", spec, errNoXLA)
	}
	path, looked := findPlugin(name)
	if path == "" {
		return nil, fmt.Errorf("open backend %s: no PJRT plugin in %s; %s", spec, strings.Join(looked, ", "), installHint)
	}
	return openPlugin(spec, path)
}

func openPlugin(spec, path string) (*Backend, error) {
	if err := checkPlugin(path); err != nil {
		return nil, fmt.Errorf("open backend %s: %w", spec, err)
	}
	device, err := openXLA(path)
	if err != nil {
		return nil, fmt.Errorf("open backend %s: %s: %w", spec, path, err)
	}
	return &Backend{name: spec, device: device}, nil
}

// Name returns what [Open] opens again: "go", "xla:cpu", ….
func (b *Backend) Name() string { return b.name }

// Close frees the device. The backend must not be used afterwards.
func (b *Backend) Close() error {
	if b.nearestExec != nil {
		b.nearestExec.Finalize()
	}
	for _, device := range []compute.Backend{b.device, b.interpreter} {
		if device != nil {
			device.Finalize()
		}
	}
	return nil
}

// Matrix is a row-major matrix: row i is Data[i*Cols:(i+1)*Cols].
type Matrix struct {
	Rows, Cols int
	Data       []float32
}

// TopK returns, for every row of queries, the k rows of db with the largest dot
// products, best first and at equal products the lower row first; all of them
// if db has fewer. A NaN is never a hit.
//
// The products are exact to float32 rounding and their bytes do not depend on
// Jobs, on the other queries, or on how the matrices are cut; they differ
// between backends by rounding (1e-6 for unit vectors). Beyond the matrices and
// the hits, the embedded backend needs the packed queries (at most 1,024 of them)
// and about 1 MiB a worker.
//
// It panics if the shapes do not fit; the only errors are the context's and
// those of an XLA device.
func (b *Backend) TopK(ctx context.Context, queries, db Matrix, k int) ([][]Hit, error) {
	for _, m := range []Matrix{queries, db} {
		if len(m.Data) != m.Rows*m.Cols {
			panic("backend: matrix data does not fit its shape")
		}
	}
	if queries.Cols != db.Cols && queries.Rows > 0 && db.Rows > 0 {
		panic("backend: matrices with different columns")
	}
	if db.Rows > math.MaxInt32 {
		panic("backend: more rows than an int32 counts")
	}
	k = min(k, db.Rows)
	if k <= 0 || queries.Rows == 0 || db.Cols == 0 {
		return make([][]Hit, queries.Rows), ctx.Err()
	}
	if b.device != nil {
		return b.graphTopK(ctx, queries, db, k)
	}
	workers := b.Jobs
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	s := search{kernel: b.kernel, queries: queries, db: db, k: k, workers: workers}
	return s.run(ctx)
}
