// Package metrics turns the pose errors of queries into the figures of
// summary.csv and retrieval.csv, and the ranks of relevant images into average
// precision.
//
// # Queries without ground truth
//
// A query whose true pose is unknown says nothing about accuracy: every figure
// that rests on an error leaves it out of the numerator and of the denominator.
// It is still counted by "queries" and "localized". In a scene where no query
// has ground truth (an evaluation server keeps it), these two are all there is.
package metrics

import (
	"math"
	"slices"
	"strconv"

	"locbench/kapture/geom"
)

// Outcome is what one query came to.
type Outcome struct {
	// Error is the pose error, used where Localized and HasTruth both hold. A
	// part that is NaN is unknown (a pose without rotation, say): it counts as
	// +Inf over all queries and is left out over the localized ones.
	Error     geom.PoseError
	Localized bool
	HasTruth  bool
}

// Figure is one figure of a summary.
type Figure struct {
	Metric string
	Value  float64 // NaN: not defined, such as the mean of no error
}

// The metrics of summary.csv besides those of [Within], in their order.
const (
	Queries                = "queries"                    // how many
	Localized              = "localized"                  // how many of them have a pose
	MedianMeters           = "median_t_err_m"             // over all queries, a failed one counts as +Inf
	MedianDegrees          = "median_r_err_deg"           // likewise
	MedianLocalizedMeters  = "median_localized_t_err_m"   // over the localized queries
	MedianLocalizedDegrees = "median_localized_r_err_deg" // likewise
	MeanLocalizedMeters    = "mean_localized_t_err_m"
	MeanLocalizedDegrees   = "mean_localized_r_err_deg"
)

// WithinPrefix begins the names of [Within].
const WithinPrefix = "within_"

// Within names the percentage of all queries whose error is within t,
// "within_0.25m_2deg". Between [Localized] and [MedianMeters], one for each
// threshold of the scene.
func Within(t geom.Threshold) string { return WithinPrefix + t.String() }

// The retrieval figures over the first k retrieved images, in percent, are named
// by what makes an image relevant: RecallPrefix + "5m_30deg" is the share of
// queries with at least one, PrecisionPrefix + … the mean share of those that are.
// Pion et al. (3DV 2020) call them R@k and P@k, with [CoVisible] relevance.
const (
	RecallPrefix    = "recall_"
	PrecisionPrefix = "precision_"
	MeanIoU         = "mean_iou" // of the points that query and retrieved image see, percent
)

// CoVisible names relevance by co-visibility: the share of the 3D points that
// both images see among those that one of them sees, "iou0.1".
func CoVisible(leastIoU float64) string { return "iou" + strconv.FormatFloat(leastIoU, 'g', -1, 64) }

// Summarize returns the figures of a set of queries in the order of
// summary.csv. Without any query that has ground truth, only the first two.
func Summarize(outcomes []Outcome, thresholds []geom.Threshold) []Figure {
	localized := 0
	var all, found errorList
	for _, o := range outcomes {
		if o.Localized {
			localized++
		}
		switch {
		case !o.HasTruth:
		case o.Localized:
			all.add(o.Error)
			found.add(o.Error)
		default:
			all.add(geom.Failed())
		}
	}
	figures := []Figure{{Queries, float64(len(outcomes))}, {Localized, float64(localized)}}
	if len(all) == 0 {
		return figures
	}
	for _, t := range thresholds {
		figures = append(figures, Figure{Within(t), all.percentWithin(t)})
	}
	return append(figures,
		Figure{MedianMeters, median(all.parts(meters, math.Inf(1)))},
		Figure{MedianDegrees, median(all.parts(degrees, math.Inf(1)))},
		Figure{MedianLocalizedMeters, median(found.parts(meters, math.NaN()))},
		Figure{MedianLocalizedDegrees, median(found.parts(degrees, math.NaN()))},
		Figure{MeanLocalizedMeters, mean(found.parts(meters, math.NaN()))},
		Figure{MeanLocalizedDegrees, mean(found.parts(degrees, math.NaN()))},
	)
}

// RecallAt returns the percentage of queries that have a relevant image among
// their first k. relevant[i] says it of the images that query i retrieved, best
// first; a query with fewer than k has them all used. NaN without queries.
func RecallAt(relevant [][]bool, k int) float64 {
	hits := 0
	for _, images := range relevant {
		if slices.Contains(images[:min(k, len(images))], true) {
			hits++
		}
	}
	return percent(hits, len(relevant))
}

// MeanAt returns the mean over queries of the mean of their first k values, in
// percent: the precision of values that are 1 for a relevant image and 0 for
// another. A query without any counts as 0. NaN without queries.
func MeanAt(values [][]float64, k int) float64 {
	sum := 0.0
	for _, v := range values {
		if v = v[:min(k, len(v))]; len(v) > 0 {
			sum += Mean(v)
		}
	}
	return 100 * sum / float64(len(values))
}

type errorList []geom.PoseError

func (l *errorList) add(e geom.PoseError) { *l = append(*l, e) }

func (l errorList) percentWithin(t geom.Threshold) float64 {
	n := 0
	for _, e := range l {
		if t.Within(e) {
			n++
		}
	}
	return percent(n, len(l))
}

// parts returns one part of every error, with unknown in place of NaN; an
// unknown that is itself NaN leaves the part out.
func (l errorList) parts(part func(geom.PoseError) float64, unknown float64) []float64 {
	values := make([]float64, 0, len(l))
	for _, e := range l {
		v := part(e)
		if math.IsNaN(v) {
			v = unknown
		}
		if !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	return values
}

func meters(e geom.PoseError) float64  { return e.Meters }
func degrees(e geom.PoseError) float64 { return e.Degrees }

func percent(n, of int) float64 { return 100 * float64(n) / float64(of) }

// median returns the middle value, or the mean of the two middle ones, as
// numpy does; +Inf if one of those is. It sorts values in place. NaN for none.
func median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return math.NaN()
	}
	slices.Sort(values)
	if n%2 == 1 {
		return values[n/2]
	}
	return (values[n/2-1] + values[n/2]) / 2
}

// mean returns the mean, NaN for no values.
func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
