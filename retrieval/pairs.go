package retrieval

import (
	"cmp"
	"fmt"
	"slices"

	"locbench/kapture"
)

// Pairs returns the first k hits of each query as lines of a pairs file. An
// image is never its own match: it is left out before the hits are cut to k, so
// that images of one set keep k matches each if [TopK] was asked for k + 1.
func Pairs(hits [][]Hit, queries, db *Descriptors, k int) kapture.Pairs {
	var pairs kapture.Pairs
	for q, found := range hits {
		query, left := queries.Names[q], k
		for _, h := range found {
			name := db.Names[h.Index]
			if left <= 0 {
				break
			}
			if name != query {
				pairs = append(pairs, kapture.Pair{Query: query, Map: name, Score: float64(h.Score)})
				left--
			}
		}
	}
	return pairs
}

// FromPairs returns the hits that a pairs file holds, for each of the queries:
// best first, in the file's order where scores are equal. Indices count the
// names of the map images, db. path stands for the file in messages. Pairs
// whose images are unknown are [kapture.InputError]s: all of them are counted,
// ten listed. Both lists of names are sorted.
func FromPairs(pairs kapture.Pairs, path string, queries, db []string) ([][]Hit, error) {
	hits := make([][]Hit, len(queries))
	var bad []error
	for i, p := range pairs {
		q, known := slices.BinarySearch(queries, p.Query)
		if !known {
			bad = append(bad, unknown(path, i, "query", p.Query))
		}
		m, found := slices.BinarySearch(db, p.Map)
		if !found {
			bad = append(bad, unknown(path, i, "map", p.Map))
		}
		if known && found {
			hits[q] = append(hits[q], Hit{Index: int32(m), Score: float32(p.Score)})
		}
	}
	if err := firstTen(bad); err != nil {
		return nil, err
	}
	for _, h := range hits {
		slices.SortStableFunc(h, func(a, b Hit) int { return cmp.Compare(b.Score, a.Score) })
	}
	return hits, nil
}

func unknown(path string, pair int, role, image string) error {
	return &kapture.InputError{Path: path, Msg: fmt.Sprintf("pair %d: want a %s image of the scene, found %s", pair+1, role, image)}
}
