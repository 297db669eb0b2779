package sfm

import (
	"cmp"
	"slices"
)

// Rerank says in which order the retrieved images of a query are used; the first k
// of it count as its k neighbours.
type Rerank string

// The orders.
const (
	RerankNone            Rerank = "none"            // as retrieved: the published tables
	RerankMatches         Rerank = "matches"         // most verified matches first
	RerankCorrespondences Rerank = "correspondences" // most keypoints that see a point of the map first; of global-map
)

// Reranks lists them.
var Reranks = []string{string(RerankNone), string(RerankMatches), string(RerankCorrespondences)}

// Duplicates says what becomes of 2D-3D matches that contradict each other: a
// keypoint of the query that matches several points, or several keypoints that
// match one point. Each is right at most once.
type Duplicates string

// What becomes of them.
const (
	KeepDuplicates   Duplicates = "keep"   // all are tried: the search chooses
	IgnoreDuplicates Duplicates = "ignore" // none is
)

// DuplicateChoices lists them.
var DuplicateChoices = []string{string(KeepDuplicates), string(IgnoreDuplicates)}

// reranked returns the same with its neighbours in another order; ties stay as
// retrieved. count says how many 2D-3D matches a neighbour gives; nil: as many as
// matches.
func (s *shared) reranked(by Rerank, count func(neighbor int) int) *shared {
	if by == RerankNone || by == "" {
		return s
	}
	if by == RerankMatches || count == nil {
		count = func(i int) int { return len(s.matches[i]) }
	}
	order := make([]int, len(s.neighbors))
	counts := make([]int, len(order))
	for i := range order {
		order[i], counts[i] = i, count(i)
	}
	slices.SortStableFunc(order, func(a, b int) int { return -cmp.Compare(counts[a], counts[b]) })
	out := &shared{query: s.query}
	for _, i := range order {
		out.neighbors, out.matches = append(out.neighbors, s.neighbors[i]), append(out.matches, s.matches[i])
	}
	return out
}

// withoutDuplicates drops the pairs of a keypoint and a point that contradict
// another pair.
func withoutDuplicates[P any](pairs []P, keypoint, point func(P) int) []P {
	byKeypoint, byPoint := map[int]int{}, map[int]int{}
	for _, p := range pairs {
		byKeypoint[keypoint(p)]++
		byPoint[point(p)]++
	}
	return slices.DeleteFunc(pairs, func(p P) bool { return byKeypoint[keypoint(p)] > 1 || byPoint[point(p)] > 1 })
}
