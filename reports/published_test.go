package reports_test

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"locbench/bench/record"
	"locbench/reports"
	"locbench/reports/published"
)

// aachen is a run of the shape of Aachen Day-Night: its splits, thresholds and
// features, without ground truth.
type aachen struct {
	dir      string
	manifest *record.Manifest
	server   []record.Summary
}

var aachenQueries = map[string]int{"day": 824, "night": 191}

// published returns what the server would have said of the published poses.
func (a *aachen) published(t *testing.T, features, methods []string, ks []int) {
	t.Helper()
	task := map[string]string{"EWB": "ewb", "local_sfm": "local-sfm", "global_sfm": "global-map"}
	for _, r := range published.All() {
		n := aachenQueries[r.Split]
		if r.Dataset != "Aachen-Day-Night-v1.1" || r.LocalFeature != "feather2d2_dim32_20k" || !slices.Contains(features, r.GlobalFeature) ||
			!slices.Contains(methods, task[r.Task]) || !slices.Contains(ks, r.TopK) {
			continue
		}
		within := -1
		for k := range n + 1 {
			if r.Value.Like(100*float64(k)/float64(n)) == r.Value.Number {
				within = k
			}
		}
		if within < 0 {
			t.Fatalf("%+v is no share of %d", r, n)
		}
		a.server = append(a.server, record.Summary{Scene: "Aachen-Day-Night-v1.1", Split: r.Split, Feature: r.GlobalFeature, Method: task[r.Task], TopK: r.TopK,
			Metric: "within_" + r.Threshold, Value: 100 * float64(within) / float64(n)})
	}
}

// write writes the run directory: summary.csv knows only how many were localized.
func (a *aachen) write(t *testing.T, features, methods []string, ks []int) *record.Run {
	t.Helper()
	a.dir = filepath.Join(t.TempDir(), "aachen")
	a.manifest = &record.Manifest{Scene: record.Scene{Name: "Aachen-Day-Night-v1.1", Title: "Aachen Day-Night v1.1",
		Splits:     []record.Split{{Name: "all", Queries: 1015}, {Name: "day", Queries: 824}, {Name: "night", Queries: 191}},
		Thresholds: []record.Threshold{{Meters: 0.25, Degrees: 2}, {Meters: 0.5, Degrees: 5}, {Meters: 5, Degrees: 10}},
		Published:  &record.Published{Dataset: "Aachen-Day-Night-v1.1"}}, LocalFeatures: "feather2d2_dim32_20k"}
	var summary []record.Summary
	for _, f := range features {
		a.manifest.Features = append(a.manifest.Features, record.Feature{Name: f, Kind: "global_features"})
		for _, m := range methods {
			for _, k := range ks {
				for split, n := range map[string]int{"all": 1015, "day": 824, "night": 191} {
					for _, metric := range []string{"queries", "localized"} {
						summary = append(summary, record.Summary{Scene: a.manifest.Scene.Name, Split: split, Feature: f, Method: m, TopK: k, Metric: metric, Value: float64(n)})
					}
				}
			}
		}
	}
	for _, m := range methods {
		a.manifest.Methods = append(a.manifest.Methods, record.Method{Name: m})
	}
	for name, write := range map[string]func(string) error{
		record.ManifestFile: func(p string) error { return record.WriteManifest(p, a.manifest) },
		record.SummaryFile:  func(p string) error { return record.WriteSummary(p, summary) },
		record.QueriesFile:  func(p string) error { return record.WriteQueries(p, nil) },
		record.ServerFile:   func(p string) error { return record.WriteSummary(p, a.server) },
	} {
		path := filepath.Join(a.dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := write(path); err != nil {
			t.Fatal(err)
		}
	}
	run, err := record.ReadRun(a.dir)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// besideTables returns the rows of the tables beside published figures, as
// printed in CSV.
func besideTables(t *testing.T, run *record.Run) (rows [][]string, text string) {
	t.Helper()
	rep, err := reports.Build([]*record.Run{run}, reports.Options{Published: true})
	if err != nil {
		t.Fatal(err)
	}
	var csvText, plain strings.Builder
	if err := rep.WriteCSV(&csvText); err != nil {
		t.Fatal(err)
	}
	if err := rep.WriteText(&plain); err != nil {
		t.Fatal(err)
	}
	split := -1
	for block := range strings.SplitSeq(csvText.String(), "\n\n") {
		lines, err := csv.NewReader(strings.NewReader(block)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(lines[0], "published") {
			continue
		}
		split++
		for _, l := range lines[1:] {
			rows = append(rows, append([]string{[]string{"day", "night"}[split]}, l...))
		}
	}
	return rows, plain.String()
}

// TestPublishedCells runs Aachen's features as the tables have them, and finds
// every published cell in the report, with no difference.
func TestPublishedCells(t *testing.T) {
	features, methods, ks := []string{"AP-GeM-LM18", "DELG"}, []string{"ewb", "local-sfm", "global-map"}, []int{1, 5, 10, 20, 50}
	a := &aachen{}
	a.published(t, features, methods, ks)
	rows, text := besideTables(t, a.write(t, features, methods, ks))
	cells := map[string]string{} // split, method, k, feature, threshold → published
	same := 0
	for _, r := range rows {
		for i, threshold := range []string{"0.25m_2deg", "0.5m_5deg", "5m_10deg"} {
			ours, theirs, difference := r[5+3*i], r[6+3*i], r[7+3*i]
			cells[strings.Join([]string{r[0], r[1], r[2], r[4], threshold}, " ")] = theirs
			if difference == "0.0" && ours == theirs {
				same++
			} else if difference != "–" {
				t.Errorf("%v: %s, published %s, difference %s", r[:5], ours, theirs, difference)
			}
		}
	}
	checked := 0
	for _, p := range published.All() {
		method := map[string]string{"EWB": "ewb", "local_sfm": "local-sfm", "global_sfm": "global-map"}[p.Task]
		if p.Dataset != "Aachen-Day-Night-v1.1" || p.LocalFeature != "feather2d2_dim32_20k" || !slices.Contains(ks, p.TopK) {
			continue
		}
		checked++
		key := fmt.Sprintf("%s %s %d %s %s", p.Split, method, p.TopK, p.GlobalFeature, p.Threshold)
		if cells[key] != p.Value.Text {
			t.Errorf("%s: want %s, found %q", key, p.Value.Text, cells[key])
		}
	}
	if checked < 200 || same < 100 {
		t.Errorf("want at least 200 published cells and 100 of the run's, found %d and %d", checked, same)
	}
	t.Logf("%d published cells, %d of the run's agree", checked, same)
	if !strings.Contains(text, "agree to the last digit") || !strings.Contains(text, "as the evaluation server said") || strings.Contains(text, "DISAGREE") {
		t.Errorf("the notes of the tables say\n%s", text)
	}
}

// TestPublishedDisagrees moves one figure of pose approximation by one query.
func TestPublishedDisagrees(t *testing.T) {
	features, methods, ks := []string{"AP-GeM-LM18"}, []string{"ewb"}, []int{5}
	a := &aachen{}
	a.published(t, features, methods, ks)
	a.server[0].Value += 100. / 191
	_, text := besideTables(t, a.write(t, features, methods, ks))
	if !strings.Contains(text, "figures DISAGREE, by up to ") {
		t.Errorf("the notes of the tables say\n%s", text)
	}
}

// TestPublishedNewModel sets a model that no one has published beside those that
// are.
func TestPublishedNewModel(t *testing.T) {
	features, methods, ks := []string{"mymodel"}, []string{"global-map"}, []int{10}
	a := &aachen{server: []record.Summary{{Scene: "Aachen-Day-Night-v1.1", Split: "night", Feature: "mymodel", Method: "global-map", TopK: 10, Metric: "within_0.25m_2deg", Value: 100 * 150. / 191}}}
	rows, _ := besideTables(t, a.write(t, features, methods, ks))
	var night [][]string
	for _, r := range rows {
		if r[0] == "night" {
			night = append(night, r)
		}
	}
	if len(night) < 6 || night[0][4] != "mymodel" || night[0][5] != "78.5" || night[0][6] != "–" {
		t.Fatalf("want the model, then the published ones, found %q", night)
	}
	for _, r := range night[1:] {
		if v, err := strconv.ParseFloat(r[6], 64); err != nil || v < 10 || r[5] != "–" || r[3] != "feather2d2_dim32_20k" {
			t.Errorf("want a published row with the run's local features, found %q", r)
		}
	}
}

// TestServerRefuses holds mistakes in server.csv to their messages.
func TestServerRefuses(t *testing.T) {
	good := record.Summary{Scene: "Aachen-Day-Night-v1.1", Split: "day", Feature: "f", Method: "ewb", TopK: 5, Metric: "within_5m_10deg", Value: 50}
	for want, change := range map[string]func(r *record.Summary) int{
		"want percentages such as within_0.25m_2deg": func(r *record.Summary) int { r.Metric = "localized"; return 1 },
		"found within_5m_10deg of 101":               func(r *record.Summary) int { r.Value = 101; return 1 },
		"want rows of the run":                       func(r *record.Summary) int { r.Feature = "other"; return 1 },
		"once each":                                  func(r *record.Summary) int { return 2 },
	} {
		a, row := &aachen{}, good
		n := change(&row)
		run := a.write(t, []string{"f"}, []string{"ewb"}, []int{5})
		if err := record.WriteSummary(filepath.Join(run.Dir, record.ServerFile), slices.Repeat([]record.Summary{row}, n)); err != nil {
			t.Fatal(err)
		}
		if _, err := record.ReadRun(run.Dir); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "server.csv") {
			t.Errorf("want an error with %q, found %v", want, err)
		}
	}
}
