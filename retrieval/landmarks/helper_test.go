package landmarks_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"locbench/kapture/kapturetest"
	"locbench/retrieval/landmarks"
	"locbench/retrieval/npy"
)

// put writes files below a new folder: alternately a path and its text.
func put(t testing.TB, pathsAndTexts ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(pathsAndTexts); i += 2 {
		path := filepath.Join(dir, filepath.FromSlash(pathsAndTexts[i]))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(pathsAndTexts[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// golden reads the real ground truth of a set.
func golden(t testing.TB, name string) *landmarks.Dataset {
	t.Helper()
	d, err := landmarks.ReadTruth(name, kapturetest.Shared(t, "golden", "map", "gnd_"+name+".pkl"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// toy is a set of 5 images and 2 queries, one without easy positives.
const toyTruth = `{"imlist": ["a", "b", "c", "d", "e"], "qimlist": ["p", "q"], "gnd": [
	{"bbx": [1.5, 2.5, 30, 40], "easy": [0], "hard": [1, 3], "junk": [4]}, {"bbx": null, "easy": [], "hard": [2], "junk": []}]}`

func toy(t testing.TB) *landmarks.Dataset {
	t.Helper()
	d, err := landmarks.ReadTruth("roxford5k", filepath.Join(put(t, "gnd.json", toyTruth), "gnd.json"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// matrix writes a matrix and opens it.
func matrix[T npy.Real](t testing.TB, rows, cols int, data []T) *npy.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m.npy")
	if err := npy.Write(path, rows, cols, data); err != nil {
		t.Fatal(err)
	}
	f, err := npy.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func gaussian(n int, seed uint64) []float32 {
	rng := rand.New(rand.NewPCG(seed, 1))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("want an error with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("want %q in %v", part, err)
		}
	}
}
