package backend

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
)

// Embedded says that this is the embedded backend, whose kernels [Filter] is
// made of; else it is a device of XLA, which runs graphs.
func (b *Backend) Embedded() bool { return b.device == nil }

// Device returns what runs GoMLX graphs on this backend: the device of XLA, or
// beside the embedded kernels GoMLX's own interpreter, opened on the first
// call. Its operations run one after the other: in parallel, two large products
// can each wait for workers that the other holds.
func (b *Backend) Device() (compute.Backend, error) {
	if b.device != nil {
		return b.device, nil
	}
	b.once.Do(func() { b.interpreter, b.interpreterErr = gobackend.New("ops_sequential") })
	if b.interpreterErr != nil {
		return nil, fmt.Errorf("open backend go for graphs: %w", b.interpreterErr)
	}
	return b.interpreter, nil
}
