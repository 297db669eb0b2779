package geom

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/num/quat"
	"gonum.org/v1/gonum/spatial/r3"
	"pgregory.net/rapid"
)

// about returns the rotation by angle radians about an axis.
func about(axis r3.Vec, angle float64) quat.Number {
	v := r3.Scale(math.Sin(angle/2), r3.Unit(axis))
	return quat.Number{Real: math.Cos(angle / 2), Imag: v.X, Jmag: v.Y, Kmag: v.Z}
}

func TestMeanRotation(t *testing.T) {
	z := r3.Vec{Z: 1}
	turn := func(deg float64) quat.Number { return about(z, deg*math.Pi/180) }
	tests := []struct {
		name      string
		rotations []quat.Number
		weights   []float64
		want      quat.Number
		gap       float64
	}{
		{"one", []quat.Number{turn(30)}, []float64{2}, turn(30), 1},
		{"two", []quat.Number{turn(10), turn(50)}, []float64{1, 1}, turn(30), math.Cos(20 * math.Pi / 180)},
		{"signs do not matter", []quat.Number{turn(10), quat.Scale(-1, turn(50))}, []float64{1, 1}, turn(30), math.Cos(20 * math.Pi / 180)},
		{"sum of weights below zero", []quat.Number{turn(10), turn(50)}, []float64{-1, -1}, turn(30), math.Cos(20 * math.Pi / 180)},
		{"w = 0", []quat.Number{{Kmag: -1}}, []float64{1}, quat.Number{Kmag: 1}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q, gap, ok := MeanRotation(tt.rotations, tt.weights)
			if !ok {
				t.Fatal("not ok")
			}
			if quat.Abs(quat.Sub(q, tt.want)) > 1e-14 || math.Abs(gap-tt.gap) > 1e-14 {
				t.Errorf("got %v, gap %v; want %v, gap %v", q, gap, tt.want, tt.gap)
			}
		})
	}
}

func TestMeanRotationUndetermined(t *testing.T) {
	opposite := []quat.Number{{Real: 1}, {Kmag: 1}}
	if _, gap, ok := MeanRotation(opposite, []float64{1, 1}); !ok || gap > 1e-15 {
		t.Errorf("180° apart: gap %v, ok %v; want 0, true", gap, ok)
	}
	for name, w := range map[string][]float64{"zero": {0, 0}, "cancel": {1, -1}, "NaN": {1, math.NaN()}, "infinite": {1, math.Inf(1)}} {
		if _, _, ok := MeanRotation(opposite, w); ok {
			t.Errorf("weights %s: want ok = false", name)
		}
	}
	if _, ok := MeanPose(nil, nil); ok {
		t.Error("no poses: want ok = false")
	}
	defer func() {
		if recover() == nil {
			t.Error("a weight too many: want a panic")
		}
	}()
	MeanRotation(opposite, []float64{1, 1, 1})
}

func TestNormalize(t *testing.T) {
	if q, n := Normalize(quat.Number{Real: 3, Jmag: -4}); n != 5 || quat.Abs(quat.Sub(q, quat.Number{Real: 0.6, Jmag: -0.8})) > 1e-15 {
		t.Errorf("found %v, %v", q, n)
	}
	for name, q := range map[string]quat.Number{"zero": {}, "infinite": {Real: 1, Imag: math.Inf(-1)}} {
		if got, n := Normalize(q); got != q || n != 0 && !math.IsInf(n, 1) {
			t.Errorf("%s: want it unchanged, found %v, %v", name, got, n)
		}
	}
	if got, n := Normalize(quat.Number{Real: 2, Imag: math.NaN()}); got.Real != 2 || !math.IsNaN(n) {
		t.Errorf("NaN: want it unchanged, found %v, %v", got, n)
	}
}

// drawPose draws a pose anywhere in a cube of 200 m.
func drawPose(t *rapid.T, name string) Pose {
	c := rapid.Float64Range(-1, 1)
	draw := func(part string) float64 { return c.Draw(t, name+part) }
	q, n := Normalize(quat.Number{Real: draw(".w"), Imag: draw(".x"), Jmag: draw(".y"), Kmag: draw(".z")})
	if n < 1e-3 {
		q = quat.Number{Real: 1}
	}
	return Pose{R: q, T: r3.Vec{X: 100 * draw(".tx"), Y: 100 * draw(".ty"), Z: 100 * draw(".tz")}}
}

func near(a, b Pose, tol float64) bool {
	return r3.Norm(r3.Sub(a.T, b.T)) <= tol && Angle(a.R, b.R) <= tol
}

func TestPoseProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q := drawPose(t, "p"), drawPose(t, "q")
		if e := p.Then(p.Inverse()); !near(e, Identity(), 1e-12*200) {
			t.Fatalf("inverse∘pose = %v", e)
		}
		x := drawPose(t, "x").T
		if d := r3.Norm(r3.Sub(p.Then(q).Apply(x), q.Apply(p.Apply(x)))); d > 1e-11 {
			t.Fatalf("Then and Apply differ by %g", d)
		}
		if d := r3.Norm(p.Apply(p.Center())); d > 1e-12*200 {
			t.Fatalf("the centre lies %g from the origin", d)
		}
		if d := r3.Norm(r3.Sub(FromCenter(p.R, x).Center(), x)); d > 1e-12*200 {
			t.Fatalf("a device set at a centre stands %g from it", d)
		}
		f := rapid.Float64Range(0, 1).Draw(t, "f")
		m, back := Interpolate(p, q, f), Interpolate(q, p, 1-f)
		if turn := Angle(p.R, q.R); turn < 3.1 && !near(m, back, 1e-9) {
			t.Fatalf("interpolation back differs: %v, %v", m, back)
		}
		if d := math.Abs(Angle(p.R, m.R) - f*Angle(p.R, q.R)); d > 1e-9 {
			t.Fatalf("angle is not proportional to f: off by %g", d)
		}
	})
}

// A rigid motion of the world moves the mean with it, and a pose error does
// not change.
func TestMeanPoseEquivariance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "n")
		poses, moved, weights := make([]Pose, n), make([]Pose, n), make([]float64, n)
		g := drawPose(t, "motion")
		for i := range poses {
			poses[i] = drawPose(t, "pose")
			moved[i] = poses[i].Then(g) // device → world → moved world
			weights[i] = rapid.Float64Range(0.1, 2).Draw(t, "weight")
		}
		m, ok := MeanPose(poses, weights)
		mm, ok2 := MeanPose(moved, weights)
		if !ok || !ok2 {
			t.Fatal("no mean")
		}
		if m.Gap < 1e-3 {
			return // the rotation is barely determined
		}
		if want := m.Pose.Then(g); !near(mm.Pose, want, 1e-9) {
			t.Fatalf("mean of the moved: %v, moved mean: %v", mm.Pose, want)
		}
		a, b := Error(poses[0], m.Pose), Error(g.Then(poses[0]), g.Then(m.Pose))
		if math.Abs(a.Meters-b.Meters) > 1e-9 || math.Abs(a.Degrees-b.Degrees) > 1e-7 {
			t.Fatalf("error %v, after the motion %v", a, b)
		}
	})
}

func BenchmarkMeanPose50(b *testing.B) {
	poses, weights := make([]Pose, 50), make([]float64, 50)
	for i := range poses {
		poses[i] = Pose{R: about(r3.Vec{X: 1, Y: float64(i)}, 0.01*float64(i)), T: r3.Vec{X: float64(i)}}
		weights[i] = 1
	}
	b.ReportAllocs()
	for b.Loop() {
		MeanPose(poses, weights)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "means/s")
}
