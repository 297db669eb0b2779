package kapture

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFeatureWriter(t *testing.T) {
	for _, kind := range []FeatureKind{Keypoints, Descriptors, GlobalFeatures} {
		for _, dtype := range []DType{Float16, Float32, Float64, Int8, Int16, Int32, Int64, Uint8, Uint16, Uint32, Uint64} {
			for _, inTar := range []bool{false, true} {
				dir := filepath.Join(t.TempDir(), "f")
				h := FeatureHeader{Name: "test", DType: dtype, DSize: 3}
				if kind != Keypoints {
					h.Metric = "L2"
				}
				create := CreateFeatures
				if inTar {
					create = CreateFeaturesTar
				}
				w, err := create(dir, kind, h)
				if err != nil {
					t.Fatal(err)
				}
				rows := map[string][]float32{"b/2.jpg": {1, 2, 3}, "a/1.jpg": {4, 5, 127}}
				for _, image := range []string{"b/2.jpg", "a/1.jpg"} {
					if err := w.Write(image, rows[image]); err != nil {
						t.Fatal(err)
					}
				}
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				checkWritten(t, dir, kind, h, rows)
			}
		}
	}
}

func checkWritten(t *testing.T, dir string, kind FeatureKind, h FeatureHeader, rows map[string][]float32) {
	t.Helper()
	f, err := OpenFeatures(dir, kind)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Header() != h {
		t.Errorf("got %+v, want %+v", f.Header(), h)
	}
	if got := f.Images(); !slices.Equal(got, []string{"a/1.jpg", "b/2.jpg"}) {
		t.Errorf("got images %v", got)
	}
	if f.Has("a") || !f.Has("a/1.jpg") {
		t.Error("Has is wrong")
	}
	for image, want := range rows {
		got, err := f.Float32(image, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s %s: got %v, want %v", h.DType, image, got, want)
		}
	}
}

func TestTarIsDeterministic(t *testing.T) {
	var files [2]map[string]string
	for i := range files {
		dir := t.TempDir()
		w, err := CreateFeaturesTar(dir, Keypoints, FeatureHeader{Name: "x", DType: "float32", DSize: 2})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Discard()
		if err := w.Write("a.jpg", []float32{1, 2}); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if entries, _ := os.ReadDir(dir); len(entries) != 1 {
				t.Errorf("got %v before Close, want the temporary file", entries)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		files[i] = contents(t, dir)
	}
	if diff := cmp.Diff(files[0], files[1]); diff != "" || len(files[0]) != 2 {
		t.Errorf("%d files, differences %s", len(files[0]), diff)
	}
}
