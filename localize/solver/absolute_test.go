package solver

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
)

// rigRays draws rays of a rig of cameras about half a metre apart, and points on
// them.
func rigRays(r random, p geom.Pose) (o, d, x [3]r3.Vec) {
	for i := range o {
		o[i] = r3.Scale(0.3, r.vec())
		d[i] = geom.Rotate(geom.Exp(r3.Scale(0.5*r.NormFloat64(), r3.Vec{Y: 1})), r.ray(0.7))
		x[i] = p.Inverse().Apply(r3.Add(o[i], r3.Scale(2+10*r.Float64(), d[i])))
	}
	return o, d, x
}

func TestGP3P(t *testing.T) {
	r := newRandom(1)
	const n = 10000
	errs := make([]float64, n)
	var counts [9]int
	for i := range n {
		p := r.pose()
		o, d, x := rigRays(r, p)
		var out [8]geom.Pose
		k := GP3P(&o, &d, &x, &out)
		counts[k]++
		errs[i] = nearest(out[:k], p)
		for _, q := range out[:k] {
			for j := range o {
				if e := r3.Norm(r3.Cross(r3.Sub(q.Apply(x[j]), o[j]), d[j])); e > 1e-6 {
					t.Fatalf("a point is %v m off its ray", e)
				}
			}
		}
	}
	slices.Sort(errs)
	t.Logf("solutions 0…8: %v; pose error median %.1e, 99 %% %.1e, 99.9 %% %.1e", counts, errs[n/2], errs[n*99/100], errs[n*999/1000])
	if errs[n/2] > 1e-11 || errs[n*99/100] > 1e-6 {
		t.Error("errors too large")
	}
}

func TestP4Pf(t *testing.T) {
	for _, planar := range []bool{false, true} {
		r := newRandom(1)
		const n = 10000
		errs := make([]float64, n)
		for i := range n {
			p := r.pose()
			f := 500 + 2000*r.Float64()
			var x [4]r3.Vec
			var u [4][2]float64
			normal := r3.Unit(r3.Add(r3.Vec{Z: 1}, r3.Scale(0.5, r.vec())))
			for j := range x {
				ray := r.ray(500 / f)
				y := r3.Scale(2+10*r.Float64(), ray)
				if planar {
					y = r3.Scale(8*normal.Z/r3.Dot(normal, ray), ray)
				}
				x[j] = p.Inverse().Apply(y)
				u[j] = [2]float64{f * y.X / y.Z, f * y.Y / y.Z}
			}
			var poses [8]geom.Pose
			var focals [8]float64
			errs[i] = math.Inf(1)
			for k := range P4Pf(&u, &x, &poses, &focals) {
				errs[i] = math.Min(errs[i], apart(poses[k], p)+math.Abs(focals[k]/f-1))
			}
		}
		slices.Sort(errs)
		t.Logf("planar %v: error median %.1e, 95 %% %.1e, 99 %% %.1e", planar, errs[n/2], errs[n*95/100], errs[n*99/100])
		if errs[n/2] > 1e-9 || errs[n*95/100] > 1e-4 {
			t.Error("errors too large")
		}
	}
}

func TestAbsoluteDegenerate(t *testing.T) {
	var poses [8]geom.Pose
	var focals [8]float64
	same := r3.Vec{X: 1, Y: 2, Z: 3}
	if n := P4Pf(&[4][2]float64{{1, 2}, {3, 4}, {5, 6}, {7, 9}}, &[4]r3.Vec{same, same, same, same}, &poses, &focals); n != 0 {
		t.Errorf("P4Pf of one point: %d poses", n)
	}
	if n := P4Pf(&[4][2]float64{{math.NaN(), 2}, {3, 4}, {5, 6}, {7, 9}}, &[4]r3.Vec{{X: 1}, {Y: 1}, {Z: 1}, {}}, &poses, &focals); n != 0 {
		t.Errorf("P4Pf of a pixel that is no number: %d poses", n)
	}
	if n := GP3P(&[3]r3.Vec{}, &[3]r3.Vec{{Z: 1}, {Z: 1}, {Z: 1}}, &[3]r3.Vec{same, same, same}, &poses); n != 0 {
		t.Errorf("GP3P of one point: %d poses", n)
	}
}

func BenchmarkGP3P(b *testing.B) {
	r := newRandom(1)
	o, d, x := rigRays(r, r.pose())
	var out [8]geom.Pose
	for b.Loop() {
		GP3P(&o, &d, &x, &out)
	}
}
