package geom

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/num/quat"
	"gonum.org/v1/gonum/spatial/r3"
	"pgregory.net/rapid"
)

func TestMatrixIsTheRotation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPose(t, "p")
		x := drawPose(t, "x").T
		m := Matrix(p.R)
		if d := r3.Norm(r3.Sub(m.Apply(x), Rotate(p.R, x))); d > 1e-12*(1+r3.Norm(x)) {
			t.Fatalf("matrix and quaternion differ by %v", d)
		}
		if a := Angle(m.Rotation(), p.R); a > 1e-14 {
			t.Fatalf("quaternion → matrix → quaternion turned by %v", a)
		}
		inv, tr := m.Inverse(), m.Transpose()
		for i := range inv {
			if math.Abs(inv[i]-tr[i]) > 1e-14 {
				t.Fatalf("inverse %v, transpose %v", inv, tr)
			}
		}
		if one := m.Mul(&tr); math.Abs(one.Det()-1)+math.Abs(one[0]-1)+math.Abs(one[1]) > 1e-13 {
			t.Fatalf("m·mᵀ = %v", one)
		}
	})
}

// TestRotationHalfTurns goes through the branches that a random rotation
// seldom meets.
func TestRotationHalfTurns(t *testing.T) {
	for _, q := range []quat.Number{{Real: 1}, {Imag: 1}, {Jmag: 1}, {Kmag: 1}, {Imag: 0.6, Jmag: 0.8}, {Jmag: -0.6, Kmag: 0.8}} {
		m := Matrix(q)
		if a := Angle(m.Rotation(), q); !(a < 1e-15) {
			t.Errorf("%v: turned by %v", q, a)
		}
	}
}

func TestExp(t *testing.T) {
	for _, angle := range []float64{0, 1e-12, 1e-8, 3e-8, 0.1, 3} {
		w := r3.Scale(angle, r3.Vec{X: 0.6, Y: -0.8})
		q := Exp(w)
		if a := Angle(Identity().R, q); math.Abs(a-angle) > 1e-15+1e-15*angle || math.Abs(quat.Abs(q)-1) > 1e-15 {
			t.Errorf("turned by %v, want %v, |q| = %v", a, angle, quat.Abs(q))
		}
	}
	v := r3.Vec{X: 1, Y: 2, Z: 3}
	c := Cross(v)
	if x := c.Apply(r3.Vec{X: -4, Y: 0.5, Z: 2}); x != r3.Cross(v, r3.Vec{X: -4, Y: 0.5, Z: 2}) {
		t.Errorf("[v]×·x = %v", x)
	}
}
