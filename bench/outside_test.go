package bench

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"locbench/scenes"
)

// TestOtherFilesStay: a folder that holds a run may hold other things, which
// are nobody's unfinished work.
func TestOtherFilesStay(t *testing.T) {
	dir, o := toyScene(t), Options{Out: t.TempDir(), TopK: []int{1}}
	mine := []string{".cache1234567", "photos/.trip20240101", "photos/results/.a.tmp-123456"}
	for _, name := range mine {
		put(t, o.Out, name, "mine")
	}
	for range 2 {
		mustRun(t, dir, o)
	}
	for _, name := range mine {
		if _, err := os.Stat(filepath.Join(o.Out, name)); err != nil {
			t.Errorf("a run removed it: %v", err)
		}
	}
}

// TestRunDirectoryInScene: what a run writes must not become part of the scene.
func TestRunDirectoryInScene(t *testing.T) {
	dir := toyScene(t)
	scene, err := scenes.Open(dir, scenes.Options{})
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{dir, link, filepath.Join(dir, "mapping"), filepath.Join(dir, "day", "runs", "new"), filepath.Join(dir, "global_features", "x")} {
		_, err := NewPlan(scene, Options{Out: out})
		if _, ok := errors.AsType[*UsageError](err); !ok || !strings.Contains(err.Error(), "outside of the scene's data") {
			t.Errorf("%s: want a usage error, found %v", out, err)
		}
	}
	if _, err := NewPlan(scene, Options{Out: filepath.Join(dir, "runs", "new")}); err != nil {
		t.Error(err)
	}
}

// TestStoppedRunHasNoManifest: a second run with other options that does not
// finish leaves files of both; nobody shall take them for the first one's.
func TestStoppedRunHasNoManifest(t *testing.T) {
	dir, o := toyScene(t), Options{Out: t.TempDir(), TopK: []int{1}}
	mustRun(t, dir, o)
	remove(t, filepath.Join(dir, toyFeatures, "q0.jpg.gfeat"))
	put(t, dir, toyFeatures+"m0.jpg.gfeat", "short")
	if _, err := newPlan(t, dir, o).Run(t.Context()); err == nil {
		t.Fatal("want an error")
	}
	if _, err := os.Stat(filepath.Join(o.Out, "manifest.json")); !os.IsNotExist(err) {
		t.Errorf("want no manifest, found %v", err)
	}
}
