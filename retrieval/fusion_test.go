package retrieval

import (
	"fmt"
	"math"
	"sort"
	"strings"
	"testing"

	"locbench/kapture/kapturetest"
)

type goldenFusion struct {
	Method     string
	Parameters struct {
		Weights   []float64
		Gamma     float64
		Alpha     float64
		MinWeight float64 `json:"min_weight"`
		MaxWeight float64 `json:"max_weight"`
	}
	From32 [][]float64 `json:"fused_from_float32"`
	From64 [][]float64 `json:"fused_from_float64"`
	Top5   [][3]any    `json:"pairs_top5"`
}

type goldenFusions struct {
	Queries    []string            `json:"query_images"`
	Mapping    []string            `json:"mapping_images"`
	A32        [][]float32         `json:"matrix_1_float32"`
	B32        [][]float32         `json:"matrix_2_float32"`
	A64        [][]float64         `json:"matrix_1_float64"`
	B64        [][]float64         `json:"matrix_2_float64"`
	Cases      []goldenFusion      `json:"cases"`
	RoundRobin map[string][][3]any `json:"round_robin"`
}

func loadFusions(t *testing.T) *goldenFusions {
	t.Helper()
	var g goldenFusions
	kapturetest.SharedJSON(t, &g, "golden", "virtual_gallery", "late_fusion.json")
	return &g
}

// ranking orders images by falling similarity, ties by index (names are sorted).
func ranking[T float32 | float64](sims []T) []int32 {
	order := make([]int32, len(sims))
	for i := range order {
		order[i] = int32(i)
	}
	sort.SliceStable(order, func(i, j int) bool { return sims[order[i]] > sims[order[j]] })
	return order
}

// fusionName maps the reference's names to ours.
func fusionName(t *testing.T, reference string) Fusion {
	t.Helper()
	name := strings.NewReplacer("_mean", "", "_and_", "-", "_", "-", "imum", "").Replace(reference)
	f, err := ParseFusion(name)
	if err != nil {
		t.Fatalf("%s: %v", reference, err)
	}
	return f
}

func TestGoldenFusion(t *testing.T) {
	g := loadFusions(t)
	methods := map[Fusion]bool{}
	for i, c := range g.Cases {
		f := fusionName(t, c.Method)
		methods[f] = true
		p := FusionParams{Weights: c.Parameters.Weights, Gamma: c.Parameters.Gamma, Alpha: c.Parameters.Alpha, Min: c.Parameters.MinWeight, Max: c.Parameters.MaxWeight}
		t.Run(fmt.Sprint(i, " ", f), func(t *testing.T) {
			for q := range g.Queries {
				from64, err := Fuse(f, [][]float64{g.A64[q], g.B64[q]}, p)
				if err != nil {
					t.Fatal(err)
				}
				fusedNear(t, from64, c.From64[q], 1e-12)
				from32, err := Fuse(f, [][]float32{g.A32[q], g.B32[q]}, p)
				if err != nil {
					t.Fatal(err)
				}
				fusedNear(t, from32, c.From32[q], 1e-6)
				for place, m := range ranking(from32)[:5] {
					g.samePair(t, c.Top5[5*q+place], q, m, float64(from32[m]))
				}
			}
		})
	}
	if len(methods) != 10 {
		t.Errorf("want 10 methods, found %v", methods)
	}
}

func fusedNear[T float32 | float64](t *testing.T, got []T, want []float64, tol float64) {
	t.Helper()
	for j, w := range want {
		if d := math.Abs(float64(got[j]) - w); !(d <= tol) {
			t.Errorf("image %d off by %g", j, d)
		}
	}
}

func (g *goldenFusions) samePair(t *testing.T, want [3]any, q int, m int32, score float64) {
	t.Helper()
	if want[0] != g.Queries[q] || want[1] != g.Mapping[m] || math.Abs(want[2].(float64)-score) > 1e-6 {
		t.Errorf("pair %s, %s, %v; want %v", g.Queries[q], g.Mapping[m], score, want)
	}
}

func TestGoldenRoundRobin(t *testing.T) {
	g := loadFusions(t)
	for name, want := range g.RoundRobin {
		t.Run(name, func(t *testing.T) {
			k := 0
			if strings.HasSuffix(name, "_top5") {
				k = 5
			}
			row := 0
			for q := range g.Queries {
				other := make([]float64, len(g.Mapping))
				for j, s := range g.A64[q] {
					other[j] = s * s
					if strings.Contains(name, "1minus") {
						other[j] = 1 - s
					}
				}
				fused := RoundRobin([][]int32{ranking(g.A64[q]), ranking(other)}, k)
				for place, m := range fused {
					g.samePair(t, want[row], q, m, float64(len(fused)-place))
					row++
				}
			}
			if row != len(want) {
				t.Errorf("%d pairs, want %d", row, len(want))
			}
		})
	}
}

func TestRoundRobin(t *testing.T) {
	tests := []struct {
		name     string
		rankings [][]int32
		k        int
		want     string
	}{
		{"in turn", [][]int32{{1, 2}, {3, 4}}, 0, "[1 3 2 4]"},
		{"a repeated image loses the turn", [][]int32{{1, 2, 3}, {1, 3, 2}}, 0, "[1 2 3]"},
		{"k", [][]int32{{1, 2}, {3, 4}}, 3, "[1 3 2]"},
		{"k beyond", [][]int32{{1}, {3}}, 9, "[1 3]"},
		{"lengths differ", [][]int32{{1}, {2, 3, 4}}, 0, "[1 2 3 4]"},
		{"none", nil, 5, "[]"},
	}
	for _, tt := range tests {
		if got := fmt.Sprint(RoundRobin(tt.rankings, tt.k)); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// Whatever the method, a fusion of one feature with itself ranks as it does,
// and negative similarities never give NaN.
func TestFuseKeepsOrder(t *testing.T) {
	s := []float64{0.9, 0.5, 0.1, 0}
	for _, f := range fusions()[:10] {
		fused, err := Fuse(f, [][]float64{s, s}, DefaultFusionParams())
		if err != nil {
			t.Fatal(err)
		}
		for j := 1; j < len(fused); j++ {
			if !(fused[j] < fused[j-1]) {
				t.Errorf("%s: %v is not falling", f, fused)
			}
		}
		fused, _ = Fuse(f, [][]float64{{-0.2, -1, 0, 0.5}, {0.1, -1, 0, -0.5}}, DefaultFusionParams())
		for _, x := range fused {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				t.Errorf("%s: %v", f, fused)
			}
		}
	}
}

func TestFuseRefuses(t *testing.T) {
	two := [][]float32{{0.5}, {0.6}}
	p := DefaultFusionParams()
	tests := []struct {
		name string
		f    Fusion
		sims [][]float32
		p    FusionParams
		want string
	}{
		{"no feature", FusionMean, nil, p, "at least one feature"},
		{"lengths", FusionMean, [][]float32{{1}, {1, 2}}, p, "found 1 and 2"},
		{"weights", FusionMean, two, FusionParams{Weights: []float64{1}}, "one weight for each of 2"},
		{"negative weight", FusionPower, two, FusionParams{Weights: []float64{1, -1}}, "at least 0"},
		{"zero weights", FusionMean, two, FusionParams{Weights: []float64{0, 0}}, "positive sum"},
		{"harmonic", FusionHarmonic, two, FusionParams{Weights: []float64{1, 0}}, "above 0"},
		{"gamma", FusionMeanMin, two, FusionParams{Gamma: 1.5}, "gamma in [0, 1]"},
		{"offset", FusionGeneralizedHarmonic, two, FusionParams{Gamma: -1}, "at least 0"},
		{"alpha", FusionVillenaRoman, two, FusionParams{Alpha: math.NaN()}, "alpha in [0, 1]"},
		{"min and max", FusionMinMax, two, FusionParams{}, "not both 0"},
		{"round robin", FusionRoundRobin, two, p, "want rankings"},
		{"unknown", "meen", two, p, "did you mean"},
	}
	for _, tt := range tests {
		if _, err := Fuse(tt.f, tt.sims, tt.p); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestParseFusion(t *testing.T) {
	for _, f := range fusions() {
		if got, err := ParseFusion(string(f)); got != f || err != nil {
			t.Errorf("%s: %v, %v", f, got, err)
		}
	}
	for name, want := range map[string]string{
		"meam":      "did you mean mean",
		"harmonics": "did you mean harmonic",
		"villena":   "did you mean villena-roman",
		"borda":     "want a fusion method of mean, power",
		"":          "want a fusion method of mean, power",
	} {
		if _, err := ParseFusion(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", name, err, want)
		}
	}
}

func BenchmarkFuse(b *testing.B) {
	row := make([]float32, 100_000)
	for i := range row {
		row[i] = float32(i%997) / 1000
	}
	for _, f := range []Fusion{FusionMean, FusionPower, FusionHarmonic} {
		b.Run(string(f), func(b *testing.B) {
			for b.Loop() {
				if _, err := Fuse(f, [][]float32{row, row, row}, DefaultFusionParams()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*float64(len(row))/1e6/b.Elapsed().Seconds(), "Mscores/s")
		})
	}
}
