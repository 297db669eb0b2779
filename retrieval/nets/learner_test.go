package nets

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"locbench/retrieval/backend"
	"locbench/retrieval/imgio"
)

// trainingImages are small photos of several shapes.
func trainingImages(n int) []*imgio.Image {
	sizes := []shape{{40, 40}, {33, 47}, {56, 36}}
	var out []*imgio.Image
	for i := range n {
		s := sizes[i%len(sizes)]
		out = append(out, photo(fmt.Sprint("train", i), s.w, s.h))
	}
	return out
}

func learnerConfig(arch, pooling string) Config {
	return Config{Arch: arch, Pooling: pooling, GemP: 2.6, OutDim: 12, Mean: ImageNetMean(), Std: ImageNetStd()}
}

func scratchTensors(t testing.TB, cfg Config, images []*imgio.Image) Tensors {
	t.Helper()
	list, err := Scratch(t.Context(), cfg, 7, images)
	if err != nil {
		t.Fatal(err)
	}
	return tensorsOf(list)
}

func tensorsOf(list []Tensor) Tensors {
	return func(name string) ([]int, []float32, bool) {
		i := slices.IndexFunc(list, func(t Tensor) bool { return t.Name == name })
		if i < 0 {
			return nil, nil, false
		}
		return list[i].Shape, list[i].Data, true
	}
}

func newTestLearner(t testing.TB, cfg Config, all Tensors, o LearnerOptions, jobs int) *Learner {
	t.Helper()
	b, err := backend.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	b.Jobs = jobs
	l, err := NewLearner(b, cfg, all, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func stateOf(t *testing.T, l *Learner) []Tensor {
	t.Helper()
	state, err := l.State()
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func randomGradient(n int) []float32 {
	rng := rand.New(rand.NewPCG(3, 4))
	g := make([]float32, n)
	for i := range g {
		g[i] = float32(rng.NormFloat64())
	}
	return g
}

// TestLearnerDescribes: a learner gives the descriptors of the network.
func TestLearnerDescribes(t *testing.T) {
	images := trainingImages(3)
	for _, c := range []Config{learnerConfig("resnet10_w12", "gem"), learnerConfig("resnet18", "max"), learnerConfig("resnet50_w8", "gem")} {
		all := scratchTensors(t, c, images)
		l := newTestLearner(t, c, all, LearnerOptions{}, 2)
		n, err := New(mustBackend(t), c, all)
		if err != nil {
			t.Fatal(err)
		}
		want, err := n.Describe(t.Context(), images)
		if err != nil {
			t.Fatal(err)
		}
		got, err := l.Describe(t.Context(), images)
		if err != nil {
			t.Fatal(err)
		}
		if d := maxDifference(got, want); d > 1e-6 {
			t.Errorf("%s: descriptors differ by %g", c.Arch, d)
		}
	}
}

func mustBackend(t testing.TB) *backend.Backend {
	t.Helper()
	b, err := backend.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestLearnerGradient compares every tensor's gradient with that of the graph,
// in which GoMLX differentiates batch normalization apart.
func TestLearnerGradient(t *testing.T) {
	if testing.Short() {
		t.Skip("slow on GoMLX's interpreter: skipped with -short")
	}
	norm := learnerConfig("resnet10_w4", "gem")
	norm.NormFeatures = true
	for i, cfg := range []Config{norm, learnerConfig("resnet50_w4", "gem"), learnerConfig("resnet10_w4", "max")} {
		images := trainingImages(3)
		if i == 0 { // of one size: nothing is padded or masked
			images = nil
			for j := range exactImages {
				images = append(images, photo(fmt.Sprint("same", j), 45, 51))
			}
		}
		all := scratchTensors(t, cfg, images)
		l := newTestLearner(t, cfg, all, LearnerOptions{Norms: true}, 2)
		other, device := newGraphTestLearner(t, cfg, all)
		grad := randomGradient(len(images) * l.Dim())
		for _, x := range []*Learner{l, other} {
			if err := x.Accumulate(t.Context(), images, grad); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.engine.(*trainer).collect(); err != nil {
			t.Fatal(err)
		}
		sums := device.sums(t)
		for _, p := range l.params.list {
			if !p.learned {
				continue
			}
			want, limit := sums[p.name], 1e-4
			if cfg.Arch == "resnet50_w4" { // fifty random layers amplify rounding: the descriptors themselves differ so much
				limit = 5e-3
			}
			if relativeDifference(p.grad, want) > limit {
				t.Errorf("%s, %s: gradients differ by %.2g of their length", cfg.Arch, p.name, relativeDifference(p.grad, want))
			}
		}
	}
}

func relativeDifference(a, b []float32) float64 {
	var d, n float64
	for i := range a {
		d += math.Pow(float64(a[i])-float64(b[i]), 2)
		n += math.Pow(float64(b[i]), 2)
	}
	return math.Sqrt(d) / max(math.Sqrt(n), 1e-6)
}

// TestLearnerSlope compares the gradient along random directions of each
// tensor with central differences.
func TestLearnerSlope(t *testing.T) {
	images := trainingImages(2)
	cfg := learnerConfig("resnet10_w8", "gem")
	l := newTestLearner(t, cfg, scratchTensors(t, cfg, images), LearnerOptions{Norms: true}, 2)
	grad := randomGradient(len(images) * l.Dim())
	if err := l.Accumulate(t.Context(), images, grad); err != nil {
		t.Fatal(err)
	}
	engine := l.engine.(*trainer)
	if err := engine.collect(); err != nil {
		t.Fatal(err)
	}
	loss := func() float64 {
		if err := engine.refresh(); err != nil {
			t.Fatal(err)
		}
		rows, err := l.Describe(t.Context(), images)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for i, v := range rows {
			sum += float64(v) * float64(grad[i])
		}
		return sum
	}
	for _, name := range []string{"conv1.weight", "layer2.0.downsample.0.weight", "layer2.0.conv1.weight", "layer3.0.bn1.weight", "layer4.0.bn2.bias", "adpool.p", "fc.weight", "fc.bias"} {
		p := l.params.named[name]
		start, slope, norm := slices.Clone(p.data), 0.0, 0.0
		for _, g := range p.grad { // along the gradient itself, the steepest direction
			norm += float64(g) * float64(g)
		}
		norm = math.Sqrt(norm)
		slope = norm
		const step = 5e-4
		var side [2]float64
		for i, sign := range []float64{1, -1} {
			for j := range p.data {
				p.data[j] = start[j] + float32(sign*step*float64(p.grad[j])/norm)
			}
			side[i] = loss()
		}
		copy(p.data, start)
		if got := (side[0] - side[1]) / (2 * step); math.Abs(got-slope) > 0.02*slope+1e-3 {
			t.Errorf("%s: want a slope of %g, found %g", name, slope, got)
		}
	}
}

// TestLearnerSum: jobs and the division into calls change nothing.
func TestLearnerSum(t *testing.T) {
	images := trainingImages(7)
	cfg := learnerConfig("resnet10_w8", "gem")
	all := scratchTensors(t, cfg, images)
	grad := randomGradient(len(images) * 12)
	var want []Tensor
	for _, c := range []struct{ jobs, call int }{{1, 7}, {3, 7}, {2, 3}} {
		l := newTestLearner(t, cfg, all, LearnerOptions{Norms: true}, c.jobs)
		for from := 0; from < len(images); from += c.call {
			to := min(from+c.call, len(images))
			if err := l.Accumulate(t.Context(), images[from:to], grad[from*12:to*12]); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Step(DefaultAdam()); err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = stateOf(t, l)
		}
		for i, s := range stateOf(t, l) {
			if !slices.Equal(s.Data, want[i].Data) {
				t.Errorf("%v: %s differs", c, s.Name)
			}
		}
	}
}

// TestLearnerRestore: a learner that takes over a state goes on bit by bit.
func TestLearnerRestore(t *testing.T) {
	images := trainingImages(2)
	cfg := learnerConfig("resnet10_w8", "gem")
	all := scratchTensors(t, cfg, images)
	grad := randomGradient(len(images) * 12)
	step := func(l *Learner) {
		t.Helper()
		if err := l.Accumulate(t.Context(), images, grad); err != nil {
			t.Fatal(err)
		}
		if err := l.Step(DefaultAdam()); err != nil {
			t.Fatal(err)
		}
	}
	a, b := newTestLearner(t, cfg, all, LearnerOptions{}, 2), newTestLearner(t, cfg, all, LearnerOptions{}, 2)
	step(a)
	if err := b.Restore(stateOf(t, a)); err != nil {
		t.Fatal(err)
	}
	step(a)
	step(b)
	for i, s := range stateOf(t, a) {
		if got := stateOf(t, b)[i]; got.Name != s.Name || !slices.Equal(got.Data, s.Data) {
			t.Errorf("%s differs after the step that follows", s.Name)
		}
	}
	weights, err := a.Tensors()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Restore(weights); err == nil {
		t.Error("want an error for a state without Adam's moments")
	}
}

// TestAdam follows torch.optim.Adam (1.13) over three steps of one number:
// weight 1, gradients 0.5, −0.25, 0.125, rate 0.1, weight decay 0.01.
func TestAdam(t *testing.T) {
	a := DefaultAdam()
	a.Rate, a.WeightDecay = 0.1, 0.01
	p := &params{named: map[string]*param{}}
	w := &param{name: "w", data: []float32{1}, grad: make([]float32, 1), m: make([]float32, 1), v: make([]float32, 1), learned: true}
	p.list = []*param{w}
	for i, want := range adamReference() {
		w.grad[0] = []float32{0.5, -0.25, 0.125}[i]
		p.step(a)
		if math.Abs(float64(w.data[0])-want) > 1e-6 {
			t.Errorf("step %d: want %g, found %g", i+1, want, w.data[0])
		}
	}
}

// TestScratch: the descriptors of different images differ from the start, and
// the same seed gives the same network.
func TestScratch(t *testing.T) {
	images := trainingImages(16)
	cfg := learnerConfig("resnet10_w8", "gem")
	first, err := Scratch(t.Context(), cfg, 7, images)
	if err != nil {
		t.Fatal(err)
	}
	again := scratchTensors(t, cfg, images)
	for _, x := range first {
		if _, data, _ := again(x.Name); !slices.Equal(data, x.Data) {
			t.Errorf("%s differs", x.Name)
		}
	}
	rows, err := newTestLearner(t, cfg, again, LearnerOptions{}, 2).Describe(t.Context(), images)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for i := range images {
		for j := range i {
			for k := range 12 {
				sum += float64(rows[i*12+k]) * float64(rows[j*12+k])
			}
		}
	}
	if mean := sum / (16 * 15 / 2); math.Abs(mean) > 0.2 {
		t.Errorf("want images that differ, found a mean cosine of %.3f", mean)
	}
}

func TestLearnerRefuses(t *testing.T) {
	cfg := learnerConfig("resnet10_w8", "rmac")
	if _, err := NewLearner(mustBackend(t), cfg, proceduralTensors("resnet10_w8", 12), LearnerOptions{}); err == nil {
		t.Error("want an error for a pooling without gradient")
	}
	cfg.Pooling = "gem"
	if _, err := NewLearner(mustBackend(t), cfg, proceduralTensors("resnet18", 12), LearnerOptions{}); err == nil {
		t.Error("want an error for the tensors of another network")
	}
	if _, err := NewLearner(mustBackend(t), cfg, proceduralTensors("resnet10_w8", 12), LearnerOptions{Half: true}); err == nil {
		t.Error("want an error for mixed precision on the embedded backend")
	}
}

// adamReference are the weights after each step, as TestAdam describes them.
func adamReference() []float64 {
	return []float64{0.9000000019607842, 0.8712293476231742, 0.8348430342568425}
}
