package bench

import (
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"locbench/bench/record"
	"locbench/kapture"
	"locbench/scenes"
)

// TestLargestInt asks for as many images as an int can count.
func TestLargestInt(t *testing.T) {
	dir := toyScene(t)
	run := mustRun(t, dir, Options{Out: t.TempDir(), TopK: []int{2, math.MaxInt}, Methods: []string{"ewb"}})
	for _, q := range run.Queries {
		if q.Status != record.Localized {
			t.Errorf("%s, top %d: %s, %s", q.Query, q.TopK, q.Status, q.Reason)
		}
	}
	scene, err := scenes.Open(dir, scenes.Options{})
	if err != nil {
		t.Fatal(err)
	}
	pairs, err := RetrievePairs(t.Context(), scene, PairsOptions{TopK: math.MaxInt})
	if err != nil || len(pairs) != 12 {
		t.Errorf("want 3 queries × 4 images, found %d pairs, %v", len(pairs), err)
	}
}

// TestPairsWithoutPose: retrieval does not ask for poses, so its pairs may name
// mapping images that have none.
func TestPairsWithoutPose(t *testing.T) {
	dir := toyScene(t)
	replace(t, dir, mappingPoses, "0, mcam, 1, 0, 0, 0, 0, 0, 0\n", "")
	put(t, dir, "pairs.txt", "q0.jpg, m0.jpg, 0.8\nq0.jpg, m1.jpg, 0.6\n")
	o := Options{Out: t.TempDir(), Pairs: []PairsFile{{"mine", filepath.Join(dir, "pairs.txt")}}, TopK: []int{1}, Methods: []string{"ewb"}}
	mustRun(t, dir, o)
	if got := outputs(t, o.Out)["pairs/mine.txt"]; !strings.HasSuffix(got, "\nq0.jpg, m1.jpg, 0.6\n") {
		t.Errorf("want the pair with a pose as the best, found\n%s", got)
	}
	put(t, dir, "pairs.txt", "q0.jpg, m0.jpg, 0.8\n")
	_, err := newPlan(t, dir, o).Run(t.Context())
	if _, ok := errors.AsType[*kapture.InputError](err); !ok || !strings.Contains(err.Error(), "found none in 1 pairs") {
		t.Errorf("want an input error, found %v", err)
	}
}

// TestNothingToRun is refused before any work.
func TestNothingToRun(t *testing.T) {
	dir := toyScene(t)
	put(t, dir, "pairs.txt", "q0.jpg, m0.jpg, 0.8\n")
	scene, err := scenes.Open(dir, scenes.Options{})
	if err != nil {
		t.Fatal(err)
	}
	mine := []PairsFile{{"mine", filepath.Join(dir, "pairs.txt")}}
	for want, o := range map[string]Options{
		"no method is left: feature mine is a pairs file":      {Pairs: mine, Methods: []string{"bdi"}},
		"want a CSI alpha of at least 0, found NaN":            {CSIAlpha: math.NaN()},
		"want a CSI alpha of at least 0, found +Inf":           {CSIAlpha: math.Inf(1)},
		"want the pairs file none.txt, found no such file":     {Pairs: []PairsFile{{"mine", "none.txt"}}},
		"want a plain name for the pairs file p, found \"a\\n": {Pairs: []PairsFile{{"a\nb", "p"}}},
	} {
		o.Out = t.TempDir()
		_, err := NewPlan(scene, o)
		if _, ok := errors.AsType[*UsageError](err); !ok || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("want a usage error %q, found %v", want, err)
		}
	}
}

// TestOddTablesAreSaid: what the reader of a dataset put right is in the
// manifest, and so on the page.
func TestOddTablesAreSaid(t *testing.T) {
	dir := toyScene(t)
	replace(t, dir, mappingPoses, "0, mcam, 1,", "0, mcam, 5,")
	run := mustRun(t, dir, Options{Out: t.TempDir(), TopK: []int{1}, Methods: []string{"ewb"}})
	if w := run.Manifest.Warnings; len(w) != 1 || !strings.Contains(w[0], "trajectories.txt:2: quaternion of norm 5 normalised") {
		t.Errorf("found the warnings %q", w)
	}
}
