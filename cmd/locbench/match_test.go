package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
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
