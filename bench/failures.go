package bench

import (
	"locbench/bench/record"
	"locbench/kapture/geom"
)

// leastMatches is how many 2D-3D matches a pose takes: three that determine it
// up to four solutions, and one that agrees.
const leastMatches = 4

// failureRows says of every query that is not within the scene's coarsest
// threshold, or has no pose, why.
func (p *Plan) failureRows(queries []record.Query, all map[string]*judged) []record.Failure {
	relevant := p.relevantImages(all)
	coarsest := p.scene.Thresholds[0]
	for _, t := range p.scene.Thresholds {
		if t.Meters >= coarsest.Meters && t.Degrees >= coarsest.Degrees {
			coarsest = t
		}
	}
	var out []record.Failure
	for _, q := range queries {
		at, _ := findImage(p.queries, q.Query)
		truth := p.queries[at].HasPose
		if q.Status == record.Localized && (!truth || coarsest.Within(geom.PoseError{Meters: q.TErrM, Degrees: q.RErrDeg})) {
			continue
		}
		f := record.Failure{Scene: q.Scene, Split: q.Split, Query: q.Query, Feature: q.Feature, Method: q.Method, TopK: q.TopK, Relevant: -1}
		if truth {
			f.Relevant = count(relevant[q.Feature][at], q.TopK)
		}
		f.Cause = cause(q, f.Relevant)
		out = append(out, f)
	}
	return out
}

// cause is the first of the causes that holds.
func cause(q record.Query, relevant int) record.Cause {
	switch {
	case q.Status == record.Skipped:
		return record.NotTried
	case relevant == 0:
		return record.RetrievalMissed
	case q.Status == record.Localized:
		return record.WrongPose
	case matching(q.Method) && q.Correspondences < leastMatches:
		return record.TooFewMatches
	}
	return record.TooFewInliers
}

// count counts the true ones of the first k.
func count(values []bool, k int) int {
	n := 0
	for _, v := range values[:min(k, len(values))] {
		if v {
			n++
		}
	}
	return n
}

// relevantImages says, by feature and query, which retrieved images are relevant:
// those that see common points, or, where that is not known, those within the
// first retrieval threshold.
func (p *Plan) relevantImages(judgements map[string]*judged) map[string][][]bool {
	out := map[string][][]bool{}
	for name, r := range judgements {
		known := relevance(r.errs, p.scene.RecallThresholds[0].Within)
		if r.iou != nil {
			known = relevance(r.iou, func(v float64) bool { return v > 0 })
		}
		all := make([][]bool, len(p.queries))
		next := 0
		for i, im := range p.queries {
			if im.HasPose {
				all[i] = known[next]
				next++
			}
		}
		out[name] = all
	}
	return out
}
