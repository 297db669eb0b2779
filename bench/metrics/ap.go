package metrics

import (
	"math"
	"slices"
	"sort"
)

// WithoutJunk returns the ranks that images have when the junk is taken out of
// the ranking. Ranks count from 0 over the whole ranking; those returned are
// ascending. It serves [StepAP] too, with the numbers of images in place of
// ranks.
func WithoutJunk(ranks, junk []int) []int {
	out, junk := slices.Sorted(slices.Values(ranks)), slices.Sorted(slices.Values(junk))
	before := 0
	for i, r := range out {
		for before < len(junk) && junk[before] < r {
			before++
		}
		out[i] = r - before
	}
	return out
}

// TrapezoidAP is the average precision of one query in [0, 1], as the Oxford
// buildings benchmark defines it (compute_ap.cpp; Philbin et al., CVPR 2007): the
// area under the precision-recall curve by the trapezoid rule,
//
//	AP = Σ_i 1/n · (i/r_i + (i+1)/(r_i+1)) / 2,   i/r_i = 1 for r_i = 0
//
// over the ranks r_i of the n positives, ascending and counted from 0 in a
// ranking without junk. NaN without positives.
func TrapezoidAP(ranks []int) float64 {
	sum := 0.0
	for i, r := range ranks {
		left := 1.0
		if r > 0 {
			left = float64(i) / float64(r)
		}
		sum += (left + float64(i+1)/float64(r+1)) / 2
	}
	return sum / float64(len(ranks))
}

// PrecisionAt is the part of the first k images of a query that are positive,
// in [0, 1]. As in the revisited protocol (Radenović et al., CVPR 2018), k is
// lowered to the place of the last positive, so that a query with few positives
// can reach 1. ranks as in [TrapezoidAP]. NaN without positives.
func PrecisionAt(ranks []int, k int) float64 {
	if len(ranks) == 0 {
		return math.NaN()
	}
	k = min(k, ranks[len(ranks)-1]+1)
	return float64(sort.SearchInts(ranks, k)) / float64(k)
}

// HitAt is 1 if one of the first k images of a query is positive, and else 0.
// ranks as in [TrapezoidAP]. NaN without positives.
func HitAt(ranks []int, k int) float64 {
	switch {
	case len(ranks) == 0:
		return math.NaN()
	case ranks[0] < k:
		return 1
	}
	return 0
}

// StepAP is the average precision of one query in [0, 1] as labelled data sets
// use it: the finite sum of precision times the step of recall over the
// different scores, so that images with equal scores stand or fall together
// (scikit-learn, average_precision_score). atLeast[i] is the number of images,
// without junk, that score at least as much as the i-th positive, ascending.
// NaN without positives.
func StepAP(atLeast []int) float64 {
	sum := 0.0
	for i := 0; i < len(atLeast); {
		tied := i
		for i < len(atLeast) && atLeast[i] == atLeast[tied] {
			i++
		}
		sum += float64(i-tied) * float64(i) / float64(atLeast[tied])
	}
	return sum / float64(len(atLeast))
}

// Mean is the mean of what is defined: queries whose figure is NaN, those
// without positives, are left out. NaN if none is defined.
func Mean(figures []float64) float64 {
	return mean(slices.DeleteFunc(slices.Clone(figures), math.IsNaN))
}
