package geom

import (
	"math"
	"testing"
)

// TestWithin holds both bounds inclusive, and both needed.
func TestWithin(t *testing.T) {
	bounds := Threshold{Meters: 0.25, Degrees: 2}
	for _, tt := range []struct {
		name string
		e    PoseError
		want bool
	}{
		{"none", PoseError{}, true},
		{"at both bounds", PoseError{0.25, 2}, true},
		{"too far", PoseError{0.2500001, 0}, false},
		{"turned too much", PoseError{0, 2.000001}, false},
		{"unknown position", PoseError{math.NaN(), 0}, false},
		{"unknown rotation", PoseError{0, math.NaN()}, false},
		{"not localized", Failed(), false},
	} {
		if got := bounds.Within(tt.e); got != tt.want {
			t.Errorf("%s: want %v, found %v", tt.name, tt.want, got)
		}
	}
}

func TestThresholdText(t *testing.T) {
	for text, want := range map[string]Threshold{
		"0.25m_2deg": {0.25, 2}, "5m_10deg": {5, 10}, "0.000001m_0.5deg": {1e-6, 0.5}, "1000000m_180deg": {1e6, 180},
	} {
		if got, err := ParseThreshold(text); err != nil || got != want {
			t.Errorf("%s: want %v, found %v, %v", text, want, got, err)
		}
		if got := want.String(); got != text {
			t.Errorf("want %s, found %s", text, got)
		}
	}
	for _, text := range []string{
		"", "1", "1m", "1m_", "1m_2", "m_deg", "1m_deg", "m_2deg", "xm_2deg", "1m_xdeg", "1_2deg", "1m2deg",
		"0m_2deg", "1m_0deg", "-1m_2deg", "1m_-2deg", "nanm_2deg", "1m_nandeg", "1m_2deg ",
	} {
		if got, err := ParseThreshold(text); err == nil {
			t.Errorf("%q: want an error, found %v", text, got)
		}
	}
}
