package reports

import (
	"math"
	"strconv"

	"locbench/bench/record"
)

// halfUp corrects a percentage that stands for an exact decimal half (0.35 is
// 0.34999… as a float64). Shares of up to a hundred million queries differ by
// more, so no other value is moved.
const halfUp = 1e-7

// percentText gives one decimal, halves up.
func percentText(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return strconv.FormatFloat(math.Floor(v*10+0.5+halfUp)/10, 'f', 1, 64)
}

// decimalText gives a fixed number of decimals, "∞" for a median that falls on
// a failed query and "–" where nothing is defined.
func decimalText(v float64, decimals int) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case math.IsInf(v, 1):
		return "∞"
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// shortText gives the shortest text of v.
func shortText(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// thresholdText gives the form of the papers, "(0.25 m, 2°)".
func thresholdText(t record.Threshold) string {
	return "(" + shortText(t.Meters) + " m, " + shortText(t.Degrees) + "°)"
}
