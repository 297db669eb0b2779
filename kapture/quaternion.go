package kapture

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/num/quat"

	"locbench/kapture/geom"
)

const (
	// exactNorm is how far a norm may be from 1 for the quaternion to be kept
	// as it is written, digit by digit: sixteen digits of text give less.
	exactNorm = 1e-13
	// roundedNorm is how far rounding to six decimals, common in COLMAP's text,
	// takes a norm from 1. Beyond it the quaternion was not meant to be unit.
	roundedNorm = 1e-5
)

// unitQuaternion returns q at unit norm and the norm it had; ok is false if it
// has no direction: it is zero, not finite, or too small or large to scale.
func unitQuaternion(q quat.Number) (unit quat.Number, norm float64, ok bool) {
	unit, norm = geom.Normalize(q)
	if math.Abs(norm-1) <= exactNorm {
		return q, norm, true
	}
	return unit, norm, math.Abs(quat.Abs(unit)-1) <= exactNorm
}

// normWarning counts quaternions that were far from unit norm.
type normWarning struct {
	count, line int
	norm        float64
}

func (w *normWarning) note(norm float64, line int) {
	if math.Abs(norm-1) <= roundedNorm {
		return
	}
	if w.count == 0 {
		w.line, w.norm = line, norm
	}
	w.count++
}

func (w *normWarning) message(path string) string {
	if w.count == 0 {
		return ""
	}
	return fmt.Sprintf("%s:%d: quaternion of norm %.4g normalised; %d such in the file", path, w.line, w.norm, w.count)
}
