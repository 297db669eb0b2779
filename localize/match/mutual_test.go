package match_test

import (
	"math"
	"path/filepath"
	"testing"

	"locbench/kapture"
	"locbench/kapture/kapturetest"
	"locbench/localize/match"
	"locbench/retrieval/backend"
)

func open(t testing.TB) *backend.Backend {
	t.Helper()
	b, err := backend.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func matrix(dim int, data ...float32) backend.Matrix {
	return backend.Matrix{Rows: len(data) / dim, Cols: dim, Data: data}
}

// The 22 pairs that the reference tools matched: the same keypoints, the same
// scores to float32 rounding of a 128-term sum.
func TestMutualAgreesWithReference(t *testing.T) {
	features, err := kapture.OpenFeatures(kapturetest.Shared(t, "data", "virtual_gallery_tutorial", "local_features", "r2d2_500", "descriptors"), kapture.Descriptors)
	if err != nil {
		t.Fatal(err)
	}
	defer features.Close()
	want, err := kapture.OpenMatches(kapturetest.Shared(t, "golden", "colmap_virtual_gallery", "matches_mutual_nn", "matches"))
	if err != nil {
		t.Fatal(err)
	}
	defer want.Close()
	out, err := kapture.CreateMatches(filepath.Join(t.TempDir(), "matches"))
	if err != nil {
		t.Fatal(err)
	}
	b := open(t)
	b.Jobs = 1
	sweep := match.Sweep{Backend: b, Descriptors: features, Jobs: 2, CacheImages: 4, Take: func(p kapture.ImagePair, ms []kapture.Match) error {
		reference, err := want.Read(p.Image1, p.Image2)
		if err != nil {
			return err
		}
		compare(t, p, reference, ms)
		return out.Write(p.Image1, p.Image2, ms)
	}}
	pairs := want.Pairs()
	if len(pairs) == 0 {
		t.Fatal("found no pairs in the reference data")
	}
	if err := sweep.Run(t.Context(), pairs); err != nil {
		t.Fatal(err)
	}
}

func compare(t *testing.T, p kapture.ImagePair, want, got []kapture.Match) {
	t.Helper()
	if len(want) != len(got) {
		t.Errorf("%v: want %d matches, found %d", p, len(want), len(got))
		return
	}
	for i, w := range want {
		if w.Keypoint1 != got[i].Keypoint1 || w.Keypoint2 != got[i].Keypoint2 || math.Abs(w.Score-got[i].Score) > 1e-6 {
			t.Errorf("%v: match %d: want %+v, found %+v", p, i, w, got[i])
			return
		}
	}
}

func TestTestsOfMatches(t *testing.T) {
	// Keypoint 0 is distinctive; 1 has a look-alike; 2 is far from its match.
	first := matrix(2, 1, 0, 0, 1, -0.9, 0.436)
	second := matrix(2, 1, 0, 0.02, 0.9998, 0.04, 0.9992, -1, 0)
	for _, c := range []struct {
		name string
		o    match.Options
		want []int
	}{
		{"none", match.Options{}, []int{0, 1, 2}},
		{"ratio", match.Options{MaxRatio: 0.4}, []int{0}},
		{"distance", match.Options{MaxDistance: 0.1}, []int{0, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ms, err := match.Mutual(t.Context(), open(t), first, second, c.o)
			if err != nil {
				t.Fatal(err)
			}
			var got []int
			for _, m := range ms {
				got = append(got, m.Keypoint1)
			}
			if len(got) != len(c.want) {
				t.Fatalf("want matches of keypoints %v, found %v", c.want, got)
			}
			for i := range got {
				if got[i] != c.want[i] {
					t.Fatalf("want matches of keypoints %v, found %v", c.want, got)
				}
			}
		})
	}
}

func TestNothingToMatch(t *testing.T) {
	ms, err := match.Mutual(t.Context(), open(t), matrix(2), matrix(2, 1, 0), match.Options{})
	if err != nil || len(ms) != 0 {
		t.Errorf("want no matches of an image without keypoints, found %v, %v", ms, err)
	}
}
