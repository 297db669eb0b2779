package imgio

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestColorKernels: rows of any length are those of the code without kernels, and
// nothing is written beyond them.
func TestColorKernels(t *testing.T) {
	ycc, triangle := yccKernel, triangleKernel
	defer func() { yccKernel, triangleKernel = ycc, triangle }()
	rng := rand.New(rand.NewPCG(1, 2))
	for n := 1; n < 120; n++ {
		rows := make([][]byte, 3)
		for i := range rows {
			rows[i] = make([]byte, n)
			for j := range rows[i] {
				rows[i][j] = byte(rng.IntN(256))
				if rng.IntN(3) == 0 { // extremes, which are limited
					rows[i][j] = byte(255 * rng.IntN(2))
				}
			}
		}
		var color, wide [2][]byte
		for i := range 2 {
			if i == 1 {
				yccKernel, triangleKernel = nil, nil
			}
			color[i], wide[i] = bytes.Repeat([]byte{7}, 3*n+8), bytes.Repeat([]byte{7}, 2*n+40)
			yccRow(color[i][:3*n:3*n], rows[0], rows[1], rows[2])
			if n > 1 {
				triangleHV(wide[i][:2*n:2*n], rows[0], rows[1])
			}
		}
		yccKernel, triangleKernel = ycc, triangle
		if !bytes.Equal(color[0], color[1]) {
			t.Errorf("%d pixels: want %v, found %v", n, color[1], color[0])
		}
		if !bytes.Equal(wide[0], wide[1]) {
			t.Errorf("%d samples: want %v, found %v", n, wide[1], wide[0])
		}
	}
}
