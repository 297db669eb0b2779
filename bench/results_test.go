package bench

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"locbench/bench/record"
	"locbench/kapture"
)

// TestRowsOfToyScene holds every row of queries.csv against values worked out
// by hand. With the cosines 0.8 and 0.6, the two best images weigh
//
//	EWB 1/2, 1/2    CSI 0.8^8/(0.8^8+0.6^8) = 0.909 and 0.091    BDI 0.6, 0.4
//
// where BDI solves w0+w1 = 1, w0-w1 = 0.8-0.6. The camera lies so far between
// the two, which stand a metre apart.
func TestRowsOfToyScene(t *testing.T) {
	csi := math.Pow(0.6, 8) / (math.Pow(0.8, 8) + math.Pow(0.6, 8))
	want := map[string]float64{ // method, k, query → distance to the true position
		"ewb 1 q0.jpg": 0.75, "ewb 1 q1.jpg": 0.5, "ewb 2 q0.jpg": 0.25, "ewb 2 q1.jpg": 0,
		"bdi 1 q0.jpg": 0.75, "bdi 1 q1.jpg": 0.5, "bdi 2 q0.jpg": 0.35, "bdi 2 q1.jpg": 0.1,
		"csi 1 q0.jpg": 0.75, "csi 1 q1.jpg": 0.5, "csi 2 q0.jpg": 0.75 - csi, "csi 2 q1.jpg": 0.5 - csi,
	}
	run := mustRun(t, toyScene(t), Options{Out: t.TempDir(), TopK: []int{2, 1, 2}, CSIAlpha: 8})
	if len(run.Queries) != len(want)*3/2 { // and n0 under each method and k
		t.Errorf("want %d rows, found %d", len(want)*3/2, len(run.Queries))
	}
	for _, row := range run.Queries {
		split := "day"
		if row.Query == "n0.jpg" {
			split = "night"
		}
		if row.Scene != "toy" || row.Feature != "toy" || row.Split != split || row.Status != record.Localized || row.Reason != "" ||
			row.Inliers != -1 || row.Correspondences != -1 {
			t.Errorf("found %+v", row)
		}
		far, known := want[fmt.Sprintf("%s %d %s", row.Method, row.TopK, row.Query)]
		switch {
		case !known && (!math.IsNaN(row.TErrM) || !math.IsNaN(row.RErrDeg)):
			t.Errorf("%s has no true pose: want no error, found %v m, %v°", row.Query, row.TErrM, row.RErrDeg)
		case known && !(math.Abs(row.TErrM-far) < 1e-6 && row.RErrDeg < 1e-6): // descriptors are float32
			t.Errorf("%s %d %s: want %v m and 0°, found %v m, %v°", row.Method, row.TopK, row.Query, far, row.TErrM, row.RErrDeg)
		}
	}
}

// TestFiguresOfToyScene checks what the summary counts: a query without a true
// pose is counted, and stands in no figure of accuracy.
func TestFiguresOfToyScene(t *testing.T) {
	run := mustRun(t, toyScene(t), Options{Out: t.TempDir(), TopK: []int{1, 2}, Methods: []string{"ewb"}})
	var got []string
	for _, s := range run.Summary {
		if s.Metric == "queries" || s.Metric == "localized" || strings.HasPrefix(s.Metric, "within_") || s.Metric == "median_t_err_m" {
			got = append(got, fmt.Sprintf("%s %d %s %.4g", s.Split, s.TopK, s.Metric, s.Value))
		}
	}
	for _, r := range run.Retrieval {
		if strings.HasSuffix(r.Metric, "_5m_30deg") || strings.HasSuffix(r.Metric, "_25m_180deg") { // of every scene
			continue
		}
		got = append(got, fmt.Sprintf("%s %d %s %.4g", r.Split, r.TopK, r.Metric, r.Value))
	}
	want := []string{
		"all 1 queries 3", "all 1 localized 3", "all 1 within_0.3m_2deg 0", "all 1 within_1m_5deg 100", "all 1 median_t_err_m 0.625",
		"day 1 queries 2", "day 1 localized 2", "day 1 within_0.3m_2deg 0", "day 1 within_1m_5deg 100", "day 1 median_t_err_m 0.625",
		"night 1 queries 1", "night 1 localized 1",
		"all 2 queries 3", "all 2 localized 3", "all 2 within_0.3m_2deg 100", "all 2 within_1m_5deg 100", "all 2 median_t_err_m 0.125",
		"day 2 queries 2", "day 2 localized 2", "day 2 within_0.3m_2deg 100", "day 2 within_1m_5deg 100", "day 2 median_t_err_m 0.125",
		"night 2 queries 1", "night 2 localized 1",
		// m0, the first of q0, is 0.75 m away, m1 0.25 m; both of q1 are 0.5 m away.
		"all 1 recall_0.3m_30deg 0", "all 1 precision_0.3m_30deg 0", "all 1 recall_0.6m_30deg 50", "all 1 precision_0.6m_30deg 50",
		"all 2 recall_0.3m_30deg 50", "all 2 precision_0.3m_30deg 25", "all 2 recall_0.6m_30deg 100", "all 2 precision_0.6m_30deg 75",
		"day 1 recall_0.3m_30deg 0", "day 1 precision_0.3m_30deg 0", "day 1 recall_0.6m_30deg 50", "day 1 precision_0.6m_30deg 50",
		"day 2 recall_0.3m_30deg 50", "day 2 precision_0.3m_30deg 25", "day 2 recall_0.6m_30deg 100", "day 2 precision_0.6m_30deg 75",
	}
	if !slices.Equal(got, want) {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestPosesOfToyScene reads the poses back: one dataset a method and k, with
// the queries' own cameras and times.
func TestPosesOfToyScene(t *testing.T) {
	run := mustRun(t, toyScene(t), Options{Out: t.TempDir(), TopK: []int{2}, Methods: []string{"ewb"}})
	d, err := kapture.Open(filepath.Join(run.Dir, "poses", "toy", "ewb_top2"))
	if err != nil {
		t.Fatal(err)
	}
	poses, err := d.ImagePoses()
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]float64{"q0.jpg": 0.5, "q1.jpg": 1.5, "n0.jpg": 1.5} { // n0: m3 and, of the equal ones, m0
		if c := poses[name].Center(); math.Abs(c.X-x) > 1e-9 || c.Y != 0 || c.Z != 0 {
			t.Errorf("%s: want the centre (%v, 0, 0), found %v", name, x, c)
		}
	}
	if len(poses) != 3 || len(d.Sensors) != 2 || d.Sensors[0].ID != "ncam" || d.Sensors[1].ID != "qcam" || d.Sensors[0].Params[3] != "50" {
		t.Errorf("found %d poses and the cameras %+v", len(poses), d.Sensors)
	}
	text, err := os.ReadFile(filepath.Join(run.Dir, "submission", "toy", "ewb_top2.txt"))
	if want := "n0.jpg 1 0 0 0 -1.5 0 0\nq0.jpg 1 0 0 0 -0.5 0 0\nq1.jpg 1 0 0 0 -1.5 0 0\n"; err != nil || string(text) != want {
		t.Errorf("submission: want\n%sfound\n%s%v", want, text, err)
	}
}

// TestManifestOfToyScene checks what a reader needs to judge the figures.
func TestManifestOfToyScene(t *testing.T) {
	dir := toyScene(t)
	if err := os.Remove(filepath.Join(dir, toyFeatures, "m2.jpg.gfeat")); err != nil {
		t.Fatal(err)
	}
	replace(t, dir, mappingPoses, "0, mcam, 1, 0, 0, 0, 0, 0, 0\n", "")
	put(t, dir, "pairs.txt", "# kapture format: 1.1\nq1.jpg, m1.jpg, 1\nq0.jpg, m1.jpg, 0.5\nq0.jpg, m3.jpg, 0.75\n")
	run := mustRun(t, dir, Options{Out: t.TempDir(), Features: []string{"toy"}, Pairs: []PairsFile{{"mine", filepath.Join(dir, "pairs.txt")}},
		TopK: []int{1, 50}, Methods: []string{"csi", "bdi"}, CSIAlpha: 4, Args: []string{"run"}, Version: "v9"})
	m := run.Manifest
	want := record.Counts{Mapping: 4, Queries: 3, QueriesWithTruth: 2, MappingWithoutPose: 1, WithoutFeature: map[string]int{"toy": 1}}
	if fmt.Sprint(m.Counts) != fmt.Sprint(want) {
		t.Errorf("want %+v, found %+v", want, m.Counts)
	}
	if fmt.Sprint(m.Methods) != "[{bdi map[]} {csi map[alpha:4]}]" || fmt.Sprint(m.Scene.Splits) != "[{all 3 []} {day 2 []} {night 1 []}]" ||
		m.Versions.Locbench != "v9" || m.Arguments[0] != "run" {
		t.Errorf("found methods %v, splits %v, %+v, %v", m.Methods, m.Scene.Splits, m.Versions, m.Arguments)
	}
	if fmt.Sprint(m.TopK) != "[{1 1 } {50 3 uses all 3 mapping images}]" {
		t.Errorf("found %v", m.TopK)
	}
	if len(m.LeftOut) != 1 || m.LeftOut[0].Name != "bdi" || len(m.Features) != 2 || m.Features[0].Dim != 4 || m.Features[1].Kind != "pairs" {
		t.Errorf("found %+v, %+v", m.LeftOut, m.Features)
	}
	for _, row := range run.Queries {
		if row.Feature == "mine" && row.Method == "bdi" {
			t.Errorf("BDI has no descriptors of a pairs file, found %+v", row)
		}
		if row.Feature == "mine" && (row.Status == record.Failed) != (row.Query == "n0.jpg") {
			t.Errorf("n0 alone has no pair, found %+v", row)
		}
	}
	pairs, err := os.ReadFile(filepath.Join(run.Dir, "pairs", "mine.txt"))
	if want := "q0.jpg, m3.jpg, 0.75\nq0.jpg, m1.jpg, 0.5\nq1.jpg, m1.jpg, 1.0\n"; err != nil || !strings.HasSuffix(string(pairs), want) {
		t.Errorf("want the pairs by query, best first,\n%sfound\n%s%v", want, pairs, err)
	}
}
