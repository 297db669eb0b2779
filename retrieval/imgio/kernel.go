package imgio

// Kernels of the processor; nil: there is none.
var (
	// rowKernel scales a row to n pixels; it may read and write a byte beyond the
	// last one.
	rowKernel func(dst, src *byte, first, count, weights *int32, n int)
	// columnKernel makes n bytes of a row, a multiple of columnBytes, of those of
	// taps rows that are stride bytes apart.
	columnKernel func(dst, src *byte, stride int, weights *int32, taps, n int)
	// yccKernel converts n pixels, a multiple of yccPixels; it may write four bytes
	// beyond the last one.
	yccKernel func(dst, luma, cb, cr *byte, n int)
	// triangleKernel doubles n samples, a multiple of triangleSamples, of the middle
	// of a row.
	triangleKernel func(dst, near, far *byte, n int)
)

// What the kernels compute at a time.
const (
	columnBytes     = 16
	yccPixels       = 8
	triangleSamples = 16
)
