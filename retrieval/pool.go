package retrieval

import "math"

// Real is a type of descriptor values.
type Real interface{ float32 | float64 }

// poolFloor is the smallest magnitude that signed power pooling sees: as in
// the reference, a value that is not zero is moved up to it before the power.
const poolFloor = 1e-6

// PoolMean returns the mean of an image's descriptors at several scales, not
// scaled to unit length. All have the same number of values.
func PoolMean[T Real](scales [][]T) []float64 {
	return pool(scales, func(v float64) float64 { return v }, func(v float64) float64 { return v })
}

// PoolGeM returns the signed power mean of an image's descriptors at several
// scales, not scaled to unit length,
//
//	s_{1/p}( mean_i s_p(x_i) ),   s_p(x) = sign(x) · max(|x|, 1e-6)^p
//
// as deep-image-retrieval pools them (dirtorch.utils.common.pool; p = 3). A
// single descriptor is returned as it is.
func PoolGeM[T Real](scales [][]T, p float64) []float64 {
	return pool(scales, func(v float64) float64 { return signedPower(v, p) }, func(v float64) float64 { return signedPower(v, 1/p) })
}

func pool[T Real](scales [][]T, before, after func(float64) float64) []float64 {
	out := make([]float64, len(scales[0]))
	for i := range out {
		if len(scales) == 1 {
			out[i] = float64(scales[0][i])
			continue
		}
		sum := 0.0
		for _, s := range scales {
			sum += before(float64(s[i]))
		}
		out[i] = after(sum / float64(len(scales)))
	}
	return out
}

func signedPower(v, p float64) float64 {
	if v == 0 {
		return 0
	}
	return math.Copysign(math.Pow(max(math.Abs(v), poolFloor), p), v)
}

// Normalize scales a row to unit length, in place. A row whose length is below
// 1e-12 is divided by that instead, as PyTorch does: zero stays zero.
func Normalize(row []float64) {
	squares := 0.0
	for _, v := range row {
		squares += v * v
	}
	norm := max(math.Sqrt(squares), 1e-12)
	for i := range row {
		row[i] /= norm
	}
}
