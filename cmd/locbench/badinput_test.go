package main

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// toyScene writes the smallest scene there is: three mapping images with poses,
// two queries, one global feature of four numbers, and returns its folder.
func toyScene(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "toy")
	put(t, dir, "mapping/sensors/sensors.txt", "# kapture format: 1.1\ncam, , camera, SIMPLE_PINHOLE, 64, 48, 50, 32, 24\n")
	put(t, dir, "mapping/sensors/records_camera.txt", "# kapture format: 1.1\n0, cam, m0.jpg\n1, cam, m1.jpg\n2, cam, m2.jpg\n")
	put(t, dir, "mapping/sensors/trajectories.txt", "# kapture format: 1.1\n0, cam, 1, 0, 0, 0, 0, 0, 0\n1, cam, 1, 0, 0, 0, -1, 0, 0\n2, cam, 1, 0, 0, 0, -2, 0, 0\n")
	put(t, dir, "query/sensors/sensors.txt", "# kapture format: 1.1\nphone, , camera, SIMPLE_PINHOLE, 64, 48, 60, 32, 24\n")
	put(t, dir, "query/sensors/records_camera.txt", "# kapture format: 1.1\n0, phone, q0.jpg\n1, phone, q1.jpg\n")
	put(t, dir, "query/sensors/trajectories.txt", "# kapture format: 1.1\n0, phone, 1, 0, 0, 0, -0.5, 0, 0\n1, phone, 1, 0, 0, 0, -1.5, 0, 0\n")
	put(t, dir, toyFeatures+"global_features.txt", "# kapture format: 1.1\ntoy, float32, 4, L2\n")
	for name, v := range map[string][]float32{
		"m0.jpg": {1, 0, 0, 0}, "m1.jpg": {0, 1, 0, 0}, "m2.jpg": {0, 0, 1, 0}, "q0.jpg": {1, 1, 0, 0}, "q1.jpg": {0, 1, 1, 0},
	} {
		put(t, dir, toyFeatures+name+".gfeat", floats(v...))
	}
	return dir
}

const toyFeatures = "global_features/toy/global_features/"

func floats(v ...float32) string {
	var b bytes.Buffer
	_ = binary.Write(&b, binary.LittleEndian, v) // a bytes.Buffer does not fail
	return b.String()
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestToyScene(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	mustRun(t, "run", "--scene", toyScene(t), "--out", out)
	want := "q0.jpg, m0.jpg, 0.7071067690849304\nq0.jpg, m1.jpg, 0.7071067690849304\n"
	if got := tree(t, out)[filepath.Join("pairs", "toy.txt")]; !strings.Contains(got, want) {
		t.Errorf("want ties by name,\n%s\nfound\n%s", want, got)
	}
}

// TestBadInput breaks the toy scene in one way each and wants the exit code,
// the place and what was expected.
func TestBadInput(t *testing.T) {
	for _, c := range []struct {
		name   string
		file   string // of the scene, replaced by text; or removed if text is "-"
		text   string
		args   []string
		code   int
		stderr []string
	}{
		{name: "not a kapture folder", file: "mapping/sensors/sensors.txt", text: "-", code: 3,
			stderr: []string{"toy: not a scene: want scene.yaml, or kapture datasets in mapping/ and query/", "mapping/sensors/sensors.txt"}},
		{name: "too few fields", file: "query/sensors/trajectories.txt", text: "# kapture format: 1.1\n0, phone, 1, 0, 0, 0, -0.5, 0\n", code: 3,
			stderr: []string{"query/sensors/trajectories.txt:2: want 9 fields", "found 8"}},
		{name: "a number that is none", file: "mapping/sensors/trajectories.txt", text: "# kapture format: 1.1\n0, cam, 1, 0, 0, 0, zero, 0, 0\n", code: 3,
			stderr: []string{"mapping/sensors/trajectories.txt:2: ", `"zero"`}},
		{name: "wrong length", file: toyFeatures + "m1.jpg.gfeat", text: "1234567", code: 3,
			stderr: []string{"m1.jpg.gfeat", "16 bytes", "found 7"}},
		{name: "NaN", file: toyFeatures + "q1.jpg.gfeat", text: floats(0, float32(math.NaN()), 1, 0), code: 3,
			stderr: []string{"q1.jpg", "NaN"}},
		{name: "zero descriptor", file: toyFeatures + "q1.jpg.gfeat", text: floats(0, 0, 0, 0), code: 3,
			stderr: []string{"q1.jpg", "found the length 0"}},
		{name: "two dimensions", file: "query/reconstruction/global_features/toy/global_features.txt", text: "# kapture format: 1.1\ntoy, float32, 8, L2\n", code: 3,
			stderr: []string{"query/reconstruction/global_features/toy", "8", "4"}},
		{name: "path with dots", file: "query/sensors/records_camera.txt", text: "# kapture format: 1.1\n0, phone, ../../secret.jpg\n", code: 3,
			stderr: []string{"query/sensors/records_camera.txt:2: ", "../../secret.jpg"}},
		{name: "mapping image without pose", file: "mapping/sensors/trajectories.txt", text: "# kapture format: 1.1\n0, cam, 1, 0, 0, 0, 0, 0, 0\n1, cam, 1, 0, 0, 0, -1, 0, 0\n", code: 0,
			stderr: []string{"1 mapping images have no pose and are left out: m2.jpg"}},
		{name: "no mapping pose at all", file: "mapping/sensors/trajectories.txt", text: "-", code: 3,
			stderr: []string{"want mapping images with known poses, found 3 mapping images and no pose"}},
		{name: "query without feature", file: toyFeatures + "q0.jpg.gfeat", text: "-", code: 0,
			stderr: []string{"1 queries have no global feature toy and are skipped: q0.jpg"}},
		{name: "mapping image without feature", file: toyFeatures + "m0.jpg.gfeat", text: "-", code: 0,
			stderr: []string{"1 mapping images have no global feature toy and cannot be retrieved: m0.jpg"}},
		{name: "pairs of unknown images", file: "pairs.txt", text: "# kapture format: 1.1\n# query, map, score\nq0.jpg, m0.jpg, 1\nq0.jpg, m9.jpg, 1\nq9.jpg, m1.jpg, 1\n",
			args: []string{"--pairs", "mine=SCENE/pairs.txt"}, code: 3,
			stderr: []string{"pairs.txt:4: want a mapping image of the scene with a pose, found m9.jpg", "pairs.txt:5: want a query image of the scene, found q9.jpg"}},
		{name: "unknown key", file: "scene.yaml", text: "mapping: [mapping]\nqueries: [{dir: query}]\nthresholds: [[5, 10]]\nthreshholds: []\n", code: 3,
			stderr: []string{"scene.yaml:4", "threshholds", "thresholds"}},
		{name: "image that is none", file: "query/sensors/records_data/q0.jpg", text: "GIF89a, not really", args: []string{"--features", "tiny-image"}, code: 3,
			stderr: []string{"want the image files of the scene, 4 of 5 are missing"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := toyScene(t)
			if c.text == "-" {
				if err := os.Remove(filepath.Join(dir, filepath.FromSlash(c.file))); err != nil {
					t.Fatal(err)
				}
			} else {
				put(t, dir, c.file, c.text)
			}
			args := []string{"run", "--scene", dir, "--out", filepath.Join(t.TempDir(), "out"), "--topk", "1"}
			for _, a := range c.args {
				args = append(args, strings.ReplaceAll(a, "SCENE", dir))
			}
			checkFails(t, args, c.code, c.stderr)
		})
	}
}

func checkFails(t *testing.T, args []string, code int, want []string) {
	t.Helper()
	_, stderr, got := locbench(t, args...)
	if got != code {
		t.Errorf("want exit code %d, found %d", code, got)
	}
	for _, w := range want {
		if !strings.Contains(stderr, w) {
			t.Errorf("want %q in the message, found:\n%s", w, stderr)
		}
	}
}

// TestSkippedQueryIsARow wants the query without feature in the results, with
// the reason, and counted among all.
func TestSkippedQueryIsARow(t *testing.T) {
	dir := toyScene(t)
	if err := os.Remove(filepath.Join(dir, toyFeatures, "q0.jpg.gfeat")); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out")
	mustRun(t, "run", "--scene", dir, "--out", out, "--topk", "1")
	files := tree(t, out)
	for file, want := range map[string]string{
		"results/queries.csv": "toy,all,q0.jpg,toy,ewb,1,skipped,inf,inf,,,no global feature toy\n",
		"results/summary.csv": "toy,all,toy,ewb,1,queries,2\ntoy,all,toy,ewb,1,localized,1\n",
	} {
		if got := files[filepath.FromSlash(file)]; !strings.Contains(got, want) {
			t.Errorf("%s: want %q, found\n%s", file, want, got)
		}
	}
}

// TestTarCutShort stores the features as a tar and cuts it in half.
func TestTarCutShort(t *testing.T) {
	dir := toyScene(t)
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range []string{"m0.jpg", "m1.jpg", "m2.jpg", "q0.jpg", "q1.jpg"} {
		path := filepath.Join(dir, toyFeatures, name+".gfeat")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.WriteHeader(&tar.Header{Name: name + ".gfeat", Size: int64(len(text)), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(text); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	whole := b.Len()
	put(t, dir, toyFeatures+"global_features.tar", b.String()[:whole/2+100])
	checkFails(t, []string{"run", "--scene", dir, "--out", filepath.Join(t.TempDir(), "out")}, 3,
		[]string{"global_features.tar: byte "})
}
