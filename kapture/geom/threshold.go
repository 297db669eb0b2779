package geom

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/spatial/r3"
)

// PoseError is how far an estimated pose is from the ground truth: the
// distance of the two camera centres in metres, and the angle of the relative
// rotation in degrees (Pion et al., 3DV 2020, section 4).
type PoseError struct {
	Meters  float64
	Degrees float64
}

// Failed is the error of a query that was not localized.
func Failed() PoseError { return PoseError{Meters: math.Inf(1), Degrees: math.Inf(1)} }

// Error returns the error of estimate est against the ground truth gt, both
// world→camera.
func Error(est, gt Pose) PoseError {
	return PoseError{
		Meters:  r3.Norm(r3.Sub(est.Center(), gt.Center())),
		Degrees: Angle(est.R, gt.R) * (180 / math.Pi),
	}
}

// Threshold is a pair of bounds on a pose error, as in "(0.25 m, 2°)". Both
// bounds are inclusive. A query counts as localized within it if both hold.
type Threshold struct {
	Meters  float64
	Degrees float64
}

// Within reports whether e is inside both bounds. NaN is not.
func (t Threshold) Within(e PoseError) bool {
	return e.Meters <= t.Meters && e.Degrees <= t.Degrees
}

// String gives the form used in metric names, "0.25m_2deg".
func (t Threshold) String() string {
	return strconv.FormatFloat(t.Meters, 'f', -1, 64) + "m_" + strconv.FormatFloat(t.Degrees, 'f', -1, 64) + "deg"
}

// ParseThreshold reads the form that [Threshold.String] writes.
func ParseThreshold(s string) (Threshold, error) {
	bad := fmt.Errorf("want a threshold such as 0.25m_2deg, found %q", s)
	m, rest, ok := strings.Cut(s, "m_")
	if !ok || !strings.HasSuffix(rest, "deg") {
		return Threshold{}, bad
	}
	meters, err := strconv.ParseFloat(m, 64)
	if err != nil {
		return Threshold{}, bad
	}
	degrees, err := strconv.ParseFloat(strings.TrimSuffix(rest, "deg"), 64)
	if err != nil || !(meters > 0) || !(degrees > 0) {
		return Threshold{}, bad
	}
	return Threshold{Meters: meters, Degrees: degrees}, nil
}
