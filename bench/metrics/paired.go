package metrics

import (
	"cmp"
	"math"
	"slices"
)

// McNemar is the exact two-sided p-value of McNemar's test (Psychometrika 1947):
// that of two methods tried on the same queries neither is better. onlyA and
// onlyB count the queries at which one succeeds and the other does not; under the
// hypothesis each of these is a fair coin.
func McNemar(onlyA, onlyB int) float64 {
	n, k := onlyA+onlyB, min(onlyA, onlyB)
	// The lower tail of a binomial distribution, in logarithms: 2^n overflows.
	tail := 0.0
	for i := 0; i <= k; i++ {
		tail += math.Exp(logChoose(n, i) - float64(n)*math.Ln2)
	}
	return min(1, 2*tail)
}

func logChoose(n, k int) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}

// wilcoxonExact is up to how many differences without ties the distribution is
// computed exactly, as R does.
const wilcoxonExact = 50

// Wilcoxon is the two-sided p-value of the signed-rank test (Biometrics
// Bulletin 1945) that paired differences are symmetric about zero. Differences of
// zero and NaN are left out, n counts the others; infinite ones share the highest
// ranks. With ties, or from 50 differences on, it is that of the normal
// approximation with corrections for ties and continuity. 1 without differences.
func Wilcoxon(differences []float64) (p float64, n int) {
	d := slices.DeleteFunc(slices.Clone(differences), func(v float64) bool { return v == 0 || math.IsNaN(v) })
	n = len(d)
	if n == 0 {
		return 1, 0
	}
	ranks, ties := rank(d, math.Abs)
	var plus, sizes float64
	for i, v := range d {
		if v > 0 {
			plus += ranks[i]
		}
	}
	for _, t := range ties {
		sizes += float64(t*t*t - t)
	}
	total := float64(n*(n+1)) / 2
	if sizes == 0 && n < wilcoxonExact {
		return signedRankTail(n, int(min(plus, total-plus))), n
	}
	variance := float64(n*(n+1)*(2*n+1))/24 - sizes/48
	z := max(0, math.Abs(plus-total/2)-0.5) / math.Sqrt(variance)
	return math.Erfc(z / math.Sqrt2), n
}

// signedRankTail is twice the probability that a signed-rank sum of n is at most w.
func signedRankTail(n, w int) float64 {
	ways := make([]float64, w+1) // subsets of 1…n by their sum
	ways[0] = 1
	for r := 1; r <= n; r++ {
		for s := w; s >= r; s-- {
			ways[s] += ways[s-r]
		}
	}
	sum := 0.0
	for _, v := range ways {
		sum += v
	}
	return min(1, 2*sum/math.Exp2(float64(n)))
}

// rank returns the ranks of values, from 1, by a key; equal ones share the mean
// of their places. ties are the sizes of groups of equal values.
func rank(values []float64, key func(float64) float64) (ranks []float64, ties []int) {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(key(values[a]), key(values[b])) })
	ranks = make([]float64, len(values))
	for from := 0; from < len(order); {
		to := from + 1
		for to < len(order) && key(values[order[to]]) == key(values[order[from]]) {
			to++
		}
		for _, i := range order[from:to] {
			ranks[i] = float64(from+to+1) / 2
		}
		if to-from > 1 {
			ties = append(ties, to-from)
		}
		from = to
	}
	return ranks, ties
}

// Interval is a confidence interval.
type Interval struct{ Lo, Hi float64 }

// DifferenceInterval is the percentile bootstrap interval (Efron, Annals of
// Statistics, 1979) of the difference of two success rates on the same n queries,
// A's less B's, in [-1, 1]. onlyA and onlyB are as in [McNemar]. What the
// bootstrap draws is the sum of n values that are 1, -1 or 0 as often as a query
// is in onlyA, in onlyB or in neither; the distribution of that sum is computed
// here in place of being drawn, so that there is no seed and no sampling error.
// NaN without queries.
func DifferenceInterval(onlyA, onlyB, n int, confidence float64) Interval {
	if n == 0 {
		return Interval{math.NaN(), math.NaN()}
	}
	up, down := float64(onlyA)/float64(n), float64(onlyB)/float64(n)
	sum := sumOf(distribution{-1, []float64{down, 1 - up - down, up}}, n)
	return Interval{sum.quantile((1-confidence)/2) / float64(n), sum.quantile((1+confidence)/2) / float64(n)}
}

// distribution holds the probabilities of first, first+1, ….
type distribution struct {
	first int
	p     []float64
}

// sumOf is the distribution of a sum of n independent values, by doubling.
func sumOf(one distribution, n int) distribution {
	all := distribution{0, []float64{1}}
	for ; n > 0; n /= 2 {
		if n%2 == 1 {
			all = all.plus(one)
		}
		one = one.plus(one)
	}
	return all
}

// plus is the distribution of the sum of two values, without tails of no weight.
func (d distribution) plus(e distribution) distribution {
	p := make([]float64, len(d.p)+len(e.p)-1)
	for i, a := range d.p {
		for j, b := range e.p {
			p[i+j] += a * b
		}
	}
	const negligible = 1e-15
	from, to := 0, len(p)
	for from < to-1 && p[from] < negligible {
		from++
	}
	for to-1 > from && p[to-1] < negligible {
		to--
	}
	return distribution{d.first + e.first + from, p[from:to]}
}

// quantile is the least value at which the cumulated probability reaches q.
func (d distribution) quantile(q float64) float64 {
	sum := 0.0
	for i, p := range d.p {
		if sum += p; sum >= q {
			return float64(d.first + i)
		}
	}
	return float64(d.first + len(d.p) - 1)
}

// Holm returns p-values that hold for all of them together (Scandinavian Journal
// of Statistics, 1979): below a bound with at most that chance of a single false
// claim. They keep their order.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	out := make([]float64, len(p))
	highest := 0.0
	for k, i := range order {
		highest = max(highest, min(1, p[i]*float64(len(p)-k)))
		out[i] = highest
	}
	return out
}
