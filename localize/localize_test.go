package localize

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/num/quat"
	"gonum.org/v1/gonum/spatial/r3"
	"pgregory.net/rapid"

	"locbench/kapture"
	"locbench/kapture/geom"
)

// randomQuery makes k neighbours within a metre and a few degrees of each
// other, with descriptors of n numbers around the query's.
func randomQuery(rng *rand.Rand, k, n int) Query {
	q := Query{Name: "query", Descriptor: randomUnit(rng, n, nil)}
	for i := range k {
		d := randomUnit(rng, n, q.Descriptor)
		score := 0.0
		for j, x := range d {
			score += float64(x) * float64(q.Descriptor[j])
		}
		q.Neighbors = append(q.Neighbors, Neighbor{Name: "n" + string(rune('a'+i%26)), Pose: randomPose(rng, 0.1), Score: score, Descriptor: d})
	}
	return q
}

// randomUnit returns a random unit vector near base, if there is one.
func randomUnit(rng *rand.Rand, n int, base []float32) []float32 {
	d, sum := make([]float64, n), 0.0
	for i := range d {
		d[i] = rng.NormFloat64() / math.Sqrt(float64(n))
		if base != nil {
			d[i] = float64(base[i]) + 0.5*d[i]
		}
		sum += d[i] * d[i]
	}
	unit := make([]float32, n)
	for i := range d {
		unit[i] = float32(d[i] / math.Sqrt(sum))
	}
	return unit
}

func randomPose(rng *rand.Rand, turn float64) geom.Pose {
	r := func() float64 { return turn * rng.NormFloat64() }
	q, _ := geom.Normalize(quat.Number{Real: 1, Imag: r(), Jmag: r(), Kmag: r()})
	return geom.Pose{R: q, T: r3.Vec{X: rng.NormFloat64(), Y: rng.NormFloat64(), Z: rng.NormFloat64()}}
}

var methods = map[string]Localizer{"EWB": EWB{}, "BDI": BDI{}, "CSI": CSI{Alpha: 8}}

// A rigid motion of the world moves the estimate with it; the order of the
// neighbours changes nothing.
func TestInvariance(t *testing.T) {
	for name, l := range methods {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
				q := randomQuery(rng, rapid.IntRange(1, 8).Draw(t, "k"), 16)
				a := localize(t, l, q)
				motion := randomPose(rng, 1)
				moved := Query{Descriptor: q.Descriptor, Neighbors: append([]Neighbor(nil), q.Neighbors...)}
				for i := range moved.Neighbors {
					moved.Neighbors[i].Pose = motion.Then(moved.Neighbors[i].Pose)
				}
				rng.Shuffle(len(moved.Neighbors), func(i, j int) {
					moved.Neighbors[i], moved.Neighbors[j] = moved.Neighbors[j], moved.Neighbors[i]
				})
				b := localize(t, l, moved)
				if e := geom.Error(b.Pose, motion.Then(a.Pose)); e.Meters > 1e-7 || e.Degrees > 1e-6 {
					t.Fatalf("the estimate did not move with the world: %v", e)
				}
			})
		})
	}
}

func localize(t interface{ Fatal(...any) }, l Localizer, q Query) Result {
	r, err := l.Localize(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	if !r.OK {
		t.Fatal(r.Why)
	}
	return r
}

// TestSignOfRotation wants one of the two quaternions of a rotation, the same
// on every machine.
func TestSignOfRotation(t *testing.T) {
	for _, sign := range []float64{1, -1} {
		half := geom.Pose{R: quat.Number{Jmag: sign}} // 180° about y: w is 0 and does not tell
		if r := localize(t, EWB{}, Query{Neighbors: []Neighbor{{Pose: half}}}); r.Pose.R != (quat.Number{Jmag: 1}) {
			t.Errorf("want a positive y, found %v", r.Pose.R)
		}
	}
}

func TestBDIWeights(t *testing.T) {
	neighbors := func(ds ...[]float32) []Neighbor {
		var n []Neighbor
		for _, d := range ds {
			n = append(n, Neighbor{Pose: geom.Identity(), Descriptor: d})
		}
		return n
	}
	tests := []struct {
		name  string
		query []float32
		ds    [][]float32
		want  []float64
	}{
		{"the query itself", []float32{1, 0, 0}, [][]float32{{1, 0, 0}, {0, 1, 0}}, []float64{1, 0}},
		{"between two", []float32{0.5, 0.5, 0}, [][]float32{{1, 0, 0}, {0, 1, 0}}, []float64{0.5, 0.5}},
		{"beyond: a negative weight", []float32{2, 0}, [][]float32{{1, 0}, {0, 0}}, []float64{2, -1}},
		{"all coincide", []float32{1, 0}, [][]float32{{0, 1}, {0, 1}, {0, 1}, {0, 1}}, []float64{.25, .25, .25, .25}},
		{"two of three coincide", []float32{0.5, 0.5}, [][]float32{{1, 0}, {0, 1}, {0, 1}}, []float64{0.5, 0.25, 0.25}},
		// On a line x = 0, 1, 2 with the query at 2: v is least for -1/6, 1/3, 5/6.
		{"collinear", []float32{2, 0}, [][]float32{{0, 0}, {1, 0}, {2, 0}}, []float64{1./3 - 0.5, 1. / 3, 1./3 + 0.5}},
		{"differ by rounding only", []float32{1, 0}, [][]float32{{1, 0}, {1, 1e-7}}, []float64{0.5, 0.5}},
		{"more than dimensions", []float32{0}, [][]float32{{-1}, {0}, {1}}, []float64{1. / 3, 1. / 3, 1. / 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := localize(t, BDI{}, Query{Descriptor: tt.query, Neighbors: neighbors(tt.ds...)})
			for i, w := range r.Weights {
				if math.Abs(w-tt.want[i]) > 1e-6 {
					t.Fatalf("weights %v, want %v", r.Weights, tt.want)
				}
			}
		})
	}
}

// The weights sum to 1, no other weights with that sum do better, and the
// residual is orthogonal to every difference of two descriptors.
func TestBDIOptimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2))
		q := randomQuery(rng, rapid.IntRange(2, 12).Draw(t, "k"), 8)
		if rapid.Bool().Draw(t, "coincide") {
			q.Neighbors[1].Descriptor = q.Neighbors[0].Descriptor
		}
		w := localize(t, BDI{}, q).Weights
		sum, residual := 0.0, make([]float64, len(q.Descriptor))
		for i, x := range q.Descriptor {
			residual[i] = float64(x)
		}
		for j, n := range q.Neighbors {
			sum += w[j]
			for i, x := range n.Descriptor {
				residual[i] -= w[j] * float64(x)
			}
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Fatalf("the weights sum to %v", sum)
		}
		for _, n := range q.Neighbors[1:] {
			dot := 0.0
			for i, x := range n.Descriptor {
				dot += residual[i] * (float64(x) - float64(q.Neighbors[0].Descriptor[i]))
			}
			if math.Abs(dot) > 1e-9 {
				t.Fatalf("not optimal: gradient %g", dot)
			}
		}
	})
}

func TestCSIWeights(t *testing.T) {
	tests := []struct {
		name   string
		alpha  float64
		scores []float64
		want   []float64
	}{
		{"alpha 1", 1, []float64{0.6, 0.2}, []float64{0.75, 0.25}},
		{"alpha 2", 2, []float64{0.9, 0.3}, []float64{0.9, 0.1}},
		{"alpha 0 is EWB", 0, []float64{0.9, -0.3}, []float64{0.5, 0.5}},
		{"a negative similarity weighs nothing", 8, []float64{0.5, -0.5}, []float64{1, 0}},
		{"a huge alpha does not underflow", 1e6, []float64{0.1, 0.1, 0.01}, []float64{0.5, 0.5, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q := Query{}
			for _, s := range tt.scores {
				q.Neighbors = append(q.Neighbors, Neighbor{Pose: geom.Identity(), Score: s})
			}
			for i, w := range localize(t, CSI{Alpha: tt.alpha}, q).Weights {
				if math.Abs(w-tt.want[i]) > 1e-12 {
					t.Errorf("weight %d is %v, want %v", i, w, tt.want[i])
				}
			}
		})
	}
}

func TestNotLocalized(t *testing.T) {
	at := func(q quat.Number) Neighbor { return Neighbor{Pose: geom.Pose{R: q}, Score: -0.1} }
	tests := []struct {
		name string
		l    Localizer
		q    Query
		why  string
	}{
		{"no neighbours", EWB{}, Query{}, "no retrieved image"},
		{"no positive score", CSI{Alpha: 8}, Query{Neighbors: []Neighbor{at(quat.Number{Real: 1})}}, "no retrieved image has a positive similarity"},
		{"rotations cancel", EWB{}, Query{Neighbors: []Neighbor{at(quat.Number{Real: 1}), at(quat.Number{Imag: 1})}}, "rotations have no mean"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := tt.l.Localize(context.Background(), tt.q)
			if err != nil || r.OK || !strings.Contains(r.Why, tt.why) {
				t.Errorf("got %+v, %v; want why %q", r, err, tt.why)
			}
		})
	}
}

func TestBrokenInput(t *testing.T) {
	nan := float32(math.NaN())
	ok := geom.Identity()
	tests := []struct {
		name string
		l    Localizer
		q    Query
		msg  string
	}{
		{"pose not unit", EWB{}, Query{Neighbors: []Neighbor{{Name: "a.jpg"}}}, "a.jpg: want a pose of finite numbers"},
		{"pose NaN", EWB{}, Query{Neighbors: []Neighbor{{Name: "a.jpg", Pose: geom.Pose{R: ok.R, T: r3.Vec{X: math.NaN()}}}}}, "a.jpg: want a pose of finite numbers"},
		{"score NaN", CSI{Alpha: 8}, Query{Neighbors: []Neighbor{{Name: "a.jpg", Pose: ok, Score: math.NaN()}}}, "a.jpg: want a finite score"},
		{"no descriptor", BDI{}, Query{Name: "q.jpg", Neighbors: []Neighbor{{Pose: ok}, {Pose: ok}}}, "q.jpg: want a descriptor"},
		{"lengths differ", BDI{}, Query{Descriptor: []float32{1, 0}, Neighbors: []Neighbor{{Pose: ok, Descriptor: []float32{1, 0}}, {Name: "b.jpg", Pose: ok, Descriptor: []float32{1}}}}, "b.jpg: want a descriptor of 2 numbers"},
		{"descriptor NaN", BDI{}, Query{Descriptor: []float32{1}, Neighbors: []Neighbor{{Name: "a.jpg", Pose: ok, Descriptor: []float32{nan}}, {Pose: ok, Descriptor: []float32{1}}}}, "a.jpg: want a descriptor of finite"},
		{"descriptor of the query NaN", BDI{}, Query{Name: "q.jpg", Descriptor: []float32{nan}, Neighbors: []Neighbor{{Pose: ok, Descriptor: []float32{2}}, {Pose: ok, Descriptor: []float32{1}}}}, "q.jpg: want a descriptor of finite"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.l.Localize(context.Background(), tt.q)
			if e, ok := errors.AsType[*kapture.InputError](err); !ok || !strings.Contains(e.Error(), tt.msg) {
				t.Errorf("got %v, want %q", err, tt.msg)
			}
		})
	}
	if _, err := (CSI{Alpha: -1}).Localize(context.Background(), Query{Neighbors: []Neighbor{{Pose: ok}}}); err == nil {
		t.Error("alpha -1: want an error")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := (EWB{}).Localize(ctx, Query{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func BenchmarkTop50(b *testing.B) {
	q := randomQuery(rand.New(rand.NewPCG(1, 1)), 50, 2048)
	for _, name := range []string{"EWB", "BDI", "CSI"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := methods[name].Localize(context.Background(), q); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "queries/s")
		})
	}
}
