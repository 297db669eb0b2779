package loss

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"locbench/kapture/kapturetest"
	"locbench/retrieval/train/trainset"
)

type apModule struct {
	Bins       int     `json:"nq"`
	Min        float64 `json:"min"`
	Max        float64 `json:"max"`
	Simplified *bool   `json:"simplified"`
	Distance   bool    `json:"dist"`
}

func (m apModule) ap() AP {
	ap := AP{Bins: m.Bins, Min: m.Min, Max: m.Max, Distance: m.Distance}
	if m.Simplified != nil {
		ap.Form = TieAware
		if *m.Simplified {
			ap.Form = Simplified
		}
	}
	return ap
}

type apInput struct {
	X     [][]float64 `json:"x"`
	Label [][]int     `json:"label"`
}

func kinds(label []int) []int8 {
	out := make([]int8, len(label))
	for j, y := range label {
		if y == 1 {
			out[j] = match
		}
	}
	return out
}

// goldenModules are the settings of the reference, by name.
func goldenModules(t *testing.T) (map[string]apModule, map[string]apInput, json.RawMessage) {
	var file struct {
		Inputs  map[string]apInput  `json:"inputs"`
		Modules map[string]apModule `json:"modules"`
		Cases   json.RawMessage     `json:"cases"`
	}
	kapturetest.SharedJSON(t, &file, "golden", "losses", "ap_losses.json")
	return file.Modules, file.Inputs, file.Cases
}

func TestAPGolden(t *testing.T) {
	modules, inputs, raw := goldenModules(t)
	var cases []struct {
		Loss  string      `json:"loss"`
		Input string      `json:"input"`
		QW    []float64   `json:"qw"`
		Value float64     `json:"value"`
		AP    []float64   `json:"AP_per_row"`
		Grad  [][]float64 `json:"grad_x"`
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) != 92 {
		t.Fatalf("%d cases, want 92", len(cases))
	}
	for _, c := range cases {
		r := newRanker(modules[c.Loss].ap())
		in := inputs[c.Input]
		n := float64(len(in.X))
		var sum float64
		for i, x := range in.X {
			grad := make([]float64, len(x))
			ap := r.rank(x, kinds(in.Label[i]), grad)
			w := 1.0
			if c.QW != nil {
				w = c.QW[i]
			}
			sum += w * ap
			if math.Abs(ap-c.AP[i]) > 1e-12 {
				t.Fatalf("%s on %s, row %d: AP %.15g, want %.15g", c.Loss, c.Input, i, ap, c.AP[i])
			}
			for j, g := range grad {
				if got := -g * w / n; math.Abs(got-c.Grad[i][j]) > 1e-10 {
					t.Fatalf("%s on %s, row %d, image %d: gradient %.12g, want %.12g", c.Loss, c.Input, i, j, got, c.Grad[i][j])
				}
			}
		}
		if got := 1 - sum/n; math.Abs(got-c.Value) > 1e-12 {
			t.Errorf("%s on %s: loss %.15g, want %.15g", c.Loss, c.Input, got, c.Value)
		}
	}
}

// TestAPEdgeCases has similarities at the centres of bins and beyond them, ties,
// and rows without a positive.
func TestAPEdgeCases(t *testing.T) {
	modules, _, _ := goldenModules(t)
	var cases []struct {
		Name string `json:"name"`
		Loss string `json:"loss"`
		apInput
		AP []*float64 `json:"AP_per_row"`
	}
	kapturetest.SharedJSON(t, &cases, "golden", "losses", "ap_losses_edge_cases.json")
	for _, c := range cases {
		r := newRanker(modules[c.Loss].ap())
		for i, x := range c.X {
			grad := make([]float64, len(x))
			ap := r.rank(x, kinds(c.Label[i]), grad)
			if want := c.AP[i]; want == nil != math.IsNaN(ap) || want != nil && math.Abs(ap-*want) > 1e-12 {
				t.Errorf("%s, %s, row %d: AP %v, want %v", c.Name, c.Loss, i, ap, want)
			}
		}
	}
}

func TestTripletGolden(t *testing.T) {
	var cases []map[string]json.RawMessage
	kapturetest.SharedJSON(t, &cases, "golden", "losses", "triplet_losses.json")
	settings := map[string]Triplet{
		"TripletMarginLoss(margin=0.1)":           {Margin: 0.1},
		"TripletMarginLoss(margin=0.1,swap=True)": {Margin: 0.1, Swap: true},
		"TripletMarginLoss()":                     {Margin: 1},
		"TripletLogExpLoss()":                     {LogExp: true},
		"TripletLogExpLoss(swap=True)":            {LogExp: true, Swap: true},
	}
	held := 0
	for _, c := range cases {
		var name string
		if _ = json.Unmarshal(c["loss"], &name); name == "" {
			continue // eval_func, which is no loss
		}
		loss, known := settings[name]
		if !known {
			t.Errorf("no settings for %s", name)
			continue
		}
		held++
		holdTriplet(t, name, loss, c)
	}
	if held != 10 {
		t.Errorf("%d cases held, want 10", held)
	}
}

func holdTriplet(t *testing.T, name string, loss Triplet, c map[string]json.RawMessage) {
	rows := func(key string) (out [][]float64) {
		if err := json.Unmarshal(c[key], &out); err != nil {
			t.Fatalf("%s: %s: %v", name, key, err)
		}
		return out
	}
	a, p, n := rows("anchor"), rows("positive"), rows("negative")
	want := [3][][]float64{rows("grad_anchor"), rows("grad_positive"), rows("grad_negative")}
	var value, sum float64
	_ = json.Unmarshal(c["value"], &value)
	for i := range a {
		dim := len(a[i])
		g := tripletGrad{make([]float64, dim), make([]float64, dim), make([]float64, dim)}
		sum += addTriplet(loss, newTriplet(dim), [3][]float64{a[i], p[i], n[i]}, 1/float64(len(a)), g)
		for k, got := range [3][]float64{g.anchor, g.positive, g.negative} {
			for d := range dim {
				if math.Abs(got[d]-want[k][i][d]) > 1e-10 {
					t.Fatalf("%s, row %d: gradient %d at %d is %.9g, want %.9g", name, i, k, d, got[d], want[k][i][d])
				}
			}
		}
	}
	if got := sum / float64(len(a)); math.Abs(got-value) > 1e-12 {
		t.Errorf("%s: %.15g, want %.15g", name, got, value)
	}
}

// TestEndToEnd goes from descriptors of any length to their gradient, without
// the pairs of an image and itself.
func TestEndToEnd(t *testing.T) {
	modules, _, _ := goldenModules(t)
	var cases []struct {
		Loss        string      `json:"loss"`
		Diagonal    bool        `json:"diagonal_included"`
		Descriptors [][]float64 `json:"descriptors"`
		Classes     []int       `json:"classes"`
		Value       float64     `json:"value"`
		Grad        [][]float64 `json:"grad_descriptors"`
	}
	kapturetest.SharedJSON(t, &cases, "golden", "losses", "end_to_end.json")
	held := 0
	for _, c := range cases {
		if c.Diagonal {
			continue
		}
		held++
		s, err := newSimilarities(1)
		if err != nil {
			t.Fatal(err)
		}
		dim := len(c.Descriptors[0])
		b := &Batch{Dim: dim, Relation: func(i, j int) trainset.Relation {
			if c.Classes[i] == c.Classes[j] {
				return trainset.Positive
			}
			return trainset.Negative
		}}
		for _, x := range c.Descriptors {
			for _, v := range x {
				b.Descriptors = append(b.Descriptors, float32(v/norm(x)))
			}
		}
		grad := make([]float32, len(b.Descriptors))
		v, err := (&apLoss{modules[c.Loss].ap(), s}).Of(context.Background(), b, grad)
		if err != nil || math.Abs(v.Loss-c.Value) > 1e-6 {
			t.Errorf("%s: %.9g, %v, want %.9g", c.Loss, v.Loss, err, c.Value)
		}
		for i, x := range c.Descriptors {
			g, unit := grad[i*dim:][:dim], b.Descriptors[i*dim:][:dim]
			var along float64
			for d := range g {
				along += float64(g[d]) * float64(unit[d])
			}
			for d := range g {
				got := (float64(g[d]) - along*float64(unit[d])) / norm(x)
				if math.Abs(got-c.Grad[i][d]) > 2e-6 {
					t.Errorf("%s: gradient of descriptor %d at %d is %.9g, want %.9g", c.Loss, i, d, got, c.Grad[i][d])
				}
			}
		}
	}
	if held != 4 {
		t.Errorf("%d cases held, want 4", held)
	}
}

func norm(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v * v
	}
	return math.Sqrt(sum)
}

// randomBatch returns n descriptors of unit length, near to the centres of
// their classes, and what they are to each other.
func randomBatch(n, dim, perClass int, seed uint64) *Batch {
	rng := rand.New(rand.NewPCG(seed, 7))
	b := &Batch{Dim: dim, Descriptors: make([]float32, n*dim)}
	centre := make([]float64, dim)
	for i := range n {
		if i%perClass == 0 {
			for d := range centre {
				centre[d] = rng.NormFloat64()
			}
		}
		row := b.Descriptors[i*dim:][:dim]
		var sum float64
		for d := range row {
			row[d] = float32(centre[d] + 1.2*rng.NormFloat64())
			sum += float64(row[d]) * float64(row[d])
		}
		for d := range row {
			row[d] /= float32(math.Sqrt(sum))
		}
	}
	b.Relation = func(i, j int) trainset.Relation {
		switch {
		case i/perClass == j/perClass:
			return trainset.Positive
		case (i+j)%17 == 0:
			return trainset.Ignored
		}
		return trainset.Negative
	}
	return b
}

// whole is the loss of a batch from the whole matrix of similarities, in float64.
func whole(ap AP, b *Batch) (loss float64, grad []float64) {
	n, dim := b.Len(), b.Dim
	grad = make([]float64, n*dim)
	terms := 0.0
	s, kinds, g := make([]float64, n), make([]int8, n), make([]float64, n)
	for i := range n {
		xi := b.Descriptors[i*dim:][:dim]
		for j := range n {
			s[j] = 0
			for d, v := range b.Descriptors[j*dim:][:dim] {
				s[j] += float64(v) * float64(xi[d])
			}
			if kinds[j] = kindOf(b.Relation(i, j)); i == j {
				kinds[j] = skipped
			}
		}
		v := newRanker(ap).rank(s, kinds, g)
		if math.IsNaN(v) {
			continue
		}
		w := 1.0
		if b.Weights != nil {
			w = b.Weights[i]
		}
		loss += 1 - w*v
		terms++
		for j := range n {
			for d := range dim {
				grad[i*dim+d] -= w * g[j] * float64(b.Descriptors[j*dim+d])
				grad[j*dim+d] -= w * g[j] * float64(xi[d])
			}
		}
	}
	for i := range grad {
		grad[i] /= terms
	}
	return loss / terms, grad
}

// TestBlocks holds the blocked loss against the whole matrix.
func TestBlocks(t *testing.T) {
	for _, name := range []string{NameAP, NameTieAware, NameSimplified} {
		for _, n := range []int{3, 70, 600} {
			o := DefaultOptions()
			o.Name = name
			l, err := New(o, 2)
			if err != nil {
				t.Fatal(err)
			}
			b := randomBatch(n, 19, 5, 3)
			if n == 70 {
				b.Weights = make([]float64, n)
				for i := range b.Weights {
					b.Weights[i] = 0.5 + float64(i%3)
				}
			}
			grad := make([]float32, len(b.Descriptors))
			v, err := l.Of(context.Background(), b, grad)
			if err != nil {
				t.Fatal(err)
			}
			loss, want := whole(l.(*apLoss).ap, b)
			if math.Abs(v.Loss-loss) > 1e-6 {
				t.Errorf("%s of %d: %.9g, want %.9g", name, n, v.Loss, loss)
			}
			var off, size float64
			for i, g := range grad {
				off = max(off, math.Abs(float64(g)-want[i]))
				size = max(size, math.Abs(want[i]))
			}
			if off > 1e-4*size+1e-9 {
				t.Errorf("%s of %d: gradient is off by %.2g of %.2g", name, n, off, size)
			}
		}
	}
}

// TestDifferences holds gradients against central differences of the loss.
func TestDifferences(t *testing.T) {
	for _, name := range Names() {
		o := DefaultOptions()
		// Steps are long, for descriptors are float32, and a soft histogram has
		// kinks: few bins keep them apart.
		o.Name, o.Bins, o.Margin = name, 3, 1
		l, err := New(o, 2)
		if err != nil {
			t.Fatal(err)
		}
		b := randomBatch(40, 12, 4, 5)
		grad := make([]float32, len(b.Descriptors))
		none := make([]float32, len(grad))
		if _, err := l.Of(context.Background(), b, grad); err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(1, 2))
		off := 0
		for range 60 {
			i := rng.IntN(len(grad))
			at := func(step float32) float64 {
				old := b.Descriptors[i]
				b.Descriptors[i] = old + step
				v, _ := l.Of(context.Background(), b, none)
				b.Descriptors[i] = old
				return v.Loss
			}
			const step = 1.0 / 512
			slope := (at(step) - at(-step)) / (2 * step)
			if math.Abs(slope-float64(grad[i])) > 2e-2*math.Abs(slope)+2e-4 {
				off++
			}
		}
		if off > 6 { // steps across a kink
			t.Errorf("%s: %d of 60 central differences do not fit the gradient", name, off)
		}
	}
}

// TestJobs: value and gradient have the same bytes for any number of workers.
func TestJobs(t *testing.T) {
	for _, name := range Names() {
		o := DefaultOptions()
		o.Name = name
		b := randomBatch(700, 33, 6, 9)
		var first []float32
		for _, jobs := range []int{1, 2, 7} {
			l, err := New(o, jobs)
			if err != nil {
				t.Fatal(err)
			}
			grad := make([]float32, len(b.Descriptors))
			if _, err := l.Of(context.Background(), b, grad); err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = grad
			} else if !slices.Equal(first, grad) {
				t.Errorf("%s: %d jobs give another gradient", name, jobs)
			}
		}
	}
}

// TestDescent: following the gradient makes the loss small.
func TestDescent(t *testing.T) {
	for _, name := range Names() {
		o := DefaultOptions()
		o.Name = name
		l, err := New(o, 2)
		if err != nil {
			t.Fatal(err)
		}
		b := randomBatch(60, 16, 4, 11)
		grad := make([]float32, len(b.Descriptors))
		var first, last float64
		for step := range 200 {
			v, err := l.Of(context.Background(), b, grad)
			if err != nil {
				t.Fatal(err)
			}
			if step == 0 {
				first = v.Loss
			}
			last = v.Loss
			for i := range b.Len() {
				row := b.Descriptors[i*b.Dim:][:b.Dim]
				var sum float64
				for d := range row {
					row[d] -= 2 * grad[i*b.Dim+d]
					sum += float64(row[d]) * float64(row[d])
				}
				for d := range row {
					row[d] /= float32(math.Sqrt(sum))
				}
			}
		}
		if last > 0.7*first {
			t.Errorf("%s: 200 steps brought the loss from %.3g to %.3g only", name, first, last)
		}
	}
}

func TestNotFinite(t *testing.T) {
	for _, name := range Names() {
		o := DefaultOptions()
		o.Name = name
		l, err := New(o, 1)
		if err != nil {
			t.Fatal(err)
		}
		b := randomBatch(20, 8, 4, 1)
		b.Descriptors[33] = float32(math.NaN())
		v, err := l.Of(context.Background(), b, make([]float32, len(b.Descriptors)))
		if err != nil || !math.IsNaN(v.Loss) {
			t.Errorf("%s: loss of a NaN descriptor is %v, %v; want NaN", name, v.Loss, err)
		}
	}
}

func TestNothingToLearn(t *testing.T) {
	l, err := New(DefaultOptions(), 1)
	if err != nil {
		t.Fatal(err)
	}
	b := randomBatch(6, 8, 1, 1)
	grad := []float32{47: 3}
	v, err := l.Of(context.Background(), b, grad)
	if err != nil || v != (Value{}) || grad[47] != 0 {
		t.Errorf("a batch without positives gives %+v, %v, gradient %v; want zeros", v, err, grad[47])
	}
}

func TestCheck(t *testing.T) {
	o := DefaultOptions()
	o.Name = "aploss"
	if o.Check() == nil {
		t.Error("an unknown loss is no error")
	}
	o = DefaultOptions()
	o.Bins, o.Min = 1, 1
	if o.Check() == nil {
		t.Error("one bin over no range is no error")
	}
}

// BenchmarkLoss measures value and gradient of a batch of the paper's size, and of
// a quarter, on all processors.
func BenchmarkLoss(b *testing.B) {
	for _, name := range []string{NameAP, NameTriplet} {
		for _, n := range []int{1024, 4096} {
			o := DefaultOptions()
			o.Name = name
			l, err := New(o, runtime.GOMAXPROCS(0))
			if err != nil {
				b.Fatal(err)
			}
			batch := randomBatch(n, 2048, 16, 1)
			grad := make([]float32, len(batch.Descriptors))
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := l.Of(context.Background(), batch, grad); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
