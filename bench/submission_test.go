package bench

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNamesThatCannotBeSubmitted: folders of own images often repeat the base
// names; that stops no benchmark.
func TestNamesThatCannotBeSubmitted(t *testing.T) {
	for name, want := range map[string]string{
		"b/q0.jpg":  `found "q0.jpg" for both b/q0.jpg and q0.jpg (style default)`,
		"q one.jpg": `want a name without blanks (they separate the columns), found "q one.jpg"`,
	} {
		dir := toyScene(t)
		replace(t, dir, "day/sensors/records_camera.txt", "q1.jpg", name)
		run := mustRun(t, dir, Options{Out: t.TempDir(), TopK: []int{1}, Methods: []string{"ewb"}})
		if w := run.Manifest.Warnings; len(w) == 0 || !strings.Contains(strings.Join(w, " "), "submissions are left out: ") || !strings.Contains(strings.Join(w, " "), want) {
			t.Errorf("want a warning with %q, found %q", want, w)
		}
		if _, err := os.Stat(filepath.Join(run.Dir, "submission")); !os.IsNotExist(err) {
			t.Errorf("want no submission, found %v", err)
		}
		replace(t, dir, "scene.yaml", "name: toy", "name: toy\nsubmission: full-path")
		run = mustRun(t, dir, Options{Out: run.Dir, TopK: []int{1}, Methods: []string{"ewb"}})
		_, err := os.Stat(filepath.Join(run.Dir, "submission", "toy", "ewb_top1.txt"))
		if blank := strings.Contains(name, " "); (err == nil) == blank {
			t.Errorf("%s in full: found %v", name, err)
		}
	}
}

// TestSplitWithoutQuery warns of a split that a submission holds no query of, on a
// scene that needs a server.
func TestSplitWithoutQuery(t *testing.T) {
	dir := toyScene(t)
	if err := os.Remove(filepath.Join(dir, "day", "sensors", "trajectories.txt")); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "pairs.txt", "# kapture format: 1.1\nq0.jpg, m0.jpg, 0.9\nq1.jpg, m1.jpg, 0.8\n")
	var log bytes.Buffer
	o := Options{Out: t.TempDir(), TopK: []int{1, 2}, Methods: []string{"ewb"}, Pairs: []PairsFile{{"two", filepath.Join(dir, "pairs.txt")}}, Log: slog.New(slog.NewTextHandler(&log, nil))}
	mustRun(t, dir, o)
	want := "submissions of two by ewb, top 1, 2, hold none of the 1 queries of split night: the evaluation server gives 0 for it"
	if n := strings.Count(log.String(), "hold none of"); n != 1 || !strings.Contains(log.String(), want) {
		t.Errorf("want one warning, %q, found\n%s", want, log.String())
	}
}
