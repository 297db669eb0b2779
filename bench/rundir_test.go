package bench

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRunDirIsLocked opens a run directory twice.
func TestRunDirIsLocked(t *testing.T) {
	dir := t.TempDir()
	release, err := openRunDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openRunDir(dir); err == nil || !strings.Contains(err.Error(), dir+" is in use by another locbench process") {
		t.Errorf("want the folder in use, found %v", err)
	}
	release()
	release, err = openRunDir(dir)
	if err != nil {
		t.Fatalf("after release: %v", err)
	}
	release()
}

// TestHalfWrittenFilesAreSwept removes what killed writers leave, nothing else.
func TestHalfWrittenFilesAreSwept(t *testing.T) {
	dir := t.TempDir()
	left := []string{"results/.queries.csv.tmp-1234567", ".manifest.json9876543210", ".locbench/stages/.evaluate-12ab34cd.json123456",
		"matches/a/b.jpg.overlapping/.c.jpg.matches123456", "map/reconstruction/.points3d.txt1234567", "diagnostics/pairs/.global-map.csv.tmp-1234567"}
	kept := []string{"results/queries.csv", ".hidden", "notes-123456", ".locbench/hashes.json", "poses/.keep12345", ".git123456/config"}
	for _, name := range append(left, kept...) {
		put(t, dir, name, "x")
	}
	release, err := openRunDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	for _, name := range left {
		if _, err := os.Stat(filepath.Join(dir, name)); !os.IsNotExist(err) {
			t.Errorf("%s is still there (%v)", name, err)
		}
	}
	for _, name := range kept {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRecordOutsideIsLeftAlone runs over a record of a stage that names files
// outside the run directory as its outputs: they are not removed.
func TestRecordOutsideIsLeftAlone(t *testing.T) {
	dir := toyScene(t)
	o := Options{Out: filepath.Join(t.TempDir(), "run"), TopK: []int{1}, Methods: []string{"ewb"}}
	mustRun(t, dir, o)
	precious := filepath.Join(filepath.Dir(o.Out), "precious.txt")
	put(t, filepath.Dir(o.Out), "precious.txt", "x")
	records, err := filepath.Glob(filepath.Join(o.Out, stateDir, "stages", "evaluate-*.json"))
	if err != nil || len(records) != 1 {
		t.Fatalf("found %v, %v", records, err)
	}
	replace(t, filepath.Dir(records[0]), filepath.Base(records[0]), `"results/queries.csv"`, `"../precious.txt"`)
	mustRun(t, dir, o)
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
}

// TestStaleOutputsGo runs with fewer k: no file and no folder of the others is
// left.
func TestStaleOutputsGo(t *testing.T) {
	dir := toyScene(t)
	o := Options{Out: t.TempDir(), TopK: []int{1, 2}, Methods: []string{"ewb"}}
	mustRun(t, dir, o)
	o.TopK = []int{2}
	mustRun(t, dir, o)
	for name, want := range map[string]bool{"poses/toy/ewb_top1": false, "submission/toy/ewb_top1.txt": false, "poses/toy/ewb_top2": true} {
		if _, err := os.Stat(filepath.Join(o.Out, name)); (err == nil) != want {
			t.Errorf("%s: want it there: %v, found %v", name, want, err)
		}
	}
}

func TestRecordPaths(t *testing.T) {
	r := &runner{dir: "run"}
	seen := map[string]string{}
	long := strings.Repeat("a", 300)
	for _, name := range []string{"localize a b", "localize a-b", "localize ä b", "../../x", long, long + "b"} {
		path := r.recordPath(name)
		if other, ok := seen[path]; ok {
			t.Errorf("%q and %q have one record", name, other)
		}
		seen[path] = name
		if filepath.Dir(path) != filepath.Join("run", stateDir, "stages") || len(filepath.Base(path)) > 100 {
			t.Errorf("%q: found %s", name, path)
		}
	}
}
