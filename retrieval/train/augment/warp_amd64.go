package augment

import "golang.org/x/sys/cpu"

//go:noescape
func warpAVX2(r *warpRow)

func init() {
	if cpu.X86.HasAVX2 {
		warpKernel = warpAVX2
	}
}
