package metrics

import (
	"math"
	"slices"
)

// Pearson is the linear correlation of pairs, NaN where one side does not vary.
func Pearson(x, y []float64) float64 {
	if constant(x) || constant(y) {
		return math.NaN() // the sums below need not be zero: the mean is rounded
	}
	mx, my := mean(x), mean(y)
	var xy, xx, yy float64
	for i := range x {
		xy += (x[i] - mx) * (y[i] - my)
		xx += (x[i] - mx) * (x[i] - mx)
		yy += (y[i] - my) * (y[i] - my)
	}
	return xy / math.Sqrt(xx*yy)
}

func constant(values []float64) bool {
	return !slices.ContainsFunc(values, func(v float64) bool { return v != values[0] })
}

// Spearman is the linear correlation of the ranks of pairs.
func Spearman(x, y []float64) float64 {
	same := func(v float64) float64 { return v }
	rx, _ := rank(x, same)
	ry, _ := rank(y, same)
	return Pearson(rx, ry)
}

// Kendall is tau-b: pairs of pairs in the same order less those in the other,
// over the root of those that are tied on neither side each.
func Kendall(x, y []float64) float64 {
	var agree, nx, ny float64
	for i := range x {
		for j := range i {
			dx, dy := sign(x[i]-x[j]), sign(y[i]-y[j])
			agree += dx * dy
			nx += dx * dx
			ny += dy * dy
		}
	}
	return agree / math.Sqrt(nx*ny)
}

func sign(v float64) float64 {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}
