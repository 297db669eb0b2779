package bench

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"locbench/bench/record"
	"locbench/scenes"
)

const (
	mappingPoses = "mapping/sensors/trajectories.txt"
	toyFeatures  = "global_features/toy/global_features/"
)

// toyScene writes a scene small enough to work out by hand and returns its
// folder. Four mapping cameras stand at x = 0, 1, 2, 3 m and look the same way;
// the queries stand at x = 0.75 and 1.5 m by day, and at 3 m by night, without
// a known pose. A query sees m0 and m1, m1 and m2, or m3 alone.
func toyScene(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "toy")
	put(t, dir, "scene.yaml", "name: toy\nmapping: [mapping]\nqueries:\n  - {dir: day, split: day}\n  - {dir: night, split: night}\n"+
		"thresholds: [[0.3, 2], [1, 5]]\nrecall_thresholds: [[0.3, 30], [0.6, 30]]\n")
	dataset(t, dir, "mapping", "m", 0, -1, -2, -3)
	dataset(t, dir, "day", "q", -0.75, -1.5)
	dataset(t, dir, "night", "n", -3)
	if err := os.Remove(filepath.Join(dir, "night", "sensors", "trajectories.txt")); err != nil {
		t.Fatal(err)
	}
	put(t, dir, toyFeatures+"global_features.txt", "# kapture format: 1.1\ntoy, float32, 4, L2\n")
	for name, v := range map[string][4]float32{
		"m0.jpg": {1}, "m1.jpg": {0, 1}, "m2.jpg": {0, 0, 1}, "m3.jpg": {0, 0, 0, 1},
		"q0.jpg": {0.8, 0.6}, "q1.jpg": {0, 0.6, 0.8}, "n0.jpg": {0, 0, 0, 1},
	} {
		put(t, dir, toyFeatures+name+".gfeat", floats(t, v))
	}
	return dir
}

// dataset writes a kapture dataset of one camera, with an image for every
// translation along x.
func dataset(t *testing.T, scene, name, prefix string, xs ...float64) {
	t.Helper()
	const head = "# kapture format: 1.1\n"
	records, poses := head, head
	for i, x := range xs {
		records += fmt.Sprintf("%d, %scam, %s%d.jpg\n", i, prefix, prefix, i)
		poses += fmt.Sprintf("%d, %scam, 1, 0, 0, 0, %g, 0, 0\n", i, prefix, x)
	}
	put(t, scene, name+"/sensors/sensors.txt", head+prefix+"cam, , camera, SIMPLE_PINHOLE, 64, 48, 50, 32, 24\n")
	put(t, scene, name+"/sensors/records_camera.txt", records)
	put(t, scene, name+"/sensors/trajectories.txt", poses)
}

func floats(t *testing.T, values [4]float32) string {
	t.Helper()
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, values); err != nil {
		t.Fatal(err)
	}
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

// replace changes the text of a file of the scene.
func replace(t *testing.T, dir, name, old, new string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s does not hold %q:\n%s", name, old, text)
	}
	put(t, dir, name, strings.Replace(string(text), old, new, 1))
}

// newPlan plans a run on the scene in dir.
func newPlan(t *testing.T, dir string, o Options) *Plan {
	t.Helper()
	scene, err := scenes.Open(dir, scenes.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPlan(scene, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// mustRun runs on the scene in dir and returns what the run directory holds.
func mustRun(t *testing.T, dir string, o Options) *record.Run {
	t.Helper()
	if _, err := newPlan(t, dir, o).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	run, err := record.ReadRun(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	return run
}
