package sfm

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"locbench/kapture"
)

func matchesOf(rows ...[3]float64) []kapture.Match {
	var out []kapture.Match
	for _, r := range rows {
		out = append(out, kapture.Match{Keypoint1: int(r[0]), Keypoint2: int(r[1]), Score: r[2]})
	}
	return out
}

func TestTracksJoinMatches(t *testing.T) {
	var g graph
	g.add(0, 1, matchesOf([3]float64{4, 5, 0.9}, [3]float64{7, 7, 0.9}))
	g.add(1, 2, matchesOf([3]float64{5, 6, 0.8}))
	want := [][]observation{{{0, 4}, {1, 5}, {2, 6}}, {{0, 7}, {1, 7}}}
	if diff := cmp.Diff(want, g.tracks(), cmp.AllowUnexported(observation{})); diff != "" {
		t.Errorf("tracks (-want +got):\n%s", diff)
	}
}

// Keypoints 1 and 2 of image 0 would meet in one track by way of image 2: the
// worst match is dropped.
func TestTracksSplitAtConflicts(t *testing.T) {
	var g graph
	g.add(0, 1, matchesOf([3]float64{1, 1, 0.9}))
	g.add(0, 2, matchesOf([3]float64{2, 2, 0.8}))
	g.add(1, 2, matchesOf([3]float64{1, 2, 0.7}))
	want := [][]observation{{{0, 1}, {1, 1}}, {{0, 2}, {2, 2}}}
	if diff := cmp.Diff(want, g.tracks(), cmp.AllowUnexported(observation{})); diff != "" {
		t.Errorf("tracks (-want +got):\n%s", diff)
	}
}

func TestTracksDoNotDependOnOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var g graph
	for i := range 6 {
		for j := range i {
			for range 40 {
				g.add(j, i, matchesOf([3]float64{float64(rng.IntN(60)), float64(rng.IntN(60)), float64(rng.IntN(4))}))
			}
		}
	}
	shuffled := graph{append([]edge(nil), g.edges...)}
	rng.Shuffle(len(shuffled.edges), func(i, j int) {
		shuffled.edges[i], shuffled.edges[j] = shuffled.edges[j], shuffled.edges[i]
	})
	got := shuffled.tracks()
	if diff := cmp.Diff(g.tracks(), got, cmp.AllowUnexported(observation{})); diff != "" {
		t.Errorf("tracks (-want +got):\n%s", diff)
	}
	for _, track := range got {
		for i := 1; i < len(track); i++ {
			if track[i].image == track[i-1].image {
				t.Errorf("want one keypoint an image, found %v", track)
			}
		}
	}
}
