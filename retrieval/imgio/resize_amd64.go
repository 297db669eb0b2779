package imgio

import "golang.org/x/sys/cpu"

// columnBytes are what the kernel for columns computes at a time.
const columnBytes = 16

//go:noescape
func rowAVX2(dst, src *byte, first, count, weights *int32, n int)

//go:noescape
func columnAVX2(dst, src *byte, stride int, weights *int32, taps, n int)

var (
	// rowKernel scales a row to n pixels; it may read and write a byte beyond the
	// last one. nil: there is none.
	rowKernel func(dst, src *byte, first, count, weights *int32, n int)
	// columnKernel makes n bytes of a row, a multiple of columnBytes, of those of
	// taps rows that are stride bytes apart.
	columnKernel func(dst, src *byte, stride int, weights *int32, taps, n int)
)

func init() {
	if cpu.X86.HasAVX2 {
		rowKernel, columnKernel = rowAVX2, columnAVX2
	}
}
