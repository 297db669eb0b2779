package trainset

import "math/rand/v2"

// mix is the finalizer of splitmix64 (Steele, Lea and Flood, OOPSLA 2014).
func mix(z uint64) uint64 {
	z += 0x9E3779B97F4A7C15
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
	z = (z ^ (z >> 27)) * 0x94D049BB133111EB
	return z ^ (z >> 31)
}

// key derives a number from what it is for and from where in training it is.
func key(seed uint64, what string, at ...uint64) uint64 {
	h := mix(seed)
	for i := range len(what) {
		h = mix(h ^ uint64(what[i]))
	}
	for _, v := range at {
		h = mix(h ^ v)
	}
	return h
}

// generator returns the random generator of a thing.
func generator(seed uint64, what string, at ...uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, key(seed, what, at...)))
}
