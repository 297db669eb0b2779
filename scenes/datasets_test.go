package scenes

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"locbench/kapture"
)

// TestManyDatasets opens a scene that is cut into places, as RobotCar Seasons v2 is:
// every place has a map, some have queries.
func TestManyDatasets(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "odd [name]")
	write(t, dataset("cam", "a/1.jpg", "a/2.jpg"), filepath.Join(dir, "01", "mapping"))
	write(t, dataset("cam", "b/1.jpg"), filepath.Join(dir, "02", "mapping"))
	write(t, dataset("cam", "rain/q.jpg", "sun/q.jpg"), filepath.Join(dir, "02", "query"))
	put(t, filepath.Join(dir, "notes", "mapping", "readme.txt"), "no dataset")
	card := "mapping: [\"*/mapping\"]\nqueries: [{dir: \"*/query\", split: rain, pattern: \"rain/*\"}, {dir: \"*/query\", split: sun, pattern: \"sun/*\"}]\nthresholds: [[1, 5]]\n"
	put(t, filepath.Join(dir, "scene.yaml"), card)
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Mapping()) != 3 || len(s.Queries()) != 2 || s.Queries()[0].Split != "rain" || s.Queries()[1].Split != "sun" {
		t.Errorf("found %+v and %+v", s.Mapping(), s.Queries())
	}
	if got := s.Dataset(s.Mapping()[2]); got != "02/mapping" {
		t.Errorf("want 02/mapping, found %s", got)
	}
	if err := os.RemoveAll(filepath.Join(dir, "02", "query")); err != nil {
		t.Fatal(err)
	}
	for want, text := range map[string]string{"*/query: want kapture datasets": card, "want a glob of folders": strings.Replace(card, "*/mapping", "[/mapping", 1)} {
		put(t, filepath.Join(dir, "scene.yaml"), text)
		_, err := Open(dir, Options{})
		if _, ok := errors.AsType[*kapture.InputError](err); !ok || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, found %v", want, err)
		}
	}
}

// TestHowToInstall names the data root that was asked for, if it is not the usual one.
func TestHowToInstall(t *testing.T) {
	t.Setenv("LOCBENCH_DATA", "/usual")
	c, err := Find("GangnamStation_B1")
	if err != nil {
		t.Fatal(err)
	}
	for root, want := range map[string]string{"/usual": "locbench scenes install GangnamStation_B1", "/my data": "locbench scenes install GangnamStation_B1 --data-root '/my data'"} {
		if got := c.HowToGet(c.Folder(root)); got != want {
			t.Errorf("%s: want %q, found %q", root, want, got)
		}
	}
}

// TestRetrievalDataIsNoScene says what a retrieval data set is for.
func TestRetrievalDataIsNoScene(t *testing.T) {
	root := t.TempDir()
	put(t, filepath.Join(root, "oxford5k", "jpg", "a.jpg"), "image")
	_, err := Open("oxford5k", Options{DataRoot: root})
	if _, ok := errors.AsType[*kapture.InputError](err); !ok || !strings.Contains(err.Error(), "for locbench eval") {
		t.Errorf("found %v", err)
	}
}
