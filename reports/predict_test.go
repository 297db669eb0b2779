package reports_test

import (
	"strings"
	"testing"

	"locbench/bench/record"
	"locbench/reports"
)

// TestPredictions makes localization follow one retrieval figure exactly, and
// turns another upside down.
func TestPredictions(t *testing.T) {
	run := &record.Run{Dir: "made", Manifest: &record.Manifest{Scene: record.Scene{Name: "made", Splits: []record.Split{{Name: "all", Queries: 100}},
		Thresholds: []record.Threshold{{Meters: 0.25, Degrees: 2}}}, Methods: []record.Method{{Name: "global-map"}}}}
	for f, feature := range []string{"a", "b"} {
		run.Manifest.Features = append(run.Manifest.Features, record.Feature{Name: feature})
		for _, k := range []int{1, 5, 10} {
			within := float64(10*f + 3*k)
			run.Summary = append(run.Summary, record.Summary{Scene: "made", Split: "all", Feature: feature, Method: "global-map", TopK: k, Metric: "within_0.25m_2deg", Value: within})
			for metric, value := range map[string]float64{"recall_5m_30deg": 20 + within, "precision_5m_30deg": 90 - within*within/50, "mean_iou": 5} {
				run.Retrieval = append(run.Retrieval, record.Retrieval{Scene: "made", Split: "all", Feature: feature, TopK: k, Metric: metric, Value: value})
			}
		}
	}
	rep, err := reports.Build([]*record.Run{run}, reports.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := rep.WriteMarkdown(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"which retrieval figure predicts localization", "| R@k (5 m, 30°) | 6 | 1.00 | 1.00 | 1.00 |", "-1.00 | -1.00 |", "| mean IoU | 6 | – | – | – |"} {
		if !strings.Contains(strings.Join(strings.Fields(text.String()), " "), want) {
			t.Errorf("want %q in\n%s", want, text.String())
		}
	}
}
