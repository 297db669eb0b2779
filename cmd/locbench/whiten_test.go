package main

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"locbench/kapture"
	"locbench/retrieval/npy"
)

// TestWhiten learns from descriptors and whitens them: with power 0.5 their
// mean is gone; the same from a folder of features, to float32.
func TestWhiten(t *testing.T) {
	dir := toyScene(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	features := at(strings.TrimSuffix(toyFeatures, "/"))
	matrix(t, dir, "x.npy", 5, 4, []float32{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 1, 0, 0, 0, 1, 1, 0}) // m0, m1, m2, q0, q1
	mustRun(t, "whiten", "--learn", "--descriptors", at("x.npy"), "--out", at("a.safetensors"))
	mustRun(t, "whiten", "--learn", "--descriptors", features, "--set", "other", "--out", at("b.safetensors"))
	mustRun(t, "whiten", "--pca", at("a.safetensors"), "--descriptors", at("x.npy"), "--out", at("a.npy"), "--whiten-power", "0.5")
	mustRun(t, "whiten", "--pca", at("b.safetensors:other"), "--descriptors", features, "--out", at("white"), "--whiten-power", "0.5")
	rows, cols, whitened, err := npy.ReadAll[float32](at("a.npy"))
	if err != nil || rows != 5 || cols != 3 { // the fourth value is always 0
		t.Fatalf("found %d × %d, %v", rows, cols, err)
	}
	f, err := kapture.OpenFeatures(at("white"), kapture.GlobalFeatures)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if h := f.Header(); h.Name != "white" || h.DSize != 3 {
		t.Errorf("found header %+v", h)
	}
	for i, name := range []string{"m0.jpg", "m1.jpg", "m2.jpg", "q0.jpg", "q1.jpg"} {
		row, err := f.Float32(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		squares := 0.0
		for j, v := range row {
			squares += float64(v) * float64(v)
			if v != whitened[i*cols+j] {
				t.Errorf("%s: want %v, found %v", name, whitened[i*cols:][:cols], row)
			}
		}
		if math.Abs(squares-1) > 1e-6 {
			t.Errorf("%s has the length %v", name, math.Sqrt(squares))
		}
	}
}

func TestWhitenBadInput(t *testing.T) {
	dir := toyScene(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	matrix(t, dir, "x.npy", 3, 2, []float32{1, 0, 0, 1, 1, 1})
	matrix(t, dir, "one.npy", 1, 2, []float32{1, 0})
	matrix(t, dir, "same.npy", 2, 2, []float32{1, 0, 1, 0})
	matrix(t, dir, "nan.npy", 2, 2, []float32{1, 0, float32(math.NaN()), 0})
	mustRun(t, "whiten", "--learn", "--descriptors", at("x.npy"), "--out", at("pca.safetensors"))
	put(t, dir, toyFeatures+"m1.jpg.gfeat", floats(1, 0, float32(math.Inf(1)), 0))
	learn := []string{"--learn", "--out", at("out"), "--descriptors"}
	apply := []string{"--out", at("out"), "--descriptors", at("x.npy"), "--pca"}
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"one":          {append(learn, at("one.npy")), 3, "one.npy: want at least 2 descriptors to learn from, found 1"},
		"same":         {append(learn, at("same.npy")), 3, "same.npy: want descriptors that differ"},
		"NaN":          {append(learn, at("nan.npy")), 3, "nan.npy: row 1, column 0: want a finite value, found NaN"},
		"feature":      {append(learn, at(toyFeatures)), 3, "m1.jpg.gfeat: want finite values, found +Inf as value 3 of 4"},
		"neither":      {append(learn, at("x.npy"), "--pca", "x"), 2, "want either --learn or --pca FILE"},
		"set":          {append(learn, at("x.npy"), "--set", "a:b"), 2, "want --set NAME without colons"},
		"no input":     {append(learn, at("none.npy")), 1, "none.npy: no such file"},
		"no such set":  {append(apply, at("pca.safetensors:big")), 2, `pca.safetensors: learned; found "big"`},
		"dimensions":   {append(apply, at("pca.safetensors"), "--whiten-dim", "3"), 2, "want 1 to 2 whitened dimensions, found 3"},
		"other length": {[]string{"--out", at("out"), "--descriptors", at(toyFeatures), "--pca", at("pca.safetensors")}, 3, "want descriptors of 2 values for "},
	} {
		t.Run(name, func(t *testing.T) {
			_, stderr, code := locbench(t, append([]string{"whiten"}, c.args...)...)
			if code != c.code || !strings.Contains(stderr, c.want) {
				t.Errorf("want exit code %d and %q, found %d and\n%s", c.code, c.want, code, stderr)
			}
		})
	}
}
