package kapture

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestRowsIsWhatFloat32Reads counts rows without reading them, from files and
// from a tar.
func TestRowsIsWhatFloat32Reads(t *testing.T) {
	h := FeatureHeader{Name: "sift", DType: Float32, DSize: 3}
	for name, create := range map[string]func(string, FeatureKind, FeatureHeader) (*FeatureWriter, error){"files": CreateFeatures, "tar": CreateFeaturesTar} {
		dir := filepath.Join(t.TempDir(), name)
		w, err := create(dir, Keypoints, h)
		if err != nil {
			t.Fatal(err)
		}
		for image, n := range map[string]int{"a/none.jpg": 0, "a/one.jpg": 1, "five.jpg": 5} {
			if err := w.Write(image, make([]float32, n*h.DSize)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		f, err := OpenFeatures(dir, Keypoints)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for _, image := range f.Images() {
			values, err := f.Float32(image, nil)
			rows, errRows := f.Rows(image)
			if err != nil || errRows != nil || rows*h.DSize != len(values) {
				t.Errorf("%s, %s: want %d values, found %d rows (%v, %v)", name, image, len(values), rows, err, errRows)
			}
			if _, err := os.Stat(f.Path(image)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := f.Rows("absent.jpg"); err == nil {
			t.Errorf("%s: want an error for an image without features", name)
		}
	}
}

func TestRowsOfABrokenFile(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"keypoints.txt": "# kapture format: 1.1\nsift, float32, 3\n", "a.jpg.kpt": "1234567890123"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f, err := OpenFeatures(dir, Keypoints)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Rows("a.jpg")
	if bad, ok := errors.AsType[*InputError](err); !ok || !strings.Contains(bad.Msg, "want a multiple of 12 bytes") {
		t.Errorf("found %v", err)
	}
}

func TestDataLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pairs.txt")
	if err := os.WriteFile(path, []byte("# kapture format: 1.1\n\na, b, 1\n  # comment\n\tc, d, 2"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := DataLines(path); !slices.Equal(got, []int{3, 5}) {
		t.Errorf("want lines 3 and 5, found %v", got)
	}
	if got := DataLines(path + "x"); got != nil {
		t.Errorf("want nil for a file that is not there, found %v", got)
	}
}
