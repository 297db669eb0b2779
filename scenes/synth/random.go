package synth

import (
	"math"
	"math/rand/v2"
)

// Everything random in a scene is a function of the seed and of what it is
// for: an image's generator never depends on which worker renders it, or when.

// mix is the finalizer of splitmix64: a bijection whose output bits all depend
// on all input bits.
func mix(z uint64) uint64 {
	z += 0x9E3779B97F4A7C15
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
	z = (z ^ (z >> 27)) * 0x94D049BB133111EB
	return z ^ (z >> 31)
}

// fnv1a is the 64-bit FNV-1a hash.
func fnv1a(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// generator returns the random generator of item i of a kind of thing.
func generator(seed uint64, kind string, i int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, mix(fnv1a(kind)+uint64(i))))
}

// cellHash hashes integer coordinates under a seed: the texture functions' dice.
func cellHash(seed uint64, i, j int) uint64 {
	return mix(seed ^ uint64(uint32(i))<<32 ^ uint64(uint32(j)))
}

// unit maps a hash to [0, 1) by its upper bits.
func unit(h uint64) float64 { return float64(h>>11) * 0x1p-53 }

// between returns a uniform number of [lo, hi).
func between(r *rand.Rand, lo, hi float64) float64 { return lo + (hi-lo)*r.Float64() }

// noise is a tileable value noise: a table of random values between which
// [noise.at] interpolates.
type noise struct {
	values [noiseSize * noiseSize]float32
}

const noiseSize = 128

func newNoise(seed uint64) *noise {
	r := generator(seed, "noise", 0)
	n := new(noise)
	for i := range n.values {
		n.values[i] = r.Float32()
	}
	return n
}

// at returns the noise in [0, 1] at (x, y); it varies over one unit.
func (n *noise) at(x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	i, j := int(fx)&(noiseSize-1), int(fy)&(noiseSize-1)
	i1, j1 := (i+1)&(noiseSize-1), (j+1)&(noiseSize-1)
	a, b := smooth(x-fx), smooth(y-fy)
	v := &n.values
	top := float64(v[j*noiseSize+i])*(1-a) + float64(v[j*noiseSize+i1])*a
	low := float64(v[j1*noiseSize+i])*(1-a) + float64(v[j1*noiseSize+i1])*a
	return top*(1-b) + low*b
}

// smooth is the cubic that eases 0 to 1 with flat ends.
func smooth(t float64) float64 { return t * t * (3 - 2*t) }

// clamp limits v to [0, 1].
func clamp(v float64) float64 { return min(max(v, 0), 1) }
