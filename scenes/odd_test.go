package scenes

import (
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"locbench/kapture"
)

// TestOddCards are scene files that editors, copies and slips make.
func TestOddCards(t *testing.T) {
	if _, err := parseCard("s.yaml", []byte("\xef\xbb\xbf"+strings.ReplaceAll(goodCard, "\n", "\r\n"))); err != nil {
		t.Errorf("byte order mark and Windows line ends: %v", err)
	}
	for old, tt := range map[string][2]string{
		"[0.5, 5]]\nre": {"[near, 5]]\nre", `s.yaml:7: want a number, found text at "near"`},
		"[mapping]":     {"mapping", `s.yaml:3: `},
		"submission":    {"---\nsubmission", "s.yaml: want one document, found 2"},
	} {
		_, err := parseCard("s.yaml", []byte(strings.Replace(goodCard, old, tt[0], 1)))
		if err == nil || !strings.Contains(err.Error(), tt[1]) {
			t.Errorf("want %q, found %v", tt[1], err)
		}
	}
	_, err := parseCard("s.yaml", []byte(strings.Replace(goodCard, "[[0.25, 2], [0.5, 5]]", "[[-1, 2]]", 1)))
	if err == nil || strings.Contains(err.Error(), "found none") {
		t.Errorf("want the wrong threshold alone, found %v", err)
	}
}

// TestFileInPlaceOfFeatures names what is wrong with features in a scene file.
func TestFileInPlaceOfFeatures(t *testing.T) {
	dir := tinyScene(t)
	put(t, filepath.Join(dir, "scene.yaml"), "mapping: [mapping]\nqueries: [{dir: query_day}]\nthresholds: [[1, 5]]\nfeatures: [LICENSE]\n")
	put(t, filepath.Join(dir, "LICENSE"), "free")
	_, err := Open(dir, Options{})
	if _, ok := errors.AsType[*kapture.InputError](err); !ok || !strings.Contains(err.Error(), "to be a folder of features, found a file") {
		t.Errorf("found %v", err)
	}
}

// TestBadDescriptor has the rule of package retrieval.
func TestBadDescriptor(t *testing.T) {
	for want, values := range map[string][]float32{
		"":                        {0, 1e-44},
		"want finite numbers":     {1, float32(math.NaN())},
		"want a direction":        {0, 0},
		"want a length that floa": {3e38, 3e38},
	} {
		if got := badDescriptor(values); !strings.HasPrefix(got, want) || (want == "") != (got == "") {
			t.Errorf("%v: want %q, found %q", values, want, got)
		}
	}
}
