package augment

import "golang.org/x/sys/cpu"

//go:noescape
func warpAVX2(r *warpRow)

// warpKernel computes pixels whose four neighbours are all there; it may read
// and write a byte beyond each. nil: there is none.
var warpKernel func(r *warpRow)

func init() {
	if cpu.X86.HasAVX2 {
		warpKernel = warpAVX2
	}
}
