package backend

import "golang.org/x/sys/cpu"

//go:noescape
func tileAVX512(k int, a, b, c *float32, first bool)

//go:noescape
func aboveAVX512(c, limit *float32, masks *uint32) (any uint32)

//go:noescape
func beyondAVX512(c, cols, rows *float32, masks *uint32) (any uint32)

//go:noescape
func tileAVX2(k int, a, b, c *float32, first bool)

//go:noescape
func aboveAVX2(c, limit *float32, masks *uint32) (any uint32)

//go:noescape
func beyondAVX2(c, cols, rows *float32, masks *uint32) (any uint32)

//go:noescape
func filterAVX512(t *filterTile)

//go:noescape
func filterAVX2(t *filterTile)

//go:noescape
func max3AVX2(dst, a, b, c *float32, n int)

// kernels lists the kernels that this processor and its operating system can
// run, fastest first.
func kernels() []kernel {
	var ks []kernel
	if cpu.X86.HasAVX512F {
		ks = append(ks, kernel{
			name: "AVX-512", rows: 14, cols: 32,
			tile: tileAVX512, above: aboveAVX512, beyond: beyondAVX512, filter: filterAVX512, max3: max3AVX2,
		})
	}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		ks = append(ks, kernel{
			name: "AVX2", rows: 6, cols: 16,
			tile: tileAVX2, above: aboveAVX2, beyond: beyondAVX2, filter: filterAVX2, max3: max3AVX2,
		})
	}
	return append(ks, portable())
}
