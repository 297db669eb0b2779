//go:build !(cgo && ((linux && (amd64 || arm64)) || (darwin && arm64) || (windows && amd64)))

package backend

import (
	"errors"

	"github.com/gomlx/compute"
)

// errNoXLA says why this program cannot load plugins; nil: it can.
var errNoXLA = errors.New("this program was built without XLA: it needs CGO_ENABLED=1, a C compiler and Linux, macOS on arm64 or Windows on amd64")

func openXLA(string) (compute.Backend, error) { return nil, errNoXLA }
