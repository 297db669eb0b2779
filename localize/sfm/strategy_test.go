package sfm

import (
	"slices"
	"testing"

	"locbench/kapture"
)

// TestReranked puts neighbours with more matches first; ties stay as retrieved.
func TestReranked(t *testing.T) {
	s := &shared{}
	for i, n := range []int{2, 5, 2, 9} {
		s.neighbors = append(s.neighbors, &Image{Name: string(rune('a' + i))})
		s.matches = append(s.matches, make([]kapture.Match, n))
	}
	names := func(s *shared) (out string) {
		for i, im := range s.neighbors {
			if out += im.Name; len(s.matches[i]) != map[string]int{"a": 2, "b": 5, "c": 2, "d": 9}[im.Name] {
				t.Errorf("%s has the matches of another one", im.Name)
			}
		}
		return out
	}
	seen := func(i int) int { return []int{0, 1, 7, 1}[i] }
	for want, got := range map[string]*shared{"abcd": s.reranked(RerankNone, seen), "dbac": s.reranked(RerankMatches, seen), "cbda": s.reranked(RerankCorrespondences, seen)} {
		if names(got) != want {
			t.Errorf("want the order %s, found %s", want, names(got))
		}
	}
	if got := names(s.reranked(RerankCorrespondences, nil)); got != "dbac" {
		t.Errorf("without a map: want the order of matches, found %s", got)
	}
}

func TestWithoutDuplicates(t *testing.T) {
	pairs := [][2]int{{1, 10}, {2, 20}, {2, 21}, {3, 30}, {4, 30}, {5, 50}}
	got := withoutDuplicates(slices.Clone(pairs), func(p [2]int) int { return p[0] }, func(p [2]int) int { return p[1] })
	if want := [][2]int{{1, 10}, {5, 50}}; !slices.Equal(got, want) {
		t.Errorf("want %v, found %v", want, got)
	}
}
