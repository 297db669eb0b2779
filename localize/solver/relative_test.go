package solver

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
)

// twoViews draws n points seen by two cameras, as rays, and the pose between.
func twoViews(r random, x1, x2 []r3.Vec) geom.Pose {
	p := geom.Pose{R: geom.Exp(r3.Scale(0.3, r.vec())), T: r3.Unit(r.vec())}
	for i := range x1 {
		for {
			x := r3.Scale(2+8*r.Float64(), r.ray(0.8))
			if y := p.Apply(x); y.Z > 0.1 {
				x1[i], x2[i] = r3.Unit(x), r3.Unit(y)
				break
			}
		}
	}
	return p
}

// matrixApart is how far two matrices of unit norm are, but for their sign.
func matrixApart(a, b *geom.Mat3) float64 {
	var minus, plus float64
	for i := range a {
		minus += (a[i] - b[i]) * (a[i] - b[i])
		plus += (a[i] + b[i]) * (a[i] + b[i])
	}
	return math.Sqrt(math.Min(minus, plus))
}

func unitNorm(m geom.Mat3) geom.Mat3 {
	var sum float64
	for _, v := range m {
		sum += v * v
	}
	for i := range m {
		m[i] /= math.Sqrt(sum)
	}
	return m
}

func TestFivePoint(t *testing.T) {
	r := newRandom(1)
	const n = 5000
	var errs, dets []float64
	var counts [11]int
	for range n {
		var x1, x2 [5]r3.Vec
		p := twoViews(r, x1[:], x2[:])
		want := unitNorm(Essential(p))
		var out [10]geom.Mat3
		k := FivePoint(&x1, &x2, &out)
		counts[k]++
		best := math.Inf(1)
		for i := range k {
			best = math.Min(best, matrixApart(&out[i], &want))
			dets = append(dets, math.Abs(out[i].Det()))
		}
		errs = append(errs, best)
	}
	slices.Sort(errs)
	slices.Sort(dets)
	t.Logf("solutions 0…10: %v; error median %.1e, 99 %% %.1e, 99.9 %% %.1e; determinant 99 %% %.1e",
		counts, errs[n/2], errs[n-1-n/100], errs[n-1-n/1000], dets[len(dets)*99/100])
	// A polynomial of degree ten costs digits; in one case of some hundreds, all.
	if errs[n/2] > 1e-12 || errs[n-1-n/100] > 1e-5 || dets[len(dets)*99/100] > 1e-6 {
		t.Errorf("errors too large")
	}
}

func TestSevenPoint(t *testing.T) {
	r := newRandom(1)
	const n = 5000
	var errs []float64
	for range n {
		var x1, x2 [7]r3.Vec
		p := twoViews(r, x1[:], x2[:])
		want := unitNorm(Essential(p))
		var out [3]geom.Mat3
		best := math.Inf(1)
		for i := range SevenPoint(&x1, &x2, &out) {
			best = math.Min(best, matrixApart(&out[i], &want))
			if d := out[i].Det(); math.Abs(d) > 1e-9 {
				t.Fatalf("determinant %v", d)
			}
		}
		errs = append(errs, best)
	}
	slices.Sort(errs)
	t.Logf("error median %.1e, 99 %% %.1e, largest %.1e", errs[n/2], errs[n-1-n/100], errs[n-1])
	if errs[n/2] > 1e-12 || errs[n-1-n/100] > 1e-8 {
		t.Errorf("errors too large")
	}
}

func TestDecompose(t *testing.T) {
	r := newRandom(1)
	for range 5000 {
		p := r.pose()
		p.T = r3.Unit(p.T)
		e := Essential(p)
		for i := range e {
			e[i] *= -3
		}
		var out [4]geom.Pose
		if k := Decompose(&e, &out); k != 4 || nearest(out[:], p) > 1e-10 {
			t.Fatalf("%d poses, nearest %v off", k, nearest(out[:k], p))
		}
	}
	var out [4]geom.Pose
	for _, e := range []geom.Mat3{{}, {1}, {math.NaN(), 1, 2}} {
		if k := Decompose(&e, &out); k != 0 {
			t.Errorf("%v: %d poses", e, k)
		}
	}
}

func BenchmarkFivePoint(b *testing.B) {
	r := newRandom(1)
	var x1, x2 [256][5]r3.Vec
	for i := range x1 {
		twoViews(r, x1[i][:], x2[i][:])
	}
	var out [10]geom.Mat3
	i := 0
	for b.Loop() {
		FivePoint(&x1[i%256], &x2[i%256], &out)
		i++
	}
}

func BenchmarkSevenPoint(b *testing.B) {
	r := newRandom(1)
	var x1, x2 [256][7]r3.Vec
	for i := range x1 {
		twoViews(r, x1[i][:], x2[i][:])
	}
	var out [3]geom.Mat3
	i := 0
	for b.Loop() {
		SevenPoint(&x1[i%256], &x2[i%256], &out)
		i++
	}
}
