//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64) || (windows && amd64))

package backend

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
)

// errNoXLA says why this program cannot load plugins; nil: it can.
var errNoXLA error

// openXLA loads a PJRT plugin. Scores are to be exact: no TF32 on a GPU.
func openXLA(path string) (device compute.Backend, err error) {
	// go-xla panics on some broken plugins; here that is an error as any other.
	defer func() {
		if r := recover(); r != nil {
			device, err = nil, fmt.Errorf("load plugin: %v", r)
		}
	}()
	xla.EnableAutoInstall(false) // nothing is downloaded unasked
	return xla.New(path + ",tf32=false")
}
