package sfm_test

import (
	"testing"

	"locbench/kapture/geom"
	"locbench/localize"
	"locbench/localize/robust"
	"locbench/localize/sfm"
)

// TestRigsShareOnePose makes a rig of the four queries, by their true poses: each
// then gains from what the others see, and one without any neighbour is found too.
func TestRigsShareOnePose(t *testing.T) {
	g := openGallery(t, "matches_verified")
	members := make([]localize.RigMember, len(g.queries))
	for i, q := range g.queries {
		members[i] = localize.RigMember{Query: q, Mount: g.truth[0].Inverse().Then(g.truth[i])}
	}
	blind := len(members) - 1
	members[blind].Neighbors = nil
	o := robust.AbsoluteDefaults()
	for name, l := range map[string]localize.RigLocalizer{
		"local-sfm+": &sfm.Refined{Data: g.data(), Options: o, Points: sfm.RefinedPoints()},
		"global-map": &sfm.Global{Data: g.data(), Map: g.build(t).Map, Options: o},
	} {
		found, err := l.LocalizeRig(t.Context(), members, []int{1, 5})
		if err != nil {
			t.Fatal(err)
		}
		if len(found) != 2 || len(found[1]) != len(members) {
			t.Fatalf("%s: want results by k and member, found %d", name, len(found))
		}
		for i, r := range found[1] {
			if !r.OK {
				t.Fatalf("%s, member %d: %s", name, i, r.Why)
			}
			if i == blind && (r.Correspondences != 0 || r.Inliers != 0) || i != blind && r.Inliers < r.Correspondences/2 {
				t.Errorf("%s, member %d: %d inliers of %d correspondences", name, i, r.Inliers, r.Correspondences)
			}
			e := geom.Error(r.Pose, g.truth[i])
			t.Logf("%s, member %d: %d of %d inliers, %.4f m, %.4f°", name, i, r.Inliers, r.Correspondences, e.Meters, e.Degrees)
			if e.Meters > 0.03 || e.Degrees > 0.25 {
				t.Errorf("%s, member %d: %.4f m, %.4f° from the truth", name, i, e.Meters, e.Degrees)
			}
			if d := geom.Error(r.Pose, found[1][0].Pose.Then(members[0].Mount.Inverse().Then(members[i].Mount))); d.Meters > 1e-9 || d.Degrees > 1e-6 {
				t.Errorf("%s, member %d: not the pose of the rig, %v", name, i, d)
			}
		}
		alone, err := l.Localize(t.Context(), members[1].Query)
		if err != nil {
			t.Fatal(err)
		}
		if one, all := geom.Error(alone.Pose, g.truth[1]), geom.Error(found[1][1].Pose, g.truth[1]); all.Degrees > one.Degrees {
			t.Errorf("%s: the hardest query is off by %.4f° in the rig, by %.4f° alone", name, all.Degrees, one.Degrees)
		}
	}
}
