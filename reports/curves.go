package reports

import (
	"math"
	"slices"
	"sort"

	"gonum.org/v1/plot/plotter"

	"locbench/bench/record"
	"locbench/kapture/geom"
)

// resolution is how many steps of a cumulative curve can be told apart along
// its axis: half a point in the widest figure.
const resolution = 600

// lineKey names a cumulative curve.
type lineKey struct{ run, feature, method int }

// errorsOf gathers the pose errors of a split's queries at one k, by line, over
// the queries that have ground truth. A query that is in several splits counts
// once in the split of all.
func (s *section) errorsOf(split string, topk int) map[lineKey]outcomes {
	out := map[lineKey]outcomes{}
	for i, run := range s.runs {
		for _, q := range run.Queries {
			if q.TopK != topk || !s.groups[split].Holds(q.Split) || (math.IsNaN(q.TErrM) && math.IsNaN(q.RErrDeg)) {
				continue
			}
			line := lineKey{i, s.features.id(q.Feature), s.methods.id(q.Method)}
			o := out[line]
			o.add(q.Query, poseError(q))
			out[line] = o
		}
	}
	return out
}

// poseError is the error of a row; one without a pose counts as infinite.
func poseError(q record.Query) geom.PoseError {
	if q.Status != record.Localized {
		return geom.Failed()
	}
	return geom.PoseError{Meters: q.TErrM, Degrees: q.RErrDeg}
}

// span is a range of a logarithmic axis.
type span struct{ min, max float64 }

// place returns where x is within the range, 0 to 1.
func (a span) place(x float64) float64 { return math.Log(x/a.min) / math.Log(a.max/a.min) }

// cumulative returns the steps of the percentage of errors within x metres and
// the given degrees, for x over the range. Steps closer than the resolution
// become one; every point that is given is exact.
func cumulative(errs []geom.PoseError, degrees float64, over span) plotter.XYs {
	var within []float64
	for _, e := range errs {
		if e.Degrees <= degrees && e.Meters <= over.max {
			within = append(within, e.Meters)
		}
	}
	slices.Sort(within)
	percent := func(n int) float64 { return 100 * float64(n) / float64(len(errs)) }
	n := sort.Search(len(within), func(i int) bool { return within[i] > over.min })
	points := plotter.XYs{{X: over.min, Y: percent(n)}}
	for i := n; i < len(within); i++ {
		last := i+1 == len(within)
		if !last && (within[i+1] == within[i] || over.place(within[i+1])-over.place(points[len(points)-1].X) < 1./resolution) {
			continue
		}
		points = append(points, plotter.XY{X: within[i], Y: percent(i + 1)})
	}
	return append(points, plotter.XY{X: over.max, Y: percent(len(within))})
}

// share returns the percentage of errors within t.
func share(errs []geom.PoseError, t geom.Threshold) float64 {
	n := 0
	for _, e := range errs {
		if t.Within(e) {
			n++
		}
	}
	return 100 * float64(n) / float64(len(errs))
}

// byTopK returns the lines of one metric over k, one a run and feature, in the
// order of the features.
func (s *section) byTopK(f frame, metric string) (map[lineKey]plotter.XYs, error) {
	id, ok := s.metrics.index[metric]
	if !ok {
		return nil, nil
	}
	rows, err := f.where(colMetric, id).arrange(colFeature, colRun, colTopK).figures()
	if err != nil {
		return nil, err
	}
	lines := map[lineKey]plotter.XYs{}
	for _, r := range rows {
		if math.IsNaN(r.value) {
			continue
		}
		key := lineKey{r.run, r.feature, 0}
		lines[key] = append(lines[key], plotter.XY{X: float64(s.topks[r.topk]), Y: r.value})
	}
	return lines, nil
}
