package imgio

import "golang.org/x/sys/cpu"

//go:noescape
func rowAVX2(dst, src *byte, first, count, weights *int32, n int)

//go:noescape
func columnAVX2(dst, src *byte, stride int, weights *int32, taps, n int)

//go:noescape
func yccAVX2(dst, luma, cb, cr *byte, n int)

//go:noescape
func triangleAVX2(dst, near, far *byte, n int)

func init() {
	if cpu.X86.HasAVX2 {
		rowKernel, columnKernel, yccKernel, triangleKernel = rowAVX2, columnAVX2, yccAVX2, triangleAVX2
	}
}
