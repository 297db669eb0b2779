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
