package retrieval

import "locbench/kapture"

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
