package nets

import (
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// Settings of one step of Adam as the graph takes them.
const (
	adamSize = iota // the rate, with the correction of the first moment
	adamExponentSize
	adamRoot // the correction of the second moment's root
	adamDecay
	adamBeta1
	adamBeta2
	adamEpsilon
	adamSettings // how many there are
)

// step changes what is learned and clears the accumulated gradient, on the
// device.
func (l *graphLearner) step(a Adam) error {
	size, root := a.corrected(l.params.steps + 1)
	settings := make([]float64, adamSettings)
	settings[adamSize], settings[adamExponentSize], settings[adamRoot] = size, size*a.ExponentRate, root
	settings[adamDecay], settings[adamBeta1], settings[adamBeta2], settings[adamEpsilon] = a.WeightDecay, a.Beta1, a.Beta2, a.Epsilon
	t, err := upload(l.device, dtypes.Float64, settings, adamSettings)
	if err != nil {
		return err
	}
	defer t.FinalizeAll()
	out, err := call(l.update, t, l.weights, l.m, l.v, l.sum)
	if err != nil {
		return err
	}
	for i, old := range []**tensors.Tensor{&l.weights, &l.m, &l.v, &l.sum} {
		(*old).FinalizeAll()
		*old = out[i]
	}
	l.params.steps++
	l.changed = true
	return nil
}

// adam writes the graph of a step, from the settings, weights, moments and the
// gradient to the new ones. It computes as [Adam.update] does.
func (l *graphLearner) adam(in []*graph.Node) []*graph.Node {
	g, n := in[0].Graph(), in[1].Shape().Size()
	setting := func(i int) *graph.Node {
		return graph.BroadcastToDims(graph.Reshape(graph.Slice(in[0], graph.AxisRange(i, i+1))), n)
	}
	double := func(x *graph.Node) *graph.Node { return graph.ConvertDType(x, dtypes.Float64) }
	single := func(x *graph.Node) *graph.Node { return graph.ConvertDType(x, dtypes.Float32) }
	mean := func(beta, old, x *graph.Node) *graph.Node {
		return graph.Add(graph.Mul(beta, old), graph.Mul(graph.OneMinus(beta), x))
	}
	exponent := graph.Equal(graph.Iota(g, shapes.Make(dtypes.Int32, n), 0), graph.Scalar(g, dtypes.Int32, l.exponentAt()))

	w := double(in[1])
	decay := graph.Where(exponent, graph.ZerosLike(w), setting(adamDecay))
	size := graph.Where(exponent, setting(adamExponentSize), setting(adamSize))
	grad := graph.Add(double(in[4]), graph.Mul(decay, w))
	m := mean(setting(adamBeta1), double(in[2]), grad)
	v := mean(setting(adamBeta2), double(in[3]), graph.Square(grad))
	change := graph.Div(graph.Mul(size, m), graph.Add(graph.Mul(graph.Sqrt(v), setting(adamRoot)), setting(adamEpsilon)))
	w = single(graph.Sub(w, change))
	w = graph.Where(exponent, graph.MaxScalar(w, minExponent), w)
	return []*graph.Node{w, single(m), single(v), graph.ZerosLike(in[4])}
}

// exponentAt is the place of GeM's exponent among what is learned, or -1.
func (l *graphLearner) exponentAt() int {
	i := slices.IndexFunc(l.learned, func(p *param) bool { return p.name == exponentName })
	if i < 0 {
		return -1
	}
	at := 0
	for _, p := range l.learned[:i] {
		at += len(p.data)
	}
	return at
}
