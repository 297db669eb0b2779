package geom

import (
	"math"

	"gonum.org/v1/gonum/num/quat"
	"gonum.org/v1/gonum/spatial/r3"
)

// Mat3 is a 3×3 matrix in row-major order: a value, several times faster at
// this size than a matrix whose size is a variable.
type Mat3 [9]float64

// Matrix returns the matrix of a rotation by the unit quaternion q.
func Matrix(q quat.Number) Mat3 {
	w, x, y, z := q.Real, q.Imag, q.Jmag, q.Kmag
	return Mat3{
		1 - 2*(y*y+z*z), 2 * (x*y - w*z), 2 * (x*z + w*y),
		2 * (x*y + w*z), 1 - 2*(x*x+z*z), 2 * (y*z - w*x),
		2 * (x*z - w*y), 2 * (y*z + w*x), 1 - 2*(x*x+y*y),
	}
}

// Rotation returns the unit quaternion of a rotation matrix. It takes the
// square root of the largest of the four components (Shepperd, Quaternion from
// rotation matrix, 1978), so no rotation is a bad case.
func (m Mat3) Rotation() quat.Number {
	var q quat.Number
	switch trace := m[0] + m[4] + m[8]; {
	case trace >= m[0] && trace >= m[4] && trace >= m[8]:
		q = quat.Number{Real: 1 + trace, Imag: m[7] - m[5], Jmag: m[2] - m[6], Kmag: m[3] - m[1]}
	case m[0] >= m[4] && m[0] >= m[8]:
		q = quat.Number{Real: m[7] - m[5], Imag: 1 + m[0] - m[4] - m[8], Jmag: m[1] + m[3], Kmag: m[2] + m[6]}
	case m[4] >= m[8]:
		q = quat.Number{Real: m[2] - m[6], Imag: m[1] + m[3], Jmag: 1 - m[0] + m[4] - m[8], Kmag: m[5] + m[7]}
	default:
		q = quat.Number{Real: m[3] - m[1], Imag: m[2] + m[6], Jmag: m[5] + m[7], Kmag: 1 - m[0] - m[4] + m[8]}
	}
	n := math.Sqrt(q.Real*q.Real + q.Imag*q.Imag + q.Jmag*q.Jmag + q.Kmag*q.Kmag)
	return quat.Scale(1/n, q)
}

// Apply returns m·x.
func (m *Mat3) Apply(x r3.Vec) r3.Vec {
	return r3.Vec{
		X: m[0]*x.X + m[1]*x.Y + m[2]*x.Z,
		Y: m[3]*x.X + m[4]*x.Y + m[5]*x.Z,
		Z: m[6]*x.X + m[7]*x.Y + m[8]*x.Z,
	}
}

// Mul returns m·n.
func (m *Mat3) Mul(n *Mat3) Mat3 {
	var p Mat3
	for i := range 3 {
		for j := range 3 {
			p[3*i+j] = m[3*i]*n[j] + m[3*i+1]*n[3+j] + m[3*i+2]*n[6+j]
		}
	}
	return p
}

// Transpose returns mᵀ.
func (m *Mat3) Transpose() Mat3 {
	return Mat3{m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]}
}

// Det returns the determinant.
func (m *Mat3) Det() float64 {
	return m[0]*(m[4]*m[8]-m[5]*m[7]) - m[1]*(m[3]*m[8]-m[5]*m[6]) + m[2]*(m[3]*m[7]-m[4]*m[6])
}

// Inverse returns m⁻¹; of a singular matrix its entries are not finite.
func (m *Mat3) Inverse() Mat3 {
	a := Mat3{
		m[4]*m[8] - m[5]*m[7], m[2]*m[7] - m[1]*m[8], m[1]*m[5] - m[2]*m[4],
		m[5]*m[6] - m[3]*m[8], m[0]*m[8] - m[2]*m[6], m[2]*m[3] - m[0]*m[5],
		m[3]*m[7] - m[4]*m[6], m[1]*m[6] - m[0]*m[7], m[0]*m[4] - m[1]*m[3],
	}
	d := 1 / (m[0]*a[0] + m[1]*a[3] + m[2]*a[6])
	for i := range a {
		a[i] *= d
	}
	return a
}

// Cross returns the matrix [v]× with [v]×·x = v × x.
func Cross(v r3.Vec) Mat3 {
	return Mat3{0, -v.Z, v.Y, v.Z, 0, -v.X, -v.Y, v.X, 0}
}

// Exp returns the rotation by |w| radians about the axis w.
func Exp(w r3.Vec) quat.Number {
	half := r3.Norm(w) / 2
	s := 0.5
	if half > 1e-8 {
		s = math.Sin(half) / (2 * half)
	}
	return quat.Number{Real: math.Cos(half), Imag: s * w.X, Jmag: s * w.Y, Kmag: s * w.Z}
}
