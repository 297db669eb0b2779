package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"locbench/kapture"
	"locbench/kapture/geom"
)

// town generates a small scene with local features and returns its folder.
func town(t *testing.T, dir string) string {
	t.Helper()
	scene := filepath.Join(dir, "town")
	mustRun(t, "scenes", "generate", scene, "--mapping", "16", "--queries", "4", "--size", "160x120", "--local-features", "200", "--quiet")
	return scene
}

// rowsOf returns the rows of a CSV file that hold a text, without the column
// feature.
func rowsOf(t *testing.T, path, text string) []string {
	t.Helper()
	var out []string
	for line := range strings.Lines(readText(t, path)) {
		if strings.Contains(line, text) {
			cells := strings.Split(strings.TrimSpace(line), ",")
			out = append(out, strings.Join(slices.Delete(cells, 3, 4), ","))
		}
	}
	return out
}

// TestLocalizeAgreesWithRun does step by step what run does at once: the rows are
// the same.
func TestLocalizeAgreesWithRun(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds: skipped with -short")
	}
	dir := t.TempDir()
	scene, out := town(t, dir), filepath.Join(dir, "run")
	mustRun(t, "run", "--scene", scene, "--topk", "3,6", "--out", out, "--quiet")
	pairs := filepath.Join(out, "pairs", "tiny-image.txt")
	for _, c := range []struct {
		method string
		more   []string
	}{
		{"csi", nil},
		{"local-sfm", []string{"--matches", filepath.Join(out, "matches")}},
		{"local-sfm+", nil}, // matches the pairs by itself
		{"global-map", []string{"--matches", filepath.Join(out, "matches"), "--map", filepath.Join(out, "map")}},
	} {
		poses := filepath.Join(dir, "poses "+c.method)
		said := mustRun(t, append([]string{"localize", "--scene", scene, "--pairs", pairs, "--method", c.method, "--topk", "6", "--out", poses, "--quiet"}, c.more...)...)
		if !strings.Contains(said, "of 4 queries localized by "+c.method+", top 6") || !strings.Contains(said, "% within 0.25m 2deg") {
			t.Errorf("%s says %q", c.method, said)
		}
		text := "," + c.method + ",6,"
		want, got := rowsOf(t, filepath.Join(out, "results", "queries.csv"), text), rowsOf(t, filepath.Join(poses, "queries.csv"), text)
		if len(want) != 4 || !slices.Equal(want, got) {
			t.Errorf("%s: want the rows of the run\n%q, found\n%q", c.method, want, got)
		}
		for _, file := range []string{"sensors/trajectories.txt", "submission.txt"} {
			if _, err := os.Stat(filepath.Join(poses, file)); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestLocalizeRefuses holds wrong choices to their exit code and message.
func TestLocalizeRefuses(t *testing.T) {
	dir := t.TempDir()
	scene := filepath.Join(dir, "town")
	mustRun(t, "scenes", "generate", scene, "--mapping", "4", "--queries", "3", "--size", "64x48", "--local-features", "0", "--quiet")
	pairs := filepath.Join(dir, "pairs.txt")
	mustRun(t, "pairs", "--scene", scene, "--topk", "2", "--out", pairs, "--quiet")
	put(t, dir, "wrong.txt", "# kapture format: 1.1\nnone.jpg, nothing.jpg, 1\n")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--method", "bdi"}, exitUsage, "want one global feature for bdi"},
		{[]string{"--method", "ewb", "--feature", "tiny-image"}, exitUsage, "for bdi only"},
		{[]string{"--method", "magic"}, exitUsage, `unknown method "magic"`},
		{[]string{"--method", "ewb", "--topk", "-1"}, exitUsage, "want top k of at least 1"},
		{[]string{"--method", "local-sfm"}, exitUsage, "the scene has no local features"},
		{[]string{"--method", "ewb", "--pairs", filepath.Join(dir, "none.txt")}, exitFailed, "none.txt"},
		{[]string{"--method", "ewb", "--pairs", filepath.Join(dir, "wrong.txt")}, exitInvalid, "wrong.txt:2: want a query image of the scene"},
	} {
		args := append([]string{"localize", "--scene", scene, "--pairs", pairs, "--out", filepath.Join(dir, "poses")}, c.args...)
		if stdout, stderr, code := locbench(t, args...); code != c.code || !strings.Contains(stderr, c.want) {
			t.Errorf("%q: exit code %d\n%s%s", c.args, code, stdout, stderr)
		}
	}
}

// TestRigsAreLocalizedTogether takes the mapping images of a scene, which a rig of
// two cameras took, as queries: their poses then differ by the mounts.
func TestRigsAreLocalizedTogether(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds: skipped with -short")
	}
	dir := t.TempDir()
	scene := town(t, dir)
	put(t, scene, "scene.yaml", "name: town\nmapping: [mapping]\nqueries: [{dir: mapping}]\nthresholds: [[0.25, 2]]\n")
	data, err := kapture.Open(filepath.Join(scene, "mapping"))
	if err != nil {
		t.Fatal(err)
	}
	mounts := map[string]geom.Pose{}
	for _, m := range data.Rigs {
		mounts[m.Sensor] = m.Pose.Pose
	}
	for _, together := range []bool{true, false} {
		out := filepath.Join(dir, "run", map[bool]string{true: "together", false: "alone"}[together])
		args := []string{"run", "--scene", scene, "--topk", "8", "--methods", "local-sfm+", "--out", out}
		if !together {
			args = append(args, "--rigs=false")
		}
		_, stderr, code := locbench(t, args...)
		if code != exitDone || strings.Contains(stderr, "cameras of a rig are localized together") != together {
			t.Errorf("together %v: exit code %d\n%s", together, code, stderr)
		}
		found, err := kapture.Open(filepath.Join(out, "poses", "tiny-image", "local-sfm+_top8"))
		if err != nil {
			t.Fatal(err)
		}
		rigs := map[int64]geom.Pose{}
		same, pairs := 0, 0
		for _, p := range found.Trajectories {
			rig := p.Pose.Pose.Then(mounts[p.Device].Inverse())
			if other, ok := rigs[p.Timestamp]; ok {
				pairs++
				if e := geom.Error(rig, other); e.Meters < 1e-6 && e.Degrees < 1e-4 {
					same++
				}
			}
			rigs[p.Timestamp] = rig
		}
		if pairs == 0 || together && same != pairs || !together && same == pairs {
			t.Errorf("together %v: %d of %d pairs of images agree on the pose of the rig", together, same, pairs)
		}
	}
}
