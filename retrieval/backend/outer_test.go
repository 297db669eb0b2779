package backend

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestAddOuter compares with sums in float64, on every kernel.
func TestAddOuter(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, k := range append(kernels(), portable()) {
		for _, c := range []struct{ pixels, features, outputs int }{{1, 1, 1}, {5, 3, 40}, {300, 21, 16}, {700, 64, 33}} {
			b := &Backend{kernel: k}
			in := random(rng, (c.pixels+1)*c.features+FilterSlack)
			right := random(rng, c.pixels*c.outputs)
			var offsets, at []int
			for p := range c.pixels {
				offsets, at = append(offsets, p*c.features), append(at, p*c.outputs)
			}
			var p Pixels
			b.Pack(&p, right, at, c.outputs)
			sums := make([]float32, c.features*p.Width())
			p.AddOuter(sums, in, offsets, c.features)
			p.AddOuter(sums, in, offsets, c.features)
			for i := range c.features {
				for o := range c.outputs {
					want := 0.0
					for q := range c.pixels {
						want += 2 * float64(in[offsets[q]+i]) * float64(right[at[q]+o])
					}
					if got := float64(sums[i*p.Width()+o]); math.Abs(got-want) > 1e-3 {
						t.Fatalf("%s, %v: sum %d,%d: want %g, found %g", k.name, c, i, o, want, got)
					}
				}
			}
		}
	}
}

func random(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = rng.Float32()*2 - 1
	}
	return x
}
