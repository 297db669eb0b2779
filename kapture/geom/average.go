package geom

import (
	"math"

	"gonum.org/v1/gonum/num/quat"
	"gonum.org/v1/gonum/spatial/r3"
)

// Mean is a weighted mean of poses.
type Mean struct {
	// Pose has R with a real part ≥ 0 (see [MeanRotation]).
	Pose Pose
	// Gap says how well the mean rotation is determined: see [MeanRotation].
	Gap float64
}

// MeanPose averages poses as they stand: T is Σ wᵢTᵢ / Σ wᵢ and R the mean
// rotation. To average cameras by their centres, pass device→world poses, the
// inverses. Weights may be negative; ok is false if there is no pose, or if the
// weights or their sum cannot be divided by (zero, NaN, infinite). It panics if
// the lengths differ.
func MeanPose(poses []Pose, weights []float64) (m Mean, ok bool) {
	rotations := make([]quat.Number, len(poses))
	for i, p := range poses {
		rotations[i] = p.R
	}
	q, gap, ok := MeanRotation(rotations, weights)
	if !ok {
		return Mean{}, false
	}
	var t r3.Vec
	var sum float64
	for i, p := range poses {
		t = r3.Add(t, r3.Scale(weights[i], p.T))
		sum += weights[i]
	}
	return Mean{Pose: Pose{R: q, T: r3.Scale(1/sum, t)}, Gap: gap}, true
}

// MeanRotation returns the unit quaternion that maximizes Σ wᵢ(q·qᵢ)², which
// is the eigenvector of the largest eigenvalue of
//
//	M = Σ wᵢ qᵢqᵢᵀ / Σ wᵢ
//
// (Markley, Cheng, Crassidis, Oshman: Averaging Quaternions, 2007, equations 12
// and 13). The signs of the qᵢ do not matter, and the sign of the result is
// fixed: its first component in the order w, x, y, z that is not zero is
// positive. The qᵢ must be unit quaternions.
//
// gap is the distance of the two largest eigenvalues of M: 1 if all rotations
// agree, 0 if the mean is not determined, as for two rotations of equal weight
// that are 180° apart. ok is as in [MeanPose], and lengths that differ panic.
func MeanRotation(rotations []quat.Number, weights []float64) (q quat.Number, gap float64, ok bool) {
	if len(rotations) != len(weights) {
		panic("geom: want one weight for each rotation")
	}
	var m mat4
	var sum float64
	for i, r := range rotations {
		v := [4]float64{r.Real, r.Imag, r.Jmag, r.Kmag}
		for a := range v {
			for b := range v {
				m[a][b] += weights[i] * v[a] * v[b]
			}
		}
		sum += weights[i]
	}
	if len(rotations) == 0 || sum == 0 || !finite(1/sum) || !m.scale(1/sum) {
		return quat.Number{}, 0, false
	}
	values, vectors := m.eigen()
	first, second := largestTwo(values)
	q = quat.Number{Real: vectors[0][first], Imag: vectors[1][first], Jmag: vectors[2][first], Kmag: vectors[3][first]}
	q, _ = Normalize(q)
	return Canonical(q), values[first] - values[second], true
}

// Canonical returns q or −q, which are the same rotation: the one whose first
// component in the order w, x, y, z that is not zero is positive.
func Canonical(q quat.Number) quat.Number {
	for _, c := range [4]float64{q.Real, q.Imag, q.Jmag, q.Kmag} {
		if c > 0 {
			return q
		}
		if c < 0 {
			return quat.Scale(-1, q)
		}
	}
	return q
}

// Interpolate returns the pose at fraction f of the way from a to b: the
// translation on a straight line, the rotation along the shortest arc at
// constant speed (Shoemake, Animating Rotation with Quaternion Curves, 1985).
// f outside [0, 1] extrapolates. Both rotations must have unit norm.
func Interpolate(a, b Pose, f float64) Pose {
	t := r3.Add(r3.Scale(1-f, a.T), r3.Scale(f, b.T))
	rel := Canonical(quat.Mul(quat.Conj(a.R), b.R)) // w ≥ 0: at most 180°
	v := r3.Vec{X: rel.Imag, Y: rel.Jmag, Z: rel.Kmag}
	n := r3.Norm(v)
	if n == 0 {
		return Pose{R: a.R, T: t}
	}
	sin, cos := math.Sincos(f * math.Atan2(n, rel.Real))
	v = r3.Scale(sin/n, v)
	q, _ := Normalize(quat.Mul(a.R, quat.Number{Real: cos, Imag: v.X, Jmag: v.Y, Kmag: v.Z}))
	return Pose{R: q, T: t}
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// largestTwo returns the indices of the largest and the second largest value.
func largestTwo(values [4]float64) (first, second int) {
	second = 1
	if values[1] > values[0] {
		first, second = 1, 0
	}
	for i := 2; i < 4; i++ {
		switch {
		case values[i] > values[first]:
			first, second = i, first
		case values[i] > values[second]:
			second = i
		}
	}
	return first, second
}
