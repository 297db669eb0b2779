package metrics_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"locbench/bench/metrics"
	"locbench/kapture/geom"
)

var (
	fine, middle, coarse = geom.Threshold{Meters: 0.25, Degrees: 2}, geom.Threshold{Meters: 0.5, Degrees: 5}, geom.Threshold{Meters: 5, Degrees: 10}
	inf, nan             = math.Inf(1), math.NaN()
)

func located(m, deg float64) metrics.Outcome {
	return metrics.Outcome{Error: geom.PoseError{Meters: m, Degrees: deg}, Localized: true, HasTruth: true}
}

func TestSummarize(t *testing.T) {
	failed := metrics.Outcome{HasTruth: true}
	unknown := metrics.Outcome{Localized: true}
	cases := []struct {
		name     string
		outcomes []metrics.Outcome
		want     []float64 // queries, localized, within ×3, medians, localized medians, localized means
	}{
		{"nothing", nil, []float64{0, 0}},
		{"bounds are inclusive", []metrics.Outcome{located(0.25, 2)}, []float64{1, 1, 100, 100, 100, .25, 2, .25, 2, .25, 2}},
		{"both bounds must hold", []metrics.Outcome{located(0.1, 4), located(4, 1)}, []float64{2, 2, 0, 50, 100, 2.05, 2.5, 2.05, 2.5, 2.05, 2.5}},
		{"a failed one counts as infinite", []metrics.Outcome{located(1, 1), failed}, []float64{2, 1, 0, 0, 50, inf, inf, 1, 1, 1, 1}},
		{"the middle one of three", []metrics.Outcome{located(3, 3), failed, located(1, 1)}, []float64{3, 2, 0, 0, 200. / 3, 3, 3, 2, 2, 2, 2}},
		{"the middle one of five", []metrics.Outcome{located(5, 1), located(1, 5), located(4, 2), located(2, 4), located(3, 3)}, []float64{5, 5, 0, 0, 100, 3, 3, 3, 3, 3, 3}},
		{"all failed", []metrics.Outcome{failed, failed}, []float64{2, 0, 0, 0, 0, inf, inf, nan, nan, nan, nan}},
		{"no truth at all", []metrics.Outcome{unknown, {}}, []float64{2, 1}},
		{"some without truth", []metrics.Outcome{unknown, located(0.2, 1), {}}, []float64{3, 2, 100, 100, 100, .2, 1, .2, 1, .2, 1}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			figures := metrics.Summarize(c.outcomes, []geom.Threshold{fine, middle, coarse})
			var got []float64
			for _, f := range figures {
				got = append(got, f.Value)
			}
			if d := cmp.Diff(c.want, got, cmpopts.EquateNaNs(), cmpopts.EquateApprox(0, 1e-12)); d != "" {
				t.Errorf("values (-want +got):\n%s", d)
			}
		})
	}
}

func TestMetricOrder(t *testing.T) {
	want := []string{
		"queries", "localized", "within_0.25m_2deg", "within_0.5m_5deg", "within_5m_10deg", "median_t_err_m", "median_r_err_deg",
		"median_localized_t_err_m", "median_localized_r_err_deg", "mean_localized_t_err_m", "mean_localized_r_err_deg",
	}
	var got []string
	for _, f := range metrics.Summarize([]metrics.Outcome{located(1, 1)}, []geom.Threshold{fine, middle, coarse}) {
		got = append(got, f.Metric)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("metrics of the contract (-want +got):\n%s", d)
	}
}

func TestSummarizeIgnoresOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	outcomes := make([]metrics.Outcome, 50)
	for i := range outcomes {
		outcomes[i] = located(float64(rng.IntN(64))/8, float64(rng.IntN(64))/4) // dyadic: sums are exact in any order
		outcomes[i].Localized = rng.IntN(5) > 0
	}
	want := metrics.Summarize(outcomes, []geom.Threshold{fine, middle, coarse})
	rng.Shuffle(len(outcomes), func(i, j int) { outcomes[i], outcomes[j] = outcomes[j], outcomes[i] })
	if d := cmp.Diff(want, metrics.Summarize(outcomes, []geom.Threshold{fine, middle, coarse})); d != "" {
		t.Errorf("another order of queries (-want +got):\n%s", d)
	}
}

func TestRetrievalFigures(t *testing.T) {
	relevant := [][]bool{{true, false}, {false, true}, {false, false, true}, {}}
	for k, want := range map[int]float64{1: 25, 2: 50, 3: 75, 50: 75} {
		if got := metrics.RecallAt(relevant, k); got != want {
			t.Errorf("recall at %d = %g, want %g", k, got, want)
		}
	}
	// A query with fewer than k images has them all used.
	values := [][]float64{{1, 0}, {0, 1}, {0, 0, 0.6}, {}}
	for k, want := range map[int]float64{1: 25, 2: 25, 3: 30, 50: 30} {
		if got := metrics.MeanAt(values, k); math.Abs(got-want) > 1e-12 {
			t.Errorf("mean at %d = %g, want %g", k, got, want)
		}
	}
	if r, p := metrics.RecallAt(nil, 1), metrics.MeanAt(nil, 1); !math.IsNaN(r) || !math.IsNaN(p) {
		t.Errorf("of no query: %g, %g, want NaN", r, p)
	}
	opposite := geom.PoseError{Meters: 1, Degrees: geom.Error(geom.Pose{R: geom.Identity().R}, geom.Pose{R: halfTurn()}).Degrees}
	if !(geom.Threshold{Meters: 25, Degrees: 180}).Within(opposite) {
		t.Errorf("an image that looks the other way (%v°) is not within 180°", opposite.Degrees)
	}
}
