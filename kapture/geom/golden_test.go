package geom

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/num/quat"
	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/kapturetest"
)

type goldenPose struct {
	Q []float64 `json:"q_wxyz"`
	T []float64 `json:"t"`
}

func (g goldenPose) complete() bool { return g.Q != nil && g.T != nil }

// raw returns the pose as it is stored, its quaternion perhaps not unit.
func (g goldenPose) raw() Pose {
	var p Pose
	if g.Q != nil {
		p.R = quat.Number{Real: g.Q[0], Imag: g.Q[1], Jmag: g.Q[2], Kmag: g.Q[3]}
	}
	if g.T != nil {
		p.T = r3.Vec{X: g.T[0], Y: g.T[1], Z: g.T[2]}
	}
	return p
}

// unit returns the pose as locbench has it: normalized on reading.
func (g goldenPose) unit() Pose {
	p := g.raw()
	p.R, _ = Normalize(p.R)
	return p
}

type poseSet struct {
	ID       int
	Poses    []goldenPose
	Weights  []float64
	Weighted goldenPose `json:"average_weighted"`
	Equal    goldenPose `json:"average_equal"`
	Gap      float64    `json:"eigen_gap"`

	Distances []struct {
		J                int
		WorldTranslation *float64 `json:"world_translation"`
		WorldRotation    *float64 `json:"world_rotation_deg"`
	} `json:"distances_to_pose0"`
	Inverse   []*goldenPose
	Compose   *goldenPose                            `json:"compose_all_left_to_right"`
	Transform *struct{ Points, Result [][3]float64 } `json:"transform_points_of_pose0"`
	Between   *goldenPose                            `json:"intermediate_pose_t1300_between_pose0_at_1000_and_pose1_at_2000"`
}

// The reference does not normalize the quaternion of norm 2 in set 19: it
// weighs 4 times in the mean, and enters products with its norm. Locbench
// normalizes on reading, so that set is compared with the weight given
// explicitly, and its compositions up to the norm.
const nonUnitSet = 19

func TestGoldenPoseSets(t *testing.T) {
	var file struct{ Sets []poseSet }
	kapturetest.SharedJSON(t, &file, "golden", "pose", "pose_sets.json")
	if len(file.Sets) != 20 {
		t.Fatalf("want 20 sets, found %d", len(file.Sets))
	}
	for _, s := range file.Sets {
		t.Run(fmt.Sprint("set", s.ID), func(t *testing.T) {
			s.testMeans(t)
			s.testDistances(t)
			s.testTransforms(t)
		})
	}
}

func (s *poseSet) testMeans(t *testing.T) {
	equal := make([]float64, len(s.Weights))
	for i := range equal {
		equal[i] = 1
	}
	s.testMean(t, s.Weights, s.Weighted, true)
	s.testMean(t, equal, s.Equal, false)
}

func (s *poseSet) testMean(t *testing.T, weights []float64, want goldenPose, hasGap bool) {
	t.Helper()
	rotations, positions := make([]quat.Number, len(s.Poses)), make([]Pose, len(s.Poses))
	turning := append([]float64(nil), weights...)
	for i, p := range s.Poses {
		rotations[i] = p.unit().R
		positions[i] = Pose{R: quat.Number{Real: 1}, T: p.unit().T}
		if s.ID == nonUnitSet && i == 0 {
			turning[i] *= 4
		}
	}
	if want.Q != nil {
		q, gap, ok := MeanRotation(rotations, turning)
		tol := 1e-9
		if s.Gap < 0.7 {
			tol = 1e-8
		}
		if d := quat.Abs(quat.Sub(q, Canonical(want.raw().R))); !ok || d > tol {
			t.Errorf("mean rotation off by %g", d)
		}
		if hasGap && s.ID != nonUnitSet && math.Abs(gap-s.Gap) > 1e-12 {
			t.Errorf("gap %v, want %v", gap, s.Gap)
		}
	}
	if want.T != nil {
		m, ok := MeanPose(positions, weights)
		if d := r3.Norm(r3.Sub(m.Pose.T, want.raw().T)); !ok || d > 1e-9 {
			t.Errorf("mean position off by %g", d)
		}
	}
}

func (s *poseSet) testDistances(t *testing.T) {
	if !s.Poses[0].complete() {
		return
	}
	for _, d := range s.Distances {
		if d.WorldTranslation == nil || d.WorldRotation == nil || s.ID == nonUnitSet {
			continue
		}
		e := Error(s.Poses[d.J].unit(), s.Poses[0].unit())
		if math.Abs(e.Meters-*d.WorldTranslation) > 1e-9 || math.Abs(e.Degrees-*d.WorldRotation) > 1e-6 {
			t.Errorf("pose %d: error %v, want %v m %v°", d.J, e, *d.WorldTranslation, *d.WorldRotation)
		}
	}
}

func (s *poseSet) testTransforms(t *testing.T) {
	close := func(what string, got Pose, want goldenPose) {
		t.Helper()
		w := want.unit()
		if d := quat.Abs(quat.Sub(Canonical(got.R), Canonical(w.R))); d > 1e-9 {
			t.Errorf("%s: rotation off by %g", what, d)
		}
		if d := r3.Norm(r3.Sub(got.T, w.T)); d > 1e-9 {
			t.Errorf("%s: translation off by %g", what, d)
		}
	}
	composed, whole := Identity(), true
	for i, p := range s.Poses {
		// The reference rotates by q·x·q⁻¹ whatever the norm, so that its
		// transforms do not depend on it.
		if inv := s.Inverse[i]; inv != nil && inv.complete() && p.complete() {
			close(fmt.Sprint("inverse ", i), p.unit().Inverse(), *inv)
		}
		composed = p.unit().Then(composed) // left to right: the last is applied first
		whole = whole && p.complete()
	}
	if s.Compose != nil && s.Compose.complete() && whole {
		close("composition", composed, *s.Compose)
	}
	if s.Between != nil && s.Between.complete() && s.Poses[0].complete() && s.Poses[1].complete() {
		close("interpolation", Interpolate(s.Poses[0].unit(), s.Poses[1].unit(), 0.3), *s.Between)
	}
	if s.Transform == nil || !s.Poses[0].complete() {
		return
	}
	for i, x := range s.Transform.Points {
		got, want := s.Poses[0].unit().Apply(r3.Vec{X: x[0], Y: x[1], Z: x[2]}), s.Transform.Result[i]
		if d := r3.Norm(r3.Sub(got, r3.Vec{X: want[0], Y: want[1], Z: want[2]})); d > 1e-9 {
			t.Errorf("point %d off by %g", i, d)
		}
	}
}

func TestGoldenDistancePairs(t *testing.T) {
	var file struct {
		Pairs []struct {
			Name        string
			A           goldenPose `json:"pose_a"`
			B           goldenPose `json:"pose_b"`
			Translation *float64
			Rotation    *float64 `json:"rotation_deg"`
		} `json:"distance_pairs"`
	}
	kapturetest.SharedJSON(t, &file, "golden", "pose", "pose_sets.json")
	for _, p := range file.Pairs {
		e := PoseError{Meters: r3.Norm(r3.Sub(p.A.raw().T, p.B.raw().T)), Degrees: Angle(p.A.unit().R, p.B.unit().R) * 180 / math.Pi}
		if p.Translation != nil && math.Abs(e.Meters-*p.Translation) > 1e-9 {
			t.Errorf("%s: %v m, want %v", p.Name, e.Meters, *p.Translation)
		}
		if p.Rotation == nil {
			continue
		}
		want := *p.Rotation
		if p.Name == "identity,nonunit(1.001)" {
			want = 0 // the reference adds log of the norm; we normalize first
		}
		if math.Abs(e.Degrees-want) > 1e-9 {
			t.Errorf("%s: %v°, want %v", p.Name, e.Degrees, want)
		}
	}
}

// The reference's evaluation of poses with a missing pose, a missing rotation
// and a negated quaternion. A missing part has no PoseError: the caller counts
// such a query as failed. Its bins count an error as within.
func TestGoldenMissingPoses(t *testing.T) {
	var file struct {
		DeltaQ []float64                            `json:"delta_q_wxyz"`
		DeltaT []float64                            `json:"delta_t"`
		Tested map[string]*struct{ Q, T []float64 } `json:"tested_poses"`
		// Results holds [image, metres, degrees], null for unknown.
		Results [][]any
		Bins    [][]*float64
	}
	kapturetest.SharedJSON(t, &file, "golden", "virtual_gallery", "evaluation", "missing_poses.json")
	delta := goldenPose{Q: file.DeltaQ, T: file.DeltaT}.unit()
	errors := make([]PoseError, len(file.Results))
	for i, r := range file.Results {
		errors[i] = Failed()
		tested := file.Tested[r[0].(string)]
		if r[1] == nil || r[2] == nil {
			continue
		}
		est := goldenPose{Q: tested.Q, T: tested.T}.unit()
		gt := est
		if i == 0 {
			gt = est.Then(delta.Inverse()) // tested = delta after ground truth
		} else {
			gt.R = quat.Scale(-1, gt.R)
		}
		errors[i] = Error(est, gt)
		if math.Abs(errors[i].Meters-r[1].(float64)) > 1e-9 || math.Abs(errors[i].Degrees-r[2].(float64)) > 1e-6 {
			t.Errorf("%s: %v, want %v", r[0], errors[i], r[1:])
		}
	}
	for _, b := range file.Bins[:3] { // the others ignore the rotation, which locbench has no use for
		n := 0
		for _, e := range errors {
			if (Threshold{Meters: *b[0], Degrees: *b[1]}).Within(e) {
				n++
			}
		}
		if n != int(*b[2]) {
			t.Errorf("within %v m, %v°: %d, want %v", *b[0], *b[1], n, *b[2])
		}
	}
}
