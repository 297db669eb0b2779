package scenes

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"locbench/kapture"
	"locbench/kapture/geom"
)

func TestOpenFolder(t *testing.T) {
	dir := tinyScene(t)
	put(t, filepath.Join(dir, "LICENSE.txt"), "Do what you like.\n")
	put(t, filepath.Join(dir, "AUTHORS"), "No licence.\n")
	put(t, filepath.Join(dir, "LICENSE.zzz"), "Not the first.\n")
	s := mustOpen(t, dir, Options{})
	if s.Name != "tiny" || s.Title != "tiny" || s.Licence != "Do what you like." || s.LicenceFile != filepath.Join(dir, "LICENSE.txt") {
		t.Errorf("name %q, title %q, licence %q of %q", s.Name, s.Title, s.Licence, s.LicenceFile)
	}
	if diff := cmp.Diff([]geom.Threshold{{Meters: 0.25, Degrees: 2}, {Meters: 0.5, Degrees: 5}, {Meters: 5, Degrees: 10}}, s.Thresholds); diff != "" {
		t.Errorf("thresholds: %s", diff)
	}
	if want := "kapture directory: the field's usual three; set them in scene.yaml"; s.ThresholdsFrom != want {
		t.Errorf("thresholds from %q", s.ThresholdsFrom)
	}
	if diff := cmp.Diff([]geom.Threshold{{Meters: 5, Degrees: 30}, {Meters: 25, Degrees: 180}}, s.RecallThresholds); diff != "" {
		t.Errorf("recall thresholds: %s", diff)
	}
	if got, want := names(s.Mapping()), "m/0.jpg m/1.jpg m/2.jpg"; got != want {
		t.Errorf("mapping: %s, want %s", got, want)
	}
	if got, want := names(s.Queries()), "day:d/0.jpg day:d/1.jpg night:n/0.jpg"; got != want {
		t.Errorf("queries: %s, want %s", got, want)
	}
	if got := s.Splits(); !slices.Equal(got, []string{"day", "night"}) {
		t.Errorf("splits: %v", got)
	}
	im := s.Mapping()[2] // the first line of its table
	if !im.HasPose || im.Pose.T.X != 0 || im.Camera != "map" || im.File != filepath.Join(dir, "mapping/sensors/records_data/m/2.jpg") {
		t.Errorf("image %+v", im)
	}
	files, err := s.InputFiles()
	if err != nil || len(files) != 9 || files[0] != filepath.Join(dir, "mapping/sensors/records_camera.txt") {
		t.Errorf("input files %v, %v", files, err)
	}
}

func TestOpenSceneFile(t *testing.T) {
	dir := tinyScene(t)
	put(t, filepath.Join(dir, "scene.yaml"), `title: Tiny
mapping: [mapping]
queries:
  - {dir: query_day, split: first, pattern: "d/0*"}
  - {dir: query_day, split: rest, pattern: "/^d/"}
  - {dir: query_night}
thresholds: [[1, 5]]
submission: full-path
licence: free
`)
	for _, ref := range []string{dir, filepath.Join(dir, "scene.yaml")} {
		s := mustOpen(t, ref, Options{})
		if got, want := names(s.Queries()), "first:d/0.jpg rest:d/1.jpg n/0.jpg"; got != want {
			t.Errorf("queries: %s, want %s", got, want)
		}
		if s.Name != "tiny" || s.Title != "Tiny" || s.Submission != StyleFullPath || s.Licence != "free" {
			t.Errorf("%+v", s.Card)
		}
		if len(s.Thresholds) != 1 || s.ThresholdsFrom != "scene file "+filepath.Join(dir, "scene.yaml") {
			t.Errorf("thresholds %v from %s", s.Thresholds, s.ThresholdsFrom)
		}
		if files, err := s.InputFiles(); err != nil || !slices.Contains(files, filepath.Join(dir, "scene.yaml")) {
			t.Errorf("input files %v, %v", files, err)
		}
	}
}

// TestOpenHere names a scene after the folder, whatever it was called by.
func TestOpenHere(t *testing.T) {
	dir := tinyScene(t)
	t.Chdir(filepath.Join(dir, "mapping"))
	for _, ref := range []string{"..", dir} {
		if s := mustOpen(t, ref, Options{}); s.Name != "tiny" {
			t.Errorf("%s: want the name tiny, found %s", ref, s.Name)
		}
	}
	if sensor, ok := mustOpen(t, "..", Options{}).Sensor(Image{Camera: "map"}); ok {
		t.Errorf("an image of no scene has the sensor %v", sensor)
	}
}

// TestOpenSmallest takes one mapping image and one query.
func TestOpenSmallest(t *testing.T) {
	dir := t.TempDir()
	write(t, dataset("c", "m.jpg"), filepath.Join(dir, "mapping"))
	write(t, dataset("c", "q.jpg"), filepath.Join(dir, "query"))
	if s := mustOpen(t, dir, Options{}); len(s.Mapping()) != 1 || len(s.Queries()) != 1 {
		t.Errorf("found %d and %d images", len(s.Mapping()), len(s.Queries()))
	}
}

func TestOpenMergesMapping(t *testing.T) {
	dir := tinyScene(t)
	write(t, dataset("map2", "m2/0.jpg"), filepath.Join(dir, "more", "b"))
	put(t, filepath.Join(dir, "x.yaml"), "mapping: [more/b, mapping]\nqueries: [{dir: query_day}]\nthresholds: [[1, 1]]\n")
	s := mustOpen(t, filepath.Join(dir, "x.yaml"), Options{})
	if got, want := names(s.Mapping()), "m/0.jpg m/1.jpg m/2.jpg m2/0.jpg"; got != want || s.Name != "x" {
		t.Errorf("mapping of %s: %s, want %s", s.Name, got, want)
	}
}

func TestOpenQueryAll(t *testing.T) {
	dir := tinyScene(t)
	write(t, dataset("cam", "d/0.jpg", "d/1.jpg", "n/0.jpg"), filepath.Join(dir, "query_all"))
	if got, want := names(mustOpen(t, dir, Options{}).Queries()), "day:d/0.jpg day:d/1.jpg night:n/0.jpg"; got != want {
		t.Errorf("query_all beside its parts: %s, want %s", got, want)
	}
	for _, part := range []string{"query_day", "query_night"} {
		if err := os.RemoveAll(filepath.Join(dir, part)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := names(mustOpen(t, dir, Options{}).Queries()), "d/0.jpg d/1.jpg n/0.jpg"; got != want {
		t.Errorf("query_all alone: %s, want %s", got, want)
	}
}

// Queries without trajectories are those of a benchmark that keeps its ground
// truth.
func TestOpenWithoutGroundTruth(t *testing.T) {
	dir := tinyScene(t)
	if err := os.Remove(filepath.Join(dir, "query_day", "sensors", "trajectories.txt")); err != nil {
		t.Fatal(err)
	}
	for _, im := range mustOpen(t, dir, Options{}).Queries() {
		if im.HasPose != (im.Split == "night") {
			t.Errorf("%s: HasPose %v", im.Name, im.HasPose)
		}
	}
}

func TestOpenKnown(t *testing.T) {
	root := t.TempDir()
	_, err := Open("demo", Options{DataRoot: root})
	missing, ok := errors.AsType[*NotInstalledError](err)
	if !ok {
		t.Fatalf("want a NotInstalledError, got %v", err)
	}
	dir := filepath.Join(root, "demo")
	if missing.Looked != dir || !strings.Contains(err.Error(), "get it with: locbench scenes generate "+dir) {
		t.Errorf("%v", err)
	}
	t.Chdir(t.TempDir())
	if err := os.Mkdir("demo", 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Open("demo", Options{DataRoot: root}); err == nil || !strings.HasSuffix(err.Error(), "write ./demo") {
		t.Errorf("a folder of the same name here: %v", err)
	}
	if err := os.Rename(tinyScene(t), dir); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "scene.yaml"), "name: other\nmapping: [mapping]\nqueries: [{dir: query_day}]\nthresholds: [[1, 1]]\n")
	if s := mustOpen(t, "demo", Options{DataRoot: root}); s.Name != "demo" || s.Dir != dir || len(s.Thresholds) != 1 {
		t.Errorf("%+v", s.Card)
	}
}

func TestOpenErrors(t *testing.T) {
	const card = "mapping: [mapping]\nqueries: [{dir: query_day}]\nthresholds: [[1, 1]]\n"
	tests := []struct {
		name  string
		spoil func(t *testing.T, dir string)
		want  []string // of the message; {} stands for the folder
	}{
		{"not a scene", func(t *testing.T, dir string) { remove(t, dir, "mapping") },
			[]string{"{}: not a scene: want scene.yaml, or kapture datasets in mapping/ and query/ (or query_*/); missing mapping/sensors/sensors.txt; found global_features/, local_features/, query_day/, query_night/"}},
		{"neither part", func(t *testing.T, dir string) {
			remove(t, dir, "mapping", "query_day", "query_night", "global_features", "local_features")
		},
			[]string{"missing mapping/sensors/sensors.txt and query/sensors/sensors.txt (or query_*/); found an empty directory"}},
		{"split with a blank", func(t *testing.T, dir string) { write(t, dataset("c", "x.jpg"), filepath.Join(dir, "query_day night")) },
			[]string{"{}/query_day night: want query_ and the name of a split"}},
		{"itself a dataset", func(t *testing.T, dir string) {
			remove(t, dir, "mapping")
			write(t, dataset("c", "a.jpg"), dir)
		}, []string{"this directory is itself one kapture dataset"}},
		{"mapping of the scene file is no kapture", func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, "scene.yaml"), strings.Replace(card, "[mapping]", "[maping]", 1))
		}, []string{"{}/maping: want a kapture folder", "found no such folder"}},
		{"image path with ..", func(t *testing.T, dir string) {
			replace(t, filepath.Join(dir, "mapping/sensors/records_camera.txt"), "m/0.jpg", "../../m/0.jpg")
		}, []string{"{}/mapping/sensors/records_camera.txt:4: want a path inside the dataset (no .., no empty element), found \"../../m/0.jpg\""}},
		{"too few fields", func(t *testing.T, dir string) {
			replace(t, filepath.Join(dir, "query_day/sensors/records_camera.txt"), "cam, d/1.jpg", "d/1.jpg")
		}, []string{"{}/query_day/sensors/records_camera.txt:4: want 3 fields"}},
		{"image twice in a dataset", func(t *testing.T, dir string) {
			replace(t, filepath.Join(dir, "mapping/sensors/records_camera.txt"), "m/1.jpg", "m/2.jpg")
		}, []string{"{}/mapping/sensors/records_camera.txt:5: want each image once, found the one of line 3 again"}},
		{"image in two query datasets", func(t *testing.T, dir string) {
			replace(t, filepath.Join(dir, "query_night/sensors/records_camera.txt"), "n/0.jpg", "d/1.jpg")
		}, []string{"{}/query_night/sensors/records_camera.txt:3: image d/1.jpg is already in {}/query_day/sensors/records_camera.txt"}},
		{"no image matches", func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, "scene.yaml"), strings.Replace(card, "query_day}", "query_day, pattern: x}", 1))
		}, []string{"{}/scene.yaml: want mapping and query images, found 3 and 0"}},
		{"unknown key", func(t *testing.T, dir string) { put(t, filepath.Join(dir, "scene.yaml"), card+"licens: MIT\n") },
			[]string{`{}/scene.yaml:4: unknown key "licens"; did you mean licence?`}},
		{"root in a scene file", func(t *testing.T, dir string) { put(t, filepath.Join(dir, "scene.yaml"), card+"root: x\n") },
			[]string{"{}/scene.yaml: root is for known scenes"}},
		{"generate in a scene file", func(t *testing.T, dir string) { put(t, filepath.Join(dir, "scene.yaml"), "generate: {mapping: 1}\n") },
			[]string{"{}/scene.yaml: want mapping and queries"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := tinyScene(t)
			tt.spoil(t, dir)
			_, err := Open(dir, Options{})
			if _, ok := errors.AsType[*kapture.InputError](err); !ok {
				t.Fatalf("want an InputError, got %v", err)
			}
			for _, want := range tt.want {
				if want = strings.ReplaceAll(want, "{}", dir); !strings.Contains(err.Error(), want) {
					t.Errorf("message lacks %q:\n%v", want, err)
				}
			}
		})
	}
}

func remove(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOpenNoScene(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := Open("virtual_gallery_tutorail", Options{})
	if _, ok := errors.AsType[*UnknownSceneError](err); !ok || !strings.Contains(err.Error(), "did you mean virtual_gallery_tutorial?") {
		t.Errorf("%v", err)
	}
	put(t, "notes.txt", "no scene")
	if _, err := Open("notes.txt", Options{}); err == nil || !strings.Contains(err.Error(), "notes.txt: want a scene: a directory, a scene file (*.yaml) or a known name") {
		t.Errorf("%v", err)
	}
}

func TestOpenListsTenCollisions(t *testing.T) {
	dir := t.TempDir()
	var many []string
	for i := range 30 {
		many = append(many, "m/"+strings.Repeat("x", i+1)+".jpg")
	}
	write(t, dataset("a", many...), filepath.Join(dir, "mapping"))
	write(t, dataset("b", many...), filepath.Join(dir, "again"))
	write(t, dataset("c", "q.jpg"), filepath.Join(dir, "query"))
	put(t, filepath.Join(dir, "scene.yaml"), "mapping: [mapping, again]\nqueries: [{dir: query}]\nthresholds: [[1, 1]]\n")
	_, err := Open(dir, Options{})
	if err == nil || strings.Count(err.Error(), "is already in") != 10 || !strings.HasSuffix(err.Error(), "and 20 more") {
		t.Errorf("%v", err)
	}
}
