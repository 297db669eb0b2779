package metrics_test

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/gonum/num/quat"

	"locbench/bench/metrics"
	"locbench/kapture/geom"
	"locbench/kapture/kapturetest"
)

func halfTurn() quat.Number { return quat.Number{Jmag: 1} }

// TestVirtualGallery holds the figures against those that kapture_evaluate
// printed for the same errors, to the digits that it printed.
func TestVirtualGallery(t *testing.T) {
	dir := kapturetest.Shared(t, "golden", "virtual_gallery", "evaluation")
	text, err := os.ReadFile(filepath.Join(dir, "stats.txt"))
	if err != nil {
		t.Fatal(err)
	}
	sections := strings.Split(strings.SplitN(string(text), "\\begin", 2)[0], "Model: ")[1:]
	if len(sections) != 9 {
		t.Fatalf("stats.txt has %d models, want 9", len(sections))
	}
	for _, section := range sections {
		model, want, _ := strings.Cut(section, "\n")
		t.Run(model, func(t *testing.T) {
			got := statistics(readScores(t, filepath.Join(dir, "scores_"+model+".txt")))
			for _, line := range got {
				if !strings.Contains(want, line) {
					t.Errorf("line %q is not in the reference:\n%s", line, want)
				}
			}
		})
	}
}

// statistics gives the lines of stats.txt that our figures determine.
func statistics(outcomes []metrics.Outcome) []string {
	thresholds := []geom.Threshold{fine, middle, coarse}
	v := values(metrics.Summarize(outcomes, thresholds))
	lines := []string{
		fmt.Sprintf("Found %.0f / %.0f image positions", v["localized"], v["queries"]),
		fmt.Sprintf("Localized images: mean=(%.4fm, %.4f deg) / median=(%.4fm, %.4f deg)\n",
			v["mean_localized_t_err_m"], v["mean_localized_r_err_deg"], v["median_localized_t_err_m"], v["median_localized_r_err_deg"]),
		fmt.Sprintf("All: median=(%.4fm, %.4f deg)\n", v["median_t_err_m"], v["median_r_err_deg"]),
	}
	for i, name := range []string{"(0.25m, 2.0 deg)", "(0.5m, 5.0 deg)", "(5.0m, 10.0 deg)"} {
		lines = append(lines, fmt.Sprintf("%s: %.2f%%\n", name, v[metrics.Within(thresholds[i])]))
	}
	return lines
}

func values(figures []metrics.Figure) map[string]float64 {
	m := map[string]float64{}
	for _, f := range figures {
		m[f.Metric] = f.Value
	}
	return m
}

func readScores(t *testing.T, path string) []metrics.Outcome {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var outcomes []metrics.Outcome
	for in := bufio.NewScanner(f); in.Scan(); {
		var name string
		o := metrics.Outcome{Localized: true, HasTruth: true}
		if _, err := fmt.Sscan(in.Text(), &name, &o.Error.Meters, &o.Error.Degrees); err != nil {
			t.Fatal(err)
		}
		outcomes = append(outcomes, o)
	}
	return outcomes
}

// TestMissingPoses checks poses that lack a rotation or are absent altogether.
func TestMissingPoses(t *testing.T) {
	var ref struct {
		Results      [][]any
		Bins         [][]*float64
		MeanT        float64 `json:"mean_localized_positions"`
		MeanR        float64 `json:"mean_localized_rotations"`
		MedianT      float64 `json:"median_localized_positions"`
		MedianR      float64 `json:"median_localized_rotations"`
		MedianAllT   float64 `json:"median_all_positions"`
		MedianAllR   string  `json:"median_all_rotations"`
		LocalizedPos float64 `json:"number_of_localized_positions"`
	}
	kapturetest.SharedJSON(t, &ref, "golden", "virtual_gallery", "evaluation", "missing_poses.json")
	thresholds := []geom.Threshold{fine, middle, coarse}
	got := values(metrics.Summarize(missingOutcomes(ref.Results), thresholds))
	want := map[string]float64{
		metrics.Localized: ref.LocalizedPos, metrics.MedianMeters: ref.MedianAllT, metrics.MedianDegrees: math.Inf(1),
		metrics.MedianLocalizedMeters: ref.MedianT, metrics.MedianLocalizedDegrees: ref.MedianR,
		metrics.MeanLocalizedMeters: ref.MeanT, metrics.MeanLocalizedDegrees: ref.MeanR,
	}
	for i, th := range thresholds {
		want[metrics.Within(th)] = *ref.Bins[i][3]
	}
	for name, w := range want {
		if g := got[name]; g != w && !(math.Abs(g-w) <= 1e-9) { // 1e-9: the tolerance that the reference's page states
			t.Errorf("%s = %v, want %v", name, g, w)
		}
	}
}

func missingOutcomes(results [][]any) []metrics.Outcome {
	var outcomes []metrics.Outcome
	for _, r := range results {
		o := metrics.Outcome{HasTruth: true, Error: geom.PoseError{Meters: math.NaN(), Degrees: math.NaN()}}
		if m, ok := r[1].(float64); ok {
			o.Error.Meters, o.Localized = m, true
		}
		if deg, ok := r[2].(float64); ok {
			o.Error.Degrees = deg
		}
		outcomes = append(outcomes, o)
	}
	return outcomes
}
