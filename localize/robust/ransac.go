package robust

import (
	"math"
	"math/rand/v2"
)

// estimator is a problem that ransac solves. Data are known by their index.
type estimator[M any] interface {
	// sampleSize is how many data a minimal sample has, at most maxSample.
	sampleSize() int
	// generate writes the models of a sample to dst, which is long enough, and
	// returns how many there are.
	generate(sample []int, dst []M) int
	// score returns the model's cost, and its inliers unless the cost is above
	// the bound: it may stop counting there.
	score(m *M, bound float64) (cost float64, inliers int)
	// refine improves a model on its inliers; it may also fail to.
	refine(m *M)
}

const (
	maxSample = 7
	maxModels = 10 // of one sample
)

// found is the outcome of ransac.
type found[M any] struct {
	model      M
	cost       float64
	inliers    int // 0: no sample had a model
	iterations int
	models     int // that were scored
}

// ransac searches for the model of least cost among n data.
func ransac[M any, E estimator[M]](e E, n int, o Options, rng *rand.Rand) found[M] {
	var models [maxModels]M
	var sample [maxSample]int
	size := e.sampleSize()
	best := found[M]{cost: math.Inf(1)}
	if n < size {
		return best
	}
	minimal := math.Inf(1) // least cost of a model that is not refined
	var near trigger
	limit := iterationLimit(o, o.MinInlierRatio, size)
	for best.iterations < limit {
		best.iterations++
		draw(rng, n, sample[:size])
		count := e.generate(sample[:size], models[:])
		best.models += count
		bound := minimal
		if limit > o.MinIterations {
			bound = math.Max(minimal, near.cost)
		}
		improved := -1
		for i := range count {
			if cost, _ := e.score(&models[i], bound); cost < bound {
				bound, improved = cost, i
			}
		}
		minimal = math.Min(minimal, bound)
		near.adapt(improved >= 0, bound, o.MaxErrorPx*o.MaxErrorPx)
		if improved >= 0 && best.take(e, models[improved]) {
			limit = iterationLimit(o, math.Max(o.MinInlierRatio, float64(best.inliers)/float64(n)), size)
		}
	}
	return best
}

// trigger is a cost below which a model is refined though it is not the best:
// where inliers are few, a sample without outliers but with noise often has no
// more inliers than the best of thousands of wrong ones, and only refinement
// tells. The cost follows the distribution so that one sample in triggerEvery
// is below.
type trigger struct{ cost float64 }

const triggerEvery = 300

// adapt moves the cost: by a whole outlier down when it was met, and up by so
// much less when it was not.
func (t *trigger) adapt(met bool, cost, outlier float64) {
	switch {
	case !met:
		t.cost += outlier / triggerEvery
	case t.cost == 0:
		t.cost = cost
	default:
		t.cost -= outlier
	}
}

// take keeps the model, or what becomes of it when it is refined, if it is the
// best so far.
func (f *found[M]) take(e estimator[M], m M) bool {
	better := false
	for round := range 2 {
		if round == 1 {
			e.refine(&m)
		}
		if cost, inliers := e.score(&m, f.cost); cost < f.cost {
			f.model, f.cost, f.inliers = m, cost, inliers
			better = true
		}
	}
	return better
}

// iterationLimit returns how many samples are needed for one without outliers,
// with the confidence asked for, when a share of the data are inliers.
func iterationLimit(o Options, share float64, size int) int {
	good := math.Pow(share, float64(size))
	need := float64(o.MaxIterations)
	if good > 0 {
		need = math.Min(need, math.Log1p(-o.Confidence)/math.Log1p(-good))
	}
	// A ratio of 1 gives −∞/−∞; the minimum is then enough.
	if math.IsNaN(need) {
		need = 0
	}
	return min(max(int(math.Ceil(need)), o.MinIterations, 1), max(o.MaxIterations, 1))
}

// draw fills sample with different numbers below n.
func draw(rng *rand.Rand, n int, sample []int) {
	for i := range sample {
	again:
		k := int(rng.Uint64N(uint64(n)))
		for _, s := range sample[:i] {
			if s == k {
				goto again
			}
		}
		sample[i] = k
	}
}
