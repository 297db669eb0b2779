package metrics_test

import (
	"hash/fnv"
	"io"
	"math"
	"slices"
	"sort"
	"testing"

	"pgregory.net/rapid"

	"locbench/bench/metrics"
	"locbench/kapture/kapturetest"
)

// procedural is U(key, i) of the reference's page: the scores there are made of it.
func procedural(key string, i int) float64 {
	h := fnv.New64a()
	io.WriteString(h, key)
	z := h.Sum64() + uint64(i) + 0x9E3779B97F4A7C15
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return float64((z^z>>31)>>11) / (1 << 53)
}

// rankOf returns the rank of each image by decreasing score.
func rankOf(scores []float64) []int {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return scores[order[a]] > scores[order[b]] })
	ranks := make([]int, len(scores))
	for r, i := range order {
		ranks[i] = r
	}
	return ranks
}

func pick(ranks []int, images ...[]int) (picked []int) {
	for _, i := range slices.Concat(images...) {
		picked = append(picked, ranks[i])
	}
	return picked
}

// near compares with 1e-12, the tolerance that the reference's page states; nil
// in the reference is not defined.
func near(t *testing.T, what string, got float64, want *float64) {
	t.Helper()
	switch {
	case want == nil && math.IsNaN(got):
	case want == nil:
		t.Errorf("%s = %v, want NaN", what, got)
	case !(math.Abs(got-*want) <= 1e-12):
		t.Errorf("%s = %v, want %v", what, got, *want)
	}
}

// protocol is what the reference gives for one choice of positives.
type protocol struct {
	MAP float64      `json:"mAP"`
	APs []*float64   `json:"AP_per_query"`
	MPs []float64    `json:"mP_at_k"`
	Ps  [][]*float64 `json:"P_at_k_per_query"`
}

func (p *protocol) check(t *testing.T, ranks [][]int) {
	t.Helper()
	var aps []float64
	ps := make([][]float64, 3)
	for q, r := range ranks {
		aps = append(aps, metrics.TrapezoidAP(r))
		near(t, "AP", aps[q], p.APs[q])
		for i, k := range []int{1, 5, 10} {
			ps[i] = append(ps[i], metrics.PrecisionAt(r, k))
			near(t, "P@k", ps[i][q], p.Ps[q][i])
		}
	}
	near(t, "mAP", metrics.Mean(aps), &p.MAP)
	for i := range ps {
		near(t, "mP@k", metrics.Mean(ps[i]), &p.MPs[i])
	}
}

// TestRevisited holds the figures of the real revisited ground truth against
// those of the revisited benchmark's own evaluation.
func TestRevisited(t *testing.T) {
	for _, name := range []string{"roxford5k", "rparis6k"} {
		t.Run(name, func(t *testing.T) {
			var gnd struct {
				Imlist []string
				Gnd    []struct{ Easy, Hard, Junk []int }
			}
			var ref struct {
				Key                string `json:"score_key"`
				Easy, Medium, Hard protocol
			}
			kapturetest.SharedJSON(t, &gnd, "golden", "map", "gnd_"+name+".json")
			kapturetest.SharedJSON(t, &ref, "golden", "map", name+"_results.json")
			n := len(gnd.Imlist)
			easy, medium, hard := make([][]int, len(gnd.Gnd)), make([][]int, len(gnd.Gnd)), make([][]int, len(gnd.Gnd))
			for q, g := range gnd.Gnd {
				scores := make([]float64, n)
				for i := range scores {
					scores[i] = procedural(ref.Key, q*n+i)
				}
				for _, i := range g.Easy {
					scores[i] += 0.6
				}
				for _, i := range g.Hard {
					scores[i] += 0.3
				}
				ranks := rankOf(scores)
				easy[q] = metrics.WithoutJunk(pick(ranks, g.Easy), pick(ranks, g.Junk, g.Hard))
				medium[q] = metrics.WithoutJunk(pick(ranks, g.Easy, g.Hard), pick(ranks, g.Junk))
				hard[q] = metrics.WithoutJunk(pick(ranks, g.Hard), pick(ranks, g.Junk, g.Easy))
			}
			ref.Easy.check(t, easy)
			ref.Medium.check(t, medium)
			ref.Hard.check(t, hard)
		})
	}
}

type labelled struct {
	Scores [][]float64
	APs    []float64             `json:"AP_per_query"`
	MAP    *float64              `json:"mAP_as_eval_model"`
	Top    []map[string]*float64 `json:"top_k_per_query"`
}

type smallCases struct {
	Oxford struct {
		Scores   [][]float64
		Gnd      []struct{ OK, Junk []int }
		CNN      protocol `json:"cnnimageretrieval"`
		Dirtorch struct {
			APs []float64 `json:"AP_per_query"`
			MAP float64   `json:"mAP_as_eval_model"`
		}
	} `json:"oxford_original_protocol"`
	Labelled struct {
		Labels []string
		Cases  []labelled
	} `json:"labelled_dataset"`
	Separate struct {
		Labels  []string
		Queries []string `json:"query_labels"`
		labelled
	} `json:"labelled_dataset_separate_queries"`
}

// TestClassic is the protocol before it was revisited. One reference leaves a
// query without positives out, as we do; the other counts 0.
func TestClassic(t *testing.T) {
	var ref smallCases
	kapturetest.SharedJSON(t, &ref, "golden", "map", "small_cases.json")
	var ranks [][]int
	sum := 0.0
	for q, g := range ref.Oxford.Gnd {
		all := rankOf(ref.Oxford.Scores[q])
		ranks = append(ranks, metrics.WithoutJunk(pick(all, g.OK), pick(all, g.Junk)))
		if len(g.OK) > 0 {
			sum += metrics.TrapezoidAP(ranks[q])
		}
	}
	ref.Oxford.CNN.check(t, ranks)
	near(t, "mAP with zeros", sum/float64(len(ranks)), &ref.Oxford.Dirtorch.MAP)
}

// TestLabelled holds the finite-sum AP against scikit-learn's, with and without
// ties; every image is a query and is left out itself, or queries are apart.
func TestLabelled(t *testing.T) {
	var ref smallCases
	kapturetest.SharedJSON(t, &ref, "golden", "map", "small_cases.json")
	for _, c := range ref.Labelled.Cases {
		c.check(t, ref.Labelled.Labels, ref.Labelled.Labels, true)
	}
	ref.Separate.check(t, ref.Separate.Labels, ref.Separate.Queries, false)
}

func (c *labelled) check(t *testing.T, labels, queries []string, leaveOut bool) {
	t.Helper()
	var aps []float64
	for q, label := range queries {
		ranks := rankOf(c.Scores[q])
		var same, atLeast, self []int
		for i, l := range labels {
			if l == label {
				same = append(same, ranks[i])
			}
			switch {
			case leaveOut && i == q:
				self = append(self, ranks[i])
			case l == label:
				n := 0
				for _, s := range c.Scores[q] {
					if s >= c.Scores[q][i] {
						n++
					}
				}
				atLeast = append(atLeast, n)
			}
		}
		ap := metrics.StepAP(metrics.WithoutJunk(atLeast, self))
		aps = append(aps, ap)
		if c.APs[q] < 0 { // the reference's mark of a query without positives
			near(t, "AP", ap, nil)
			continue
		}
		near(t, "AP", ap, &c.APs[q])
		if len(c.Top) > 0 {
			same = metrics.WithoutJunk(same, nil) // for this figure the reference leaves nothing out, not even the query
			for k, name := range map[int]string{1: "1", 5: "5", 10: "10"} {
				near(t, "top "+name, metrics.HitAt(same, k), c.Top[q][name])
			}
		}
	}
	if c.MAP != nil {
		near(t, "mAP", metrics.Mean(aps), c.MAP)
	}
}

// TestPerfectRanking is 1 whatever the junk before and between the positives.
func TestPerfectRanking(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kinds := rapid.SliceOfN(rapid.Bool(), 1, 30).Draw(t, "junk")
		var positive, junk []int
		for r, isJunk := range kinds {
			if isJunk {
				junk = append(junk, r)
			} else {
				positive = append(positive, r)
			}
		}
		ranks := metrics.WithoutJunk(positive, junk)
		if len(positive) == 0 {
			if ap := metrics.TrapezoidAP(ranks); !math.IsNaN(ap) || !math.IsNaN(metrics.PrecisionAt(ranks, 5)) || !math.IsNaN(metrics.HitAt(ranks, 5)) {
				t.Fatalf("want NaN, found %v", ap)
			}
			return
		}
		atLeast := make([]int, len(ranks))
		for i, r := range ranks {
			atLeast[i] = r + 1
		}
		for _, v := range []float64{metrics.TrapezoidAP(ranks), metrics.StepAP(atLeast), metrics.PrecisionAt(ranks, 10), metrics.HitAt(ranks, 1)} {
			if math.Abs(v-1) > 1e-15 {
				t.Fatalf("ranks %v: want 1, found %v", ranks, v)
			}
		}
	})
}
