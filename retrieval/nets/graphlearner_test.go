package nets

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"

	"locbench/retrieval/imgio"
)

// newGraphTestLearner is a learner that computes graphs, on GoMLX's interpreter.
func newGraphTestLearner(t *testing.T, cfg Config, all Tensors) (*Learner, *graphLearner) {
	t.Helper()
	l := newTestLearner(t, cfg, all, LearnerOptions{Norms: true}, 2)
	engine, err := newGraphLearner(interpreter(t), false, l.network, l.head, l.params, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.load(); err != nil {
		t.Fatal(err)
	}
	l.engine = engine
	return l, engine
}

// sums fetches the accumulated gradient, by name.
func (l *graphLearner) sums(t *testing.T) map[string][]float32 {
	t.Helper()
	all, err := tensors.CopyFlatData[float32](l.sum)
	if err != nil {
		t.Fatal(err)
	}
	named := map[string][]float32{}
	for _, p := range l.learned {
		named[p.name], all = all[:len(p.data)], all[len(p.data):]
	}
	return named
}

// TestGraphAdam: steps on the device are those of the host, to the bit.
func TestGraphAdam(t *testing.T) {
	cfg := learnerConfig("resnet10_w4", "gem")
	all := scratchTensors(t, cfg, trainingImages(8))
	host := newTestLearner(t, cfg, all, LearnerOptions{Norms: true}, 2)
	l, device := newGraphTestLearner(t, cfg, all)
	a := DefaultAdam()
	a.Rate, a.WeightDecay, a.ExponentRate = 0.1, 0.01, 20 // so that the exponent meets its bound
	for range 3 {
		var all []float32
		for _, p := range host.params.list {
			if p.learned {
				copy(p.grad, randomGradient(len(p.grad)))
				all = append(all, p.grad...)
			}
		}
		sum, err := upload(device.device, dtypes.Float32, all, len(all))
		if err != nil {
			t.Fatal(err)
		}
		device.sum = sum
		host.params.step(a)
		if err := l.Step(a); err != nil {
			t.Fatal(err)
		}
	}
	want := stateOf(t, host)
	for i, got := range stateOf(t, l) {
		if got.Name != want[i].Name || !slices.Equal(got.Data, want[i].Data) {
			t.Errorf("%s differs", got.Name)
		}
	}
	if p := l.params.exponent(); p != minExponent {
		t.Errorf("want the exponent at its bound of %g, found %g", minExponent, p)
	}
	for _, v := range tensors.MustCopyFlatData[float32](device.sum) {
		if v != 0 {
			t.Fatalf("want a gradient that is cleared, found %g", v)
		}
	}
}

// TestGraphLearnerRestore: a device takes over a state, and forgets its gradient.
func TestGraphLearnerRestore(t *testing.T) {
	images := trainingImages(2)
	cfg := learnerConfig("resnet10_w4", "gem")
	all := scratchTensors(t, cfg, images)
	grad := randomGradient(len(images) * 12)
	a, _ := newGraphTestLearner(t, cfg, all)
	b, _ := newGraphTestLearner(t, cfg, all)
	work := func(l *Learner, steps int) {
		t.Helper()
		for range steps {
			if err := l.Accumulate(t.Context(), images, grad); err != nil {
				t.Fatal(err)
			}
			if err := l.Step(DefaultAdam()); err != nil {
				t.Fatal(err)
			}
		}
	}
	work(a, 1)
	if err := b.Accumulate(t.Context(), images, grad); err != nil {
		t.Fatal(err)
	}
	if err := b.Restore(stateOf(t, a)); err != nil {
		t.Fatal(err)
	}
	work(a, 2)
	work(b, 2)
	want := stateOf(t, a)
	for i, s := range stateOf(t, b) {
		if !slices.Equal(s.Data, want[i].Data) {
			t.Errorf("%s differs after the steps that follow", s.Name)
		}
	}
}

// TestGraphChunks: images that take more than one chunk, the last one partly
// black.
func TestGraphChunks(t *testing.T) {
	if testing.Short() {
		t.Skip("slow on GoMLX's interpreter: skipped with -short")
	}
	var images []*imgio.Image
	for i := range learnImages + 3 {
		images = append(images, photo(fmt.Sprint("chunk", i), 36, 34))
	}
	cfg := learnerConfig("resnet10_w4", "gem")
	all := scratchTensors(t, cfg, images[:8])
	host := newTestLearner(t, cfg, all, LearnerOptions{Norms: true}, 2)
	l, device := newGraphTestLearner(t, cfg, all)
	want, err := host.Describe(t.Context(), images)
	if err != nil {
		t.Fatal(err)
	}
	got, err := l.Describe(t.Context(), images)
	if err != nil {
		t.Fatal(err)
	}
	if d := maxDifference(got, want); len(got) != len(want) || d > 1e-5 {
		t.Errorf("%d values differ from %d by %g", len(got), len(want), d)
	}
	grad := randomGradient(len(want))
	for _, x := range []*Learner{host, l} {
		if err := x.Accumulate(t.Context(), images, grad); err != nil {
			t.Fatal(err)
		}
	}
	if err := host.engine.(*trainer).collect(); err != nil {
		t.Fatal(err)
	}
	for name, g := range device.sums(t) {
		if d := relativeDifference(g, host.params.named[name].grad); d > 1e-4 {
			t.Errorf("%s: gradients differ by %.2g of their length", name, d)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Describe(ctx, images); !errors.Is(err, context.Canceled) {
		t.Errorf("want %v, found %v", context.Canceled, err)
	}
}

func TestCommonShape(t *testing.T) {
	many := func(n, w, h int) (list []*imgio.Image) {
		for range n {
			list = append(list, imgio.New(w, h))
		}
		return list
	}
	l := &graphLearner{}
	for i, c := range []struct {
		images []*imgio.Image
		want   shape
	}{
		{many(3, 40, 50), shape{64, 64}},
		{many(exactImages, 40, 50), shape{50, 40}},
		{many(1, 40, 50), shape{50, 40}}, // the rest of a batch
		{many(1, 50, 40), shape{64, 64}},
		{append(many(20, 40, 50), many(1, 70, 30)...), shape{64, 96}},
	} {
		if got := l.commonShape(c.images); got != c.want {
			t.Errorf("case %d: want %v, found %v", i, c.want, got)
		}
	}
}
