package sfm_test

import (
	"errors"
	"math"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture"
	"locbench/kapture/camera"
	"locbench/kapture/colmap"
	"locbench/kapture/geom"
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

// TestWeighWithoutAnImage weighs a point that two images of the scene see, and one
// that is not in it: a map may be of more images than the scene.
func TestWeighWithoutAnImage(t *testing.T) {
	pinhole, err := camera.New("SIMPLE_PINHOLE", []float64{100, 50, 50})
	if err != nil {
		t.Fatal(err)
	}
	aside := geom.Identity()
	aside.T.X = -1
	library := sfm.NewLibrary([]sfm.Image{{Name: "a.jpg", Camera: &pinhole, Pose: geom.Identity()}, {Name: "b.jpg", Camera: &pinhole, Pose: aside}}, nil)
	weighed := func(images ...string) [9]float64 {
		var seen kapture.Observations
		for _, name := range images {
			seen.Add(0, "sift", kapture.View{Image: name})
		}
		m, err := sfm.MapOf(&kapture.Points3D{XYZ: []r3.Vec{{Z: 4}}}, &seen, "sift", "observations.txt")
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Weigh(library.Posed()); err != nil {
			t.Fatal(err)
		}
		return m.Covariances[0]
	}
	want := weighed("a.jpg", "b.jpg")
	if want[8] <= want[0] {
		t.Fatalf("want depth less certain than the side, found %v", want)
	}
	if got := weighed("a.jpg", "b.jpg", "elsewhere.jpg"); got != want {
		t.Errorf("want %v, found %v", want, got)
	}
}

// TestMapOfRefusesKeypoints refuses numbers that would fill the memory.
func TestMapOfRefusesKeypoints(t *testing.T) {
	var seen kapture.Observations
	seen.Add(0, "sift", kapture.View{Image: "a.jpg", Keypoint: math.MaxUint32})
	_, err := sfm.MapOf(&kapture.Points3D{XYZ: make([]r3.Vec, 1)}, &seen, "sift", "observations.txt")
	if bad, ok := errors.AsType[*kapture.InputError](err); !ok || bad.Path != "observations.txt" {
		t.Errorf("want an InputError of observations.txt, found %v", err)
	}
}
