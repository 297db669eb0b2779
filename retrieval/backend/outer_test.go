package backend

import (
	"math"
	"math/rand/v2"
	"slices"
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
			var chains []Chain
			for q, o := range offsets {
				if q%ChainPixels == 0 {
					chains = append(chains, Chain{})
				}
				last := &chains[len(chains)-1]
				*last = append(*last, Pair{o, q})
			}
			p.AddOuter(sums, in, chains, c.features)
			p.AddOuter(sums, in, chains, c.features)
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

// TestAddOuterChains: any pairs, an empty chain, and more chains than fit at a time
// are the sums of one chain after the other.
func TestAddOuterChains(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const pixels, features, outputs = 90, 17, 40
	for _, k := range append(kernels(), portable()) {
		b := &Backend{kernel: k}
		in, right := random(rng, pixels*features+FilterSlack), random(rng, pixels*outputs)
		var at []int
		for p := range pixels {
			at = append(at, p*outputs)
		}
		var p Pixels
		b.Pack(&p, right, at, outputs)
		chains := []Chain{nil, {{5 * features, 80}}, {}}
		for range 70 {
			var c Chain
			for range 9 {
				c = append(c, Pair{rng.IntN(pixels) * features, rng.IntN(pixels)})
			}
			chains = append(chains, c)
		}
		got, want := make([]float32, features*p.Width()), make([]float32, features*p.Width())
		p.AddOuter(got, in, chains, features)
		for _, c := range chains {
			p.AddOuter(want, in, []Chain{c}, features)
		}
		sum := 0.0
		for _, c := range chains {
			for _, pair := range c {
				sum += float64(in[pair.In+16]) * float64(right[at[pair.Packed]+39])
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: chains together differ from each alone", k.name)
		}
		if v := got[16*p.Width()+39]; math.Abs(float64(v)-sum) > 1e-4 {
			t.Errorf("%s: want %g, found %g", k.name, sum, v)
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
