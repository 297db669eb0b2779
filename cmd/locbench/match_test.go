package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"locbench/kapture/kapturetest"
)

// TestMatchAndMap matches neighbouring mapping images of a generated scene, twice,
// and makes a map of them.
func TestMatchAndMap(t *testing.T) {
	dir := t.TempDir()
	scene := filepath.Join(dir, "town")
	mustRun(t, "scenes", "generate", scene, "--mapping", "12", "--queries", "3", "--size", "96x72", "--local-features", "120", "--quiet")
	put(t, dir, "pairs.txt", mappingPairs(t, scene))
	matches, out := filepath.Join(dir, "matches"), filepath.Join(dir, "map")
	args := []string{"match", "--scene", scene, "--pairs", filepath.Join(dir, "pairs.txt"), "--out", matches, "--verify", "--quiet"}
	first := mustRun(t, args...)
	if !strings.Contains(first, "66 pairs, 0 there already") {
		t.Errorf("matching says %q", first)
	}
	if again := mustRun(t, args...); !strings.Contains(again, "66 pairs, 66 there already") {
		t.Errorf("matching again says %q", again)
	}
	if made := mustRun(t, "map", "--scene", scene, "--matches", matches, "--out", out); !regexp.MustCompile(`: [1-9]\d* points`).MatchString(made) {
		t.Errorf("mapping says %q", made)
	}
	if points := readText(t, filepath.Join(out, "reconstruction", "points3d.txt")); !strings.HasPrefix(points, "# kapture format: 1.1") {
		t.Errorf("points3d.txt starts with %.40q", points)
	}
	put(t, dir, "bad.txt", "# kapture format: 1.1\nnone.jpg, nothing.jpg, 1\n")
	stdout, stderr, code := locbench(t, "match", "--scene", scene, "--pairs", filepath.Join(dir, "bad.txt"), "--out", filepath.Join(dir, "m2"))
	if code != exitDone || !strings.Contains(stderr, "1 of 1 pairs are not matched") {
		t.Errorf("an unknown image: exit code %d\n%s%s", code, stdout, stderr)
	}
}

// TestMapThroughColmap writes a map as a COLMAP model in both forms and takes it
// over again: the same points, seen by the same keypoints.
func TestMapThroughColmap(t *testing.T) {
	dir := t.TempDir()
	scene := filepath.Join(dir, "town")
	mustRun(t, "scenes", "generate", scene, "--mapping", "8", "--queries", "3", "--size", "96x72", "--local-features", "120", "--quiet")
	put(t, dir, "pairs.txt", mappingPairs(t, scene))
	matches, first := filepath.Join(dir, "matches"), filepath.Join(dir, "first")
	mustRun(t, "match", "--scene", scene, "--pairs", filepath.Join(dir, "pairs.txt"), "--out", matches, "--verify", "--quiet")
	mustRun(t, "map", "--scene", scene, "--matches", matches, "--out", first, "--colmap", filepath.Join(dir, "bin"))
	for from, to := range map[string]string{"bin": "txt"} {
		for range 2 {
			out := filepath.Join(dir, "from "+from)
			mustRun(t, "map", "--scene", scene, "--from-colmap", filepath.Join(dir, from), "--out", out, "--colmap", filepath.Join(dir, to), "--colmap-format", to)
			if want, got := readText(t, filepath.Join(first, "reconstruction", "observations.txt")), readText(t, filepath.Join(out, "reconstruction", "observations.txt")); want != got {
				t.Errorf("through %s: other observations", from)
			}
			if want, got := readText(t, filepath.Join(first, "reconstruction", "points3d.txt")), readText(t, filepath.Join(out, "reconstruction", "points3d.txt")); want != got {
				t.Errorf("through %s: other points: %.200q, %.200q", from, want, got)
			}
			from, to = "txt", "bin"
			if err := os.RemoveAll(filepath.Join(dir, "bin")); err != nil {
				t.Fatal(err)
			}
		}
	}
	// A model of other keypoints is refused.
	other := filepath.Join(dir, "other")
	mustRun(t, "scenes", "generate", other, "--mapping", "8", "--queries", "3", "--size", "96x72", "--seed", "1", "--local-features", "120", "--quiet")
	_, stderr, code := locbench(t, "map", "--scene", other, "--from-colmap", filepath.Join(dir, "txt"), "--out", filepath.Join(dir, "no"))
	if code != exitInvalid || !strings.Contains(stderr, "want the keypoints simulated of mapping/") && !strings.Contains(stderr, "keypoints simulated of mapping/") {
		t.Errorf("a model of another scene: exit code %d\n%s", code, stderr)
	}
	if _, stderr, code := locbench(t, "map", "--scene", scene, "--out", filepath.Join(dir, "no")); code != exitUsage || !strings.Contains(stderr, "want --matches or --from-colmap") {
		t.Errorf("neither matches nor a model: exit code %d\n%s", code, stderr)
	}
}

// TestColmapMapOfGallery localizes against the map that COLMAP made.
func TestColmapMapOfGallery(t *testing.T) {
	scene := kapturetest.Shared(t, "data", "virtual_gallery_tutorial")
	dir := t.TempDir()
	own, out := filepath.Join(dir, "map"), filepath.Join(dir, "run")
	if said := mustRun(t, "map", "--scene", scene, "--from-colmap", kapturetest.Shared(t, "golden", "colmap_virtual_gallery", "map"), "--out", own); !strings.Contains(said, "634 points") {
		t.Errorf("the map says %q", said)
	}
	mustRun(t, "run", "--scene", scene, "--topk", "5", "--methods", "global-map", "--map", own, "--out", out, "--min-success", "0.25m_2deg=100", "--quiet")
}

// mappingPairs are all pairs of a scene's mapping images, as a pairs file.
func mappingPairs(t *testing.T, scene string) string {
	t.Helper()
	names := regexp.MustCompile(`[^ ,]+\.jpg`).FindAllString(readText(t, filepath.Join(scene, "mapping", "sensors", "records_camera.txt")), -1)
	pairs := "# kapture format: 1.1\n"
	for i, a := range names {
		for _, b := range names[i+1:] {
			pairs += a + ", " + b + ", 1\n"
		}
	}
	return pairs
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
