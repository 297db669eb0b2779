package sfm_test

import (
	"math"
	"testing"

	"locbench/kapture/colmap"
	"locbench/kapture/kapturetest"
	"locbench/localize/robust"
	"locbench/localize/sfm"
)

// TestWeighAgreesWithBuild works the covariances of a built map out again.
func TestWeighAgreesWithBuild(t *testing.T) {
	g := openGallery(t, "matches_verified")
	m := g.build(t).Map
	built := m.Covariances
	if err := m.Weigh(g.library); err != nil {
		t.Fatal(err)
	}
	for p := range built {
		for k := range 9 {
			want, got := built[p][k], m.Covariances[p][k]
			if scale := math.Sqrt(built[p][0]*built[p][0] + built[p][4]*built[p][4] + built[p][8]*built[p][8]); math.Abs(got-want) > 1e-3*scale {
				t.Fatalf("point %d, entry %d: want %g, found %g", p, k, want, got)
			}
		}
	}
}

// TestModelOfColmapLocalizes reads the map that COLMAP triangulated and localizes
// the queries against it.
func TestModelOfColmapLocalizes(t *testing.T) {
	g := openGallery(t, "matches_verified")
	model, err := colmap.Read(kapturetest.Shared(t, "golden", "colmap_virtual_gallery", "map"))
	if err != nil {
		t.Fatal(err)
	}
	points, seen := model.Reconstruction("r2d2_500")
	m, err := sfm.MapOf(points, seen, "r2d2_500", "observations.txt")
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Weigh(g.library); err != nil {
		t.Fatal(err)
	}
	_, errs := g.localizeAll(t, &sfm.Global{Data: g.data(), Map: m, Options: robust.AbsoluteDefaults()})
	asGoodAsReference(t, errs)
}
