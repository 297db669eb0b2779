package bench

import (
	"testing"

	"locbench/bench/record"
	"locbench/kapture/geom"
	"locbench/localize"
	"locbench/scenes"
)

// TestRowOfQueryWithoutFeature has a query that retrieval skips: it counts its
// matches, none, where the other cameras of its rig give it a pose.
func TestRowOfQueryWithoutFeature(t *testing.T) {
	p := &Plan{scene: &scenes.Scene{}}
	f := &feature{name: "AP-GeM", queriesLack: []string{"left.jpg"}}
	im := scenes.Image{Name: "left.jpg", HasPose: true, Pose: geom.Identity()}
	row := p.queryRow(f, "global-map", 5, im, localize.Result{OK: true, Pose: geom.Identity()})
	if row.Status != record.Localized || row.Inliers != 0 || row.Correspondences != 0 || row.TErrM != 0 || row.Reason != "" {
		t.Errorf("want it localized with 0 inliers of 0, found %+v", row)
	}
	row = p.queryRow(f, "global-map", 5, im, localize.Result{})
	if row.Status != record.Skipped || row.Inliers != -1 || row.Reason == "" {
		t.Errorf("want it skipped without counts, found %+v", row)
	}
}
