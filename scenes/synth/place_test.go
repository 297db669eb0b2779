package synth

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/num/quat"
	"gonum.org/v1/gonum/spatial/r2"
	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
)

func newTestPlan(t *testing.T, o Options) *plan {
	t.Helper()
	p, err := newPlan(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestVisibility casts a ray towards every spot that the detector took:
// the first thing that it meets is the spot's own surface.
func TestVisibility(t *testing.T) {
	p := newTestPlan(t, small)
	n := 0
	for _, q := range p.all() {
		eye := q.pose.Center()
		for _, id := range p.detect(q, 100, 1).ids {
			if id < 0 {
				continue
			}
			m := &p.spots.all[id]
			r := newRay(eye, r3.Sub(m.at, eye))
			h := castFigures(q.extra, &r, p.town.grid.cast(&r, math.Inf(1)))
			if gap := math.Abs(h.t-1) * norm(r.d); gap > 0.1 {
				t.Errorf("%s: spot %d at %v is %.2f m from the first surface", q.name, id, m.at, gap)
			}
			n++
		}
	}
	if n < 3000 {
		t.Errorf("%d spots seen in %d pictures", n, len(p.all()))
	}
}

func TestCastFindsWhatBruteForceFinds(t *testing.T) {
	town := newTown(4, 300)
	r := generator(4, "rays", 0)
	for range 5000 {
		o := r3.Vec{X: between(r, -20, town.width+20), Y: between(r, -20, town.depth+20), Z: between(r, 0.2, 25)}
		ray := newRay(o, r3.Vec{X: r.NormFloat64(), Y: r.NormFloat64(), Z: 0.4 * r.NormFloat64()})
		want := hit{t: math.Inf(1)}
		if ray.d.Z < 0 {
			want.t = -o.Z / ray.d.Z
		}
		for i := range town.grid.solids {
			s := &town.grid.solids[i]
			if d, face, ok := s.meet(&ray, want.t); ok {
				want = hit{t: d, solid: s, face: face}
			}
		}
		got := town.grid.cast(&ray, math.Inf(1))
		if got.solid != want.solid || math.Abs(got.t-want.t) > 1e-9*want.t {
			t.Fatalf("ray %v: %v, want %v", ray, got, want)
		}
		if want.solid == nil {
			continue
		}
		// Seen from outside, a surface faces the eye.
		if n := want.solid.normal(ray.at(want.t), want.face); r3.Dot(n, ray.d) > 1e-9 || math.Abs(norm(n)-1) > 1e-9 {
			t.Fatalf("ray %v meets face %d of a %v with normal %v", ray, want.face, want.solid.shape, n)
		}
	}
}

func TestTownGrows(t *testing.T) {
	last := 0.0
	for _, images := range []int{2, 40, 300, 3000} {
		town := newTown(1, metresPerPose*float64(images/2))
		if town.roads.length < last || town.roads.length < metresPerPose*float64(images/2) {
			t.Errorf("%d images: %.0f m of streets, before %.0f m", images, town.roads.length, last)
		}
		last = town.roads.length
		for i, a := range town.drive(images / 2) {
			c := a.Center()
			if d, plaza := town.inset(c.X, c.Y); !plaza && d < 1 {
				t.Errorf("%d images: stop %d at (%.1f, %.1f) is %.1f m from a house", images, i, c.X, c.Y, d)
			}
		}
	}
}

func TestRoadsConnect(t *testing.T) {
	town := newTown(2, 1000)
	reached := map[int]bool{0: true}
	for grown := true; grown; {
		grown = false
		for _, e := range town.roads.edges {
			if reached[e[0]] != reached[e[1]] {
				reached[e[0]], reached[e[1]], grown = true, true, true
			}
		}
	}
	if len(reached) != len(town.roads.nodes) {
		t.Errorf("%d of %d crossings can be reached", len(reached), len(town.roads.nodes))
	}
	length := 0.0
	path := town.roads.tour(generator(2, "tour", 0), town.roads.length)
	for i := 1; i < len(path); i++ {
		length += r2.Norm(r2.Sub(path[i], path[i-1]))
	}
	if length < town.roads.length {
		t.Errorf("tour of %.0f m, want %.0f m", length, town.roads.length)
	}
}

func TestQueriesShareTheMapping(t *testing.T) {
	p := newTestPlan(t, small)
	good, bad := 0, 0
	for i := range p.queries {
		q := &p.queries[i]
		switch o := p.overlap(q.lens, q.pose); {
		case o >= minOverlap:
			good++
		case o < 0.2:
			bad++
		}
		for j := range p.mapping {
			if e := geom.Error(q.pose, p.mapping[j].pose); e.Meters < 0.05 && e.Degrees < 0.5 {
				t.Errorf("query %d stands where mapping image %d was taken: %v", i, j, e)
			}
		}
	}
	if good < len(p.queries)*8/10 || bad > 0 {
		t.Errorf("%d of %d queries share %v of their view, %d less than 0.2", good, len(p.queries), minOverlap, bad)
	}
}

func TestRig(t *testing.T) {
	p := newTestPlan(t, tiny)
	left, right := p.mapping[0].pose, p.mapping[1].pose
	if d := geom.Error(left, right); math.Abs(d.Meters-rigBaseline) > 1e-9 || d.Degrees < 70 || d.Degrees > 77 {
		t.Errorf("the two cameras of a stop are %v apart", d)
	}
	forward := geom.Rotate(quat.Conj(p.stops[0].R), r3.Vec{Z: 1})
	down := geom.Rotate(quat.Conj(left.R), r3.Vec{Y: 1})
	toLeft := r3.Sub(left.Center(), right.Center())
	if r3.Cross(forward, toLeft).Z < 0.4 || down.Z > -0.9 || math.Abs(forward.Z) > 0.05 {
		t.Errorf("forward %v, left camera's down %v, from right to left %v", forward, down, toLeft)
	}
}

// TestAttitude checks the axes: heading 0 looks along +x, and pitch up.
func TestAttitude(t *testing.T) {
	tests := []struct {
		heading, pitch float64
		forward        r3.Vec
	}{
		{0, 0, r3.Vec{X: 1}},
		{math.Pi / 2, 0, r3.Vec{Y: 1}},
		{0, math.Pi / 4, r3.Vec{X: math.Sqrt2 / 2, Z: math.Sqrt2 / 2}},
	}
	for _, tt := range tests {
		f := geom.Rotate(quat.Conj(attitude(tt.heading, tt.pitch, 0)), r3.Vec{Z: 1})
		if norm(r3.Sub(f, tt.forward)) > 1e-12 {
			t.Errorf("heading %v, pitch %v: forward %v, want %v", tt.heading, tt.pitch, f, tt.forward)
		}
	}
}

func TestDayAndNightDiffer(t *testing.T) {
	p := newTestPlan(t, small)
	var mean, warm, grain [parts]float64
	var count [parts]int
	for _, q := range p.all() {
		if q.part == partMapping && q.index > 8 {
			continue
		}
		img := p.town.render(&q.view).develop(q.photo, q.rand(1, "develop"))
		var sum [3]float64
		rough := 0.0
		for i := 4; i < len(img.Pix); i += 4 {
			for c := range 3 {
				sum[c] += float64(img.Pix[i+c])
			}
			rough += math.Abs(float64(img.Pix[i+1]) - float64(img.Pix[i-3]))
		}
		n := float64(len(img.Pix) / 4)
		mean[q.part] += sum[1] / n
		warm[q.part] += sum[0] / (sum[2] + 1)
		grain[q.part] += rough / sum[1]
		count[q.part]++
	}
	for i := range parts {
		k := float64(count[i])
		mean[i], warm[i], grain[i] = mean[i]/k, warm[i]/k, grain[i]/k
	}
	t.Logf("mean level %.0f, red over blue %.2f, relative roughness %.3f (mapping, day, night)", mean, warm, grain)
	if mean[partNight] > 0.6*mean[partDay] || mean[partDay] < 60 || mean[partNight] < 15 {
		t.Errorf("mean levels %.0f (mapping, day, night)", mean)
	}
	if warm[partNight] < 1.05*warm[partDay] {
		t.Errorf("red over blue %.2f (mapping, day, night)", warm)
	}
	if grain[partNight] < grain[partDay] {
		t.Errorf("roughness %.3f (mapping, day, night)", grain)
	}
}
