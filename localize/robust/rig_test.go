package robust

import (
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/camera"
	"locbench/kapture/geom"
)

// TestRigKnownTruth looks for the pose of a rig of three cameras, each of which
// sees too few points for a pose of its own, among wrong correspondences.
func TestRigKnownTruth(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 0))
	c, err := camera.New("OPENCV", []float64{500, 510, 320, 240, -0.1, 0.01, 1e-3, -1e-3})
	if err != nil {
		t.Fatal(err)
	}
	truth := geom.Pose{R: geom.Exp(r3.Vec{X: 0.3, Y: -1.2, Z: 0.4}), T: r3.Vec{X: 1, Y: 2, Z: -3}}
	mounts := []geom.Pose{geom.Identity(), {R: geom.Exp(r3.Vec{Y: 2}), T: r3.Vec{X: 0.4}}, {R: geom.Exp(r3.Vec{Y: -2}), T: r3.Vec{X: -0.4, Z: 0.1}}}
	var p RigProblem
	right := make([][]bool, len(mounts))
	for k, mount := range mounts {
		v := RigView{Camera: c, Pose: mount}
		world := truth.Then(mount).Inverse()
		for i := range 30 {
			px := [2]float64{640 * rng.Float64(), 480 * rng.Float64()}
			x, y, ok := c.Unproject(px[0], px[1])
			if !ok {
				t.Fatal("a pixel without a ray")
			}
			depth := 2 + 10*rng.Float64()
			v.Points = append(v.Points, world.Apply(r3.Scale(depth, r3.Vec{X: x, Y: y, Z: 1})))
			good := i < 8
			if good {
				px[0] += 0.5 * rng.NormFloat64()
				px[1] += 0.5 * rng.NormFloat64()
			} else {
				px = [2]float64{640 * rng.Float64(), 480 * rng.Float64()}
			}
			v.Pixels, right[k] = append(v.Pixels, px), append(right[k], good)
		}
		p.Views = append(p.Views, v)
	}
	o := AbsoluteDefaults()
	o.MaxErrorPx = 3
	r, reason := EstimateRig(p, o)
	if reason != "" {
		t.Fatal(reason)
	}
	if e := geom.Error(r.Pose, truth); e.Meters > 0.02 || e.Degrees > 0.2 {
		t.Errorf("the rig is off by %.4f m, %.4f°", e.Meters, e.Degrees)
	}
	missed := 0
	for k := range right {
		for i, good := range right[k] {
			if good && !r.Inliers[k][i] {
				missed++
			}
		}
	}
	if missed > 1 || r.NumInliers > 30 {
		t.Errorf("%d of 24 inliers missed, %d found", missed, r.NumInliers)
	}
	again, _ := EstimateRig(p, o)
	if again.Pose != r.Pose {
		t.Error("another pose the second time")
	}
	for k := range p.Views {
		p.Views[k].Pixels = p.Views[k].Pixels[8:]
		p.Views[k].Points = p.Views[k].Points[8:]
	}
	if r, reason := EstimateRig(p, o); reason == "" {
		t.Errorf("a rig of wrong correspondences only: %d inliers of %d", r.NumInliers, 3*22)
	}
}
