//go:build !amd64

package imgio

const columnBytes = 1

var (
	rowKernel    func(dst, src *byte, first, count, weights *int32, n int)
	columnKernel func(dst, src *byte, stride int, weights *int32, taps, n int)
)
