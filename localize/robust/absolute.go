package robust

import (
	"fmt"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/camera"
	"locbench/kapture/geom"
)

// AbsoluteProblem asks for the pose of a camera in a world of known points.
// Correspondence i is Pixels[i], Points[i].
type AbsoluteProblem struct {
	Camera camera.Camera
	// FocalUnknown: of the camera only the principal point is believed. The
	// focal length is estimated, pixels are square and the lens is straight.
	FocalUnknown bool
	Pixels       [][2]float64 // of the distorted image
	Points       []r3.Vec     // in the world, metres
}

// Absolute is the pose of a camera.
type Absolute struct {
	Pose       geom.Pose // world → camera
	Inliers    []bool    // by correspondence: error at most MaxErrorPx
	NumInliers int
	// Covariance of a small motion (ω, τ) after the pose: x' = Exp(ω)·x + τ in
	// the camera frame, rotation first (rad), then translation (m). It is scaled
	// by the variance of the inliers' residuals.
	Covariance [6][6]float64
	Focal      float64 // pixels; the mean of the camera's where it was known
	RMSEPx     float64 // of the inliers, √ of the mean squared distance
	Iterations int
}

// EstimateAbsolute returns the pose that most of the correspondences agree on,
// or the reason why there is none.
func EstimateAbsolute(p AbsoluteProblem, o Options) (a Absolute, reason string) {
	view := RigView{Camera: p.Camera, Pose: geom.Identity(), Pixels: p.Pixels, Points: p.Points}
	e, reason := newPoser([]RigView{view}, p.FocalUnknown, o)
	if reason != "" {
		return Absolute{}, reason
	}
	f, reason := e.estimate()
	if reason != "" {
		return Absolute{}, reason
	}
	a = Absolute{
		Pose: f.pose, Inliers: f.inliers[0], NumInliers: f.count, Covariance: f.covariance,
		Focal: f.focal, RMSEPx: f.rmse, Iterations: f.iterations,
	}
	if !p.FocalUnknown {
		fx, fy := p.Camera.Focal()
		a.Focal = (fx + fy) / 2
	}
	return a, ""
}

// RigView is one camera of a rig with its correspondences.
type RigView struct {
	Camera camera.Camera
	Pose   geom.Pose    // rig → camera
	Pixels [][2]float64 // of the distorted image
	Points []r3.Vec     // in the world, metres
}

// RigProblem asks for the pose of a rig of cameras in a world of known points.
type RigProblem struct{ Views []RigView }

// Rig is the pose of a rig; see [Absolute].
type Rig struct {
	Pose       geom.Pose // world → rig
	Inliers    [][]bool  // by view and correspondence
	NumInliers int
	Covariance [6][6]float64 // of a small motion of the rig's frame
	RMSEPx     float64
	Iterations int
}

// EstimateRig returns the pose of the rig that most of the correspondences of
// all its cameras agree on, or the reason why there is none.
func EstimateRig(p RigProblem, o Options) (r Rig, reason string) {
	e, reason := newPoser(p.Views, false, o)
	if reason != "" {
		return Rig{}, reason
	}
	f, reason := e.estimate()
	if reason != "" {
		return Rig{}, reason
	}
	return Rig{
		Pose: f.pose, Inliers: f.inliers, NumInliers: f.count, Covariance: f.covariance,
		RMSEPx: f.rmse, Iterations: f.iterations,
	}, ""
}

// check returns why a view cannot be used.
func (v *RigView) check() string {
	if len(v.Pixels) != len(v.Points) {
		return fmt.Sprintf("%d pixels with %d points", len(v.Pixels), len(v.Points))
	}
	if fx, _ := v.Camera.Focal(); fx == 0 {
		return "the camera has no parameters"
	}
	return ""
}
