// Package geom holds the geometry that every part of locbench shares: rigid
// poses, pose errors and the thresholds that they are held against.
//
// # Coordinates
//
// A pose maps world coordinates to device (camera) coordinates, as kapture and
// COLMAP have it: x_camera = R·x_world + T. Camera axes: x right, y down,
// z forward. Rotations are unit quaternions (w, x, y, z); lengths are metres
// and angles radians. Degrees appear only in [PoseError], [Threshold] and text.
package geom

import (
	"math"

	"gonum.org/v1/gonum/num/quat"
	"gonum.org/v1/gonum/spatial/r3"
)

// Pose is a rigid transform from world to device coordinates. R must have unit
// norm (see [Normalize]); the zero Pose is not valid, [Identity] is.
type Pose struct {
	R quat.Number
	T r3.Vec
}

// Identity returns the pose whose device frame is the world frame.
func Identity() Pose { return Pose{R: quat.Number{Real: 1}} }

// Apply returns R·x + T.
func (p Pose) Apply(x r3.Vec) r3.Vec { return r3.Add(Rotate(p.R, x), p.T) }

// Inverse returns the pose that undoes p: device to world.
func (p Pose) Inverse() Pose {
	inv := quat.Conj(p.R)
	return Pose{R: inv, T: r3.Scale(-1, Rotate(inv, p.T))}
}

// Center returns the device's centre in world coordinates, −Rᵀ·T.
func (p Pose) Center() r3.Vec { return r3.Scale(-1, Rotate(quat.Conj(p.R), p.T)) }

// Then returns the transform that applies p first and q second. With p
// world→rig and q rig→camera, p.Then(q) is world→camera.
func (p Pose) Then(q Pose) Pose {
	return Pose{R: quat.Mul(q.R, p.R), T: r3.Add(Rotate(q.R, p.T), q.T)}
}

// FromCenter returns the world→device pose of a device with rotation r
// (world→device, unit) that stands at centre c in the world.
func FromCenter(r quat.Number, c r3.Vec) Pose {
	return Pose{R: r, T: r3.Scale(-1, Rotate(r, c))}
}

// Rotate returns q·x·q⁻¹ for a unit quaternion q.
func Rotate(q quat.Number, x r3.Vec) r3.Vec {
	// x + 2w(v×x) + 2v×(v×x), with v the vector part of q.
	v := r3.Vec{X: q.Imag, Y: q.Jmag, Z: q.Kmag}
	t := r3.Scale(2, r3.Cross(v, x))
	return r3.Add(r3.Add(x, r3.Scale(q.Real, t)), r3.Cross(v, t))
}

// Normalize returns q at unit norm, and the norm it had. A quaternion that is
// zero or not finite has no direction: Normalize returns it unchanged, with a
// norm of 0 or not finite, and the caller reports it.
func Normalize(q quat.Number) (quat.Number, float64) {
	n := quat.Abs(q)
	if n == 0 || math.IsNaN(n) || math.IsInf(n, 0) {
		return q, n
	}
	return quat.Scale(1/n, q), n
}

// Angle returns the angle in radians, in [0, π], of the rotation that takes
// unit quaternion a to unit quaternion b. The sign of either does not matter.
// It is 2·atan2(|v|, |w|) of the relative quaternion, which keeps its accuracy
// at small angles where 2·acos(|w|) loses half the digits.
func Angle(a, b quat.Number) float64 {
	d := quat.Mul(quat.Conj(a), b)
	v := math.Sqrt(d.Imag*d.Imag + d.Jmag*d.Jmag + d.Kmag*d.Kmag)
	return 2 * math.Atan2(v, math.Abs(d.Real))
}
