package scenes

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"locbench/kapture/kapturetest"
)

// sampleScene writes a scene file over two datasets of the kapture samples.
func sampleScene(t *testing.T, mapping, query string) *Scene {
	t.Helper()
	root := kapturetest.Shared(t, "data", "kapture_samples")
	abs, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "sample.yaml")
	put(t, file, fmt.Sprintf("mapping: [%q]\nqueries: [{dir: %q}]\nthresholds: [[0.25, 2]]\n", filepath.Join(abs, mapping), filepath.Join(abs, query)))
	return mustOpen(t, file, Options{})
}

// TestVerifySamples checks what Verify says of real datasets; what they are
// like is in shared/golden/kapture_io.
func TestVerifySamples(t *testing.T) {
	tests := []struct {
		name, mapping, query string
		want                 map[string]int // problems by check
	}{
		{"Aachen", "Aachen-Day-Night/kapture/training", "Aachen-Day-Night/kapture/query",
			map[string]int{"image file": 2, "missing feature, query": 4}}, // no images, and SIFT of the mapping images only
		{"Berlin, tar", "berlin/kapture_tar", "berlin/kapture_tar", map[string]int{"shared name": 3}},
		{"Berlin, files", "berlin/kapture", "berlin/kapture", map[string]int{"shared name": 3}},
		{"Virtual Gallery", "virtual_gallery/kapture/training", "virtual_gallery/kapture/testing", map[string]int{"image file": 2}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := sampleScene(t, tt.mapping, tt.query)
			problems, err := s.Verify(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]int{}
			for _, p := range problems {
				got[p.Check]++
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s\n%v", diff, Shorten(problems, 2))
			}
		})
	}
}
