package bench

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"locbench/bench/record"
	"locbench/scenes"
)

// seenScene is the toy scene with points: q0 sees points 0…3, of which m2 sees
// three, m1 one and m0 none; q1 sees nothing.
func seenScene(t *testing.T) string {
	t.Helper()
	dir := toyScene(t)
	replace(t, dir, "scene.yaml", "mapping: [mapping]\n", "observations: truth\nmapping: [mapping]\n")
	put(t, dir, "truth/reconstruction/points3d.txt", "# kapture format: 1.1\n"+strings.Repeat("0, 0, 1\n", 6))
	put(t, dir, "truth/reconstruction/observations.txt", `# kapture format: 1.1
0, k, q0.jpg, 0, m2.jpg, 0
1, k, q0.jpg, 1, m2.jpg, 1
2, k, q0.jpg, 2, m2.jpg, 2, m1.jpg, 2
3, k, q0.jpg, 3
4, k, m1.jpg, 4
5, k, n0.jpg, 5, m0.jpg, 5
`)
	return dir
}

func TestOracles(t *testing.T) {
	run := mustRun(t, seenScene(t), Options{Out: t.TempDir(), TopK: []int{1, 2}, Methods: []string{"ewb", "bdi"}, Oracle: true})
	if text := read(t, run.Dir, "pairs/oracle-pose.txt"); !strings.Contains(text, "q0.jpg, m1.jpg, 0.990") || strings.Contains(text, "n0.jpg") ||
		strings.Index(text, "q0.jpg, m1.jpg") > strings.Index(text, "q0.jpg, m0.jpg") {
		t.Errorf("want the nearest images of queries with a pose, found\n%s", text)
	}
	// m2: three points of four; m1: one of five.
	if text := read(t, run.Dir, "pairs/oracle-covisibility.txt"); !strings.Contains(text, "q0.jpg, m2.jpg, 0.75\nq0.jpg, m1.jpg, 0.2\n") || strings.Contains(text, "q1.jpg") {
		t.Errorf("want the images by shared points, found\n%s", text)
	}
	status := map[string]record.Status{}
	for _, q := range run.Queries {
		status[q.Feature+" "+q.Method+" "+q.Query] = q.Status
	}
	for row, want := range map[string]record.Status{"oracle-pose ewb q1.jpg": record.Localized, "oracle-pose ewb n0.jpg": record.Skipped,
		"oracle-covisibility ewb q1.jpg": record.Skipped, "oracle-pose bdi q0.jpg": "", "toy bdi q0.jpg": record.Localized} {
		if status[row] != want {
			t.Errorf("%s: want %q, found %q", row, want, status[row])
		}
	}
	got := map[string]float64{}
	for _, r := range run.Retrieval {
		got[fmt.Sprintf("%s %s %d %s", r.Feature, r.Split, r.TopK, r.Metric)] = r.Value
	}
	for name, want := range map[string]float64{
		// toy: q0 retrieves m0 (no common point), m1 (1 of 5); q1 m2, m1 (nothing seen).
		"toy all 1 recall_iou0.1": 0, "toy all 2 recall_iou0.1": 50, "toy all 2 precision_iou0.1": 25, "toy all 2 mean_iou": 100 * (0.1 + 0) / 2,
		"oracle-covisibility day 1 recall_iou0.1": 50, "oracle-covisibility day 2 precision_iou0.1": 50, "oracle-covisibility day 1 mean_iou": 37.5,
		"oracle-pose all 1 recall_0.3m_30deg": 50, "oracle-pose all 1 recall_0.6m_30deg": 100,
	} {
		if v, ok := got[name]; !ok || v < want-1e-9 || v > want+1e-9 {
			t.Errorf("%s: want %v, found %v (%v)", name, want, v, ok)
		}
	}
}

func TestOracleNeedsTruth(t *testing.T) {
	dir := toyScene(t)
	replace(t, dir, "scene.yaml", "  - {dir: day, split: day}\n", "")
	scene, err := scenes.Open(dir, scenes.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = NewPlan(scene, Options{Out: t.TempDir(), Oracle: true})
	if err == nil || !strings.Contains(err.Error(), "want queries with known poses for oracle retrieval, found none of 1") {
		t.Errorf("found %v", err)
	}
}

// TestFailures names the first cause that holds for each kind of row.
func TestFailures(t *testing.T) {
	for _, c := range []struct {
		row      record.Query
		relevant int
		want     record.Cause
	}{
		{record.Query{Status: record.Skipped}, 0, record.NotTried},
		{record.Query{Status: record.Localized, Method: "ewb"}, 0, record.RetrievalMissed},
		{record.Query{Status: record.Failed, Method: "global-map", Correspondences: 100}, 0, record.RetrievalMissed},
		{record.Query{Status: record.Failed, Method: "global-map", Correspondences: 3}, 2, record.TooFewMatches},
		{record.Query{Status: record.Failed, Method: "global-map", Correspondences: 100, Inliers: 0}, 2, record.TooFewInliers},
		{record.Query{Status: record.Failed, Method: "local-sfm", Correspondences: 3}, -1, record.TooFewMatches},
		{record.Query{Status: record.Localized, Method: "global-map"}, 1, record.WrongPose},
	} {
		if got := cause(c.row, c.relevant); got != c.want {
			t.Errorf("%+v, %d relevant: want %s, found %s", c.row, c.relevant, c.want, got)
		}
	}
	run := mustRun(t, seenScene(t), Options{Out: t.TempDir(), TopK: []int{1}, Methods: []string{"ewb"}, Features: []string{"toy"}})
	// The coarsest threshold is (1 m, 5°): all queries are within, or without truth.
	if len(run.Failures) != 0 {
		t.Errorf("want no failure, found %+v", run.Failures)
	}
	dir := seenScene(t)
	replace(t, dir, "scene.yaml", "thresholds: [[0.3, 2], [1, 5]]", "thresholds: [[0.3, 2], [0.4, 5]]")
	run = mustRun(t, dir, Options{Out: t.TempDir(), TopK: []int{1, 2}, Methods: []string{"ewb"}, Features: []string{"toy"}})
	var got []string
	for _, f := range run.Failures {
		got = append(got, fmt.Sprint(f.Query, " ", f.TopK, " ", f.Cause, " ", f.Relevant))
	}
	// Alone, m0 is 0.75 m from q0 and sees none of its points; m2 is 0.5 m from q1, of
	// which nothing is known to be seen.
	if want := []string{"q0.jpg 1 retrieval_missed 0", "q1.jpg 1 retrieval_missed 0"}; !slices.Equal(got, want) {
		t.Errorf("want %q, found %q", want, got)
	}
}
