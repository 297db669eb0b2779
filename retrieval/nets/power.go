package nets

import "math"

// power raises float32 to a fixed exponent in float64, faster than math.Pow:
// with tables of 128 logarithms and 128 powers of two, and short series. The
// relative error is below 1e-10·p, far below what float32 holds.
type power struct {
	p     float64
	floor float64 // ε^p
	inv   [tableSize]float64
	log   [tableSize]float64
	exp   [tableSize]float64
}

const (
	tableBits = 7
	tableSize = 1 << tableBits
)

func newPower(p float64) *power {
	w := &power{p: p, floor: math.Pow(gemEpsilon, p)}
	for i := range tableSize {
		center := 1 + (float64(i)+0.5)/tableSize
		w.inv[i] = 1 / center
		w.log[i] = math.Log2(center)
		w.exp[i] = math.Exp2(float64(i) / tableSize)
	}
	return w
}

// accumulate adds max(x, ε)^p to sums.
func (w *power) accumulate(sums []float64, x []float32) {
	sums = sums[:len(x)]
	if w.p == 3 { // where training starts, and often stays
		for i, v := range x {
			d := max(float64(v), gemEpsilon)
			sums[i] += d * d * d
		}
		return
	}
	for i, v := range x {
		if v > gemEpsilon {
			sums[i] += w.of(v)
		} else {
			sums[i] += w.floor
		}
	}
}

// of is x^p for a normal, positive x. With x = 2^e·m and c the centre of m's
// interval: log2 x = e + log2 c + log2(1+r), r = m/c - 1, |r| < 2^-8.
func (w *power) of(x float32) float64 {
	bits := math.Float32bits(x)
	i := bits >> (23 - tableBits) & (tableSize - 1)
	m := float64(math.Float32frombits(bits&(1<<23-1) | 127<<23))
	r := m*w.inv[i] - 1
	series := r * (1 - r*(0.5-r*(1./3-r*(0.25-r*0.2)))) // log(1+r)
	y := w.p * (float64(int(bits>>23)-127) + w.log[i] + series*math.Log2E)
	if !(math.Abs(y) < 1000) {
		return math.Pow(float64(x), w.p)
	}
	k := math.Floor(y * tableSize)
	f := (y*tableSize - k) * (math.Ln2 / tableSize) // 0 … 0.0055
	n := int(k)
	scale := math.Float64frombits(uint64(1023+n>>tableBits) << 52)
	return scale * w.exp[n&(tableSize-1)] * (1 + f*(1+f*(0.5+f*(1./6+f/24))))
}
