package metrics

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %.12g, want %.12g", what, got, want)
	}
}

// The figures are scipy 1.10.1's: binomtest(k, n, 0.5).
func TestMcNemar(t *testing.T) {
	near(t, "3 of 15", McNemar(3, 12), 0.03515625, 1e-12)
	near(t, "0 of 6", McNemar(6, 0), 0.03125, 1e-12)
	near(t, "40 of 100", McNemar(60, 40), 0.05688793364098088, 1e-12)
	near(t, "7 of 14", McNemar(7, 7), 1, 1e-12)
	near(t, "none", McNemar(0, 0), 1, 0)
	if p := McNemar(3000, 2000); !(p > 0 && p < 1e-40) {
		t.Errorf("3000 against 2000: %g", p)
	}
}

// scipy.stats.wilcoxon: exact without ties, and mode="approx", correction=True.
func TestWilcoxon(t *testing.T) {
	x := []float64{1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30}
	y := []float64{0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29}
	var d []float64
	for i := range x {
		d = append(d, x[i]-y[i])
	}
	p, n := Wilcoxon(d)
	near(t, "Hollander and Wolfe's depression scores", p, 0.0390625, 1e-12)
	if n != 9 {
		t.Errorf("%d differences, want 9", n)
	}
	tenths := []int{1, -1, 7, 0, -2, 3, -7, -16, -1, -1, -1, 0, 3, -4, -4, -2, 0, -1, -1, -2, 1, -2, 5, -3, 2, -4, 2, 0, 15, -2, 5, 3, 0, 2, -5, 2,
		-1, -6, 0, 7, -9, -6, -1, 0, 1, -4, 1, 2, -1, -7, -1, -1, 0, -1, 0, 1, 1, -7, -1, -7}
	d = d[:0]
	for _, v := range tenths {
		d = append(d, float64(v))
	}
	p, n = Wilcoxon(d)
	near(t, "60 with ties and zeros", p, 0.11583142675635866, 1e-12)
	if n != 51 {
		t.Errorf("%d differences, want 51", n)
	}
	if p, n := Wilcoxon([]float64{0, math.NaN()}); p != 1 || n != 0 {
		t.Errorf("no differences: p %g of %d", p, n)
	}
	inf := math.Inf(1)
	a, _ := Wilcoxon([]float64{inf, inf, -1, 2, 3, 4, 5, 6})
	b, _ := Wilcoxon([]float64{99, 99, -1, 2, 3, 4, 5, 6})
	near(t, "infinite differences", a, b, 0)
}

// TestCoverage: in simulated experiments the interval holds the true difference
// as often as it says.
func TestCoverage(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for _, c := range []struct{ onlyA, onlyB float64 }{{0.15, 0.07}, {0.2, 0.2}, {0.3, 0.05}} {
		const trials, n = 1000, 191
		held := 0
		for range trials {
			a, b := 0, 0
			for range n {
				switch u := rng.Float64(); {
				case u < c.onlyA:
					a++
				case u < c.onlyA+c.onlyB:
					b++
				}
			}
			iv := DifferenceInterval(a, b, n, 0.95)
			if truth := c.onlyA - c.onlyB; iv.Lo <= truth && truth <= iv.Hi {
				held++
			}
		}
		if share := float64(held) / trials; share < 0.93 || share > 0.97 {
			t.Errorf("%+v: the interval of 95 %% holds the truth in %.1f %%, want 93 to 97", c, 100*share)
		}
	}
}

// TestIntervalDrawn holds the computed interval against a drawn one.
func TestIntervalDrawn(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	const a, b, n, rounds = 30, 12, 191, 20000
	sums := make([]int, rounds)
	for r := range sums {
		for range n {
			switch i := rng.IntN(n); {
			case i < a:
				sums[r]++
			case i < a+b:
				sums[r]--
			}
		}
	}
	slices.Sort(sums)
	iv := DifferenceInterval(a, b, n, 0.95)
	near(t, "lower end", iv.Lo*n, float64(sums[rounds/40]), 1)
	near(t, "upper end", iv.Hi*n, float64(sums[rounds-rounds/40]), 1)
	if one := DifferenceInterval(0, 0, 5, 0.95); one != (Interval{0, 0}) {
		t.Errorf("without a difference: %v", one)
	}
	if !math.IsNaN(DifferenceInterval(0, 0, 0, 0.95).Lo) {
		t.Error("an interval of no queries is a number")
	}
}

func TestHolm(t *testing.T) {
	// R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")
	got := Holm([]float64{0.01, 0.04, 0.03, 0.005})
	if want := []float64{0.03, 0.06, 0.06, 0.02}; !slices.EqualFunc(got, want, func(a, b float64) bool { return math.Abs(a-b) < 1e-12 }) {
		t.Errorf("Holm's p-values are %v, want %v", got, want)
	}
}

// scipy.stats: pearsonr, spearmanr, kendalltau.
func TestCorrelation(t *testing.T) {
	x := []float64{106, 100, 86, 101, 99, 103, 97, 113, 112, 110}
	y := []float64{7, 27, 2, 50, 28, 29, 20, 12, 6, 17}
	near(t, "Pearson", Pearson(x, y), -0.07021632602905677, 1e-12)
	near(t, "Spearman", Spearman(x, y), -0.17575757575757575, 1e-12)
	near(t, "Kendall", Kendall(x, y), -0.1111111111111111, 1e-12)
	x, y = []float64{1, 2, 2, 3, 4, 4, 4, 5}, []float64{2, 1, 3, 3, 5, 4, 4, 4}
	near(t, "Spearman with ties", Spearman(x, y), 0.8417721518987343, 1e-12)
	near(t, "Kendall with ties", Kendall(x, y), 0.7083333333333335, 1e-12)
	// Three times 0.1 has a mean of 0.1 and a rounding error.
	same, varied := []float64{0.1, 0.1, 0.1}, []float64{1, 2, 4}
	for _, pair := range [][2][]float64{{same, same}, {same, varied}, {varied, same}} {
		if r := Pearson(pair[0], pair[1]); !math.IsNaN(r) {
			t.Errorf("Pearson of %v: want NaN, found %v", pair, r)
		}
	}
	if !math.IsNaN(Spearman([]float64{1, 1}, []float64{1, 2})) {
		t.Error("the correlation with a constant is a number")
	}
}
