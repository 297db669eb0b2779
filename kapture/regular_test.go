//go:build unix

package kapture

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestNamedPipes: a pipe in place of a file is named, and never waited for.
func TestNamedPipes(t *testing.T) {
	dir := t.TempDir()
	d := &Dataset{Sensors: []Sensor{{ID: "cam", Type: "camera", Params: []string{"PINHOLE", "1", "1", "1", "1", "0", "0"}}}}
	if err := d.Write(dir); err != nil {
		t.Fatal(err)
	}
	features := filepath.Join(dir, "reconstruction", "global_features", "gf")
	w, err := CreateFeatures(features, GlobalFeatures, FeatureHeader{Name: "gf", DType: Float32, DSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write("a.jpg", []float32{1}); err != nil {
		t.Fatal(err)
	}
	pipe := func(path string) {
		t.Helper()
		if err := syscall.Mkfifo(path, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	pipe(filepath.Join(features, "b.jpg.gfeat"))
	f, err := OpenFeatures(features, GlobalFeatures)
	if err != nil {
		t.Fatal(err)
	}
	if !f.Has("a.jpg") || f.Has("b.jpg") {
		t.Errorf("want the feature of a.jpg alone, found %q", f.Images())
	}
	pipe(filepath.Join(features, "global_features.tar"))
	_, err = OpenFeatures(features, GlobalFeatures)
	checkInputError(t, err, "global_features.tar: want a file, found a named pipe")
	pipe(filepath.Join(dir, "sensors", "trajectories.txt"))
	_, err = Open(dir)
	checkInputError(t, err, "trajectories.txt: want a file, found a named pipe")
	checkInputError(t, CheckFile(dir), "want a file, found a folder")
	if err := CheckFile(filepath.Join(dir, "none")); !os.IsNotExist(err) {
		t.Errorf("want that there is no file, found %v", err)
	}
}
