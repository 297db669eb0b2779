package sfm_test

import (
	"testing"

	"locbench/kapture/geom"
	"locbench/localize/sfm"
)

// TestQueryDoesNotHideMappingImage has an image that is a query too, there without
// its pose: the map needs the pose.
func TestQueryDoesNotHideMappingImage(t *testing.T) {
	pose := geom.Identity()
	pose.T.X = 2
	library := sfm.NewLibrary([]sfm.Image{{Name: "a.jpg", Pose: pose}, {Name: "a.jpg"}}, nil)
	im, err := library.Posed().Image("a.jpg")
	if err != nil || im.Pose != pose {
		t.Errorf("want pose %v, found %+v, %v", pose, im, err)
	}
}
