package record

import (
	"math"
	"strconv"
	"strings"
)

var diagnosticColumns = []string{"query", "topk", "matches", "correspondences", "inliers", "rmse_px", "focal_px", "reason"}

// Diagnostic says how a method on local features fared with a query.
type Diagnostic struct {
	Query                    string
	TopK                     int
	Matches                  []int // verified, by retrieved image, best ranked first
	Correspondences, Inliers int
	RMSEPx                   float64 // of the inliers; NaN (an empty cell) without a pose
	FocalPx                  float64 // estimated where the camera was not known; else NaN
	Reason                   string  // why it failed
}

// WriteDiagnostics writes rows to path, in the order given.
func WriteDiagnostics(path string, rows []Diagnostic) error {
	return writeTable(path, diagnosticColumns, rows, func(d Diagnostic, out []string) []string {
		counts := make([]string, len(d.Matches))
		for i, n := range d.Matches {
			counts[i] = strconv.Itoa(n)
		}
		return append(out, d.Query, strconv.Itoa(d.TopK), strings.Join(counts, " "), strconv.Itoa(d.Correspondences), strconv.Itoa(d.Inliers),
			fixedFloat(d.RMSEPx, 4), fixedFloat(d.FocalPx, 3), d.Reason)
	})
}

// fixedFloat gives so many decimals; NaN is empty.
func fixedFloat(v float64, decimals int) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}
