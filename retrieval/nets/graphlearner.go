package nets

import (
	"context"
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"locbench/retrieval/imgio"
)

// graphLearner is the engine of a device: the network with its batch
// normalization apart, as graphs of a chunk of images, and Adam as another.
// Parameters, moments and the accumulated gradient stay on the device, each of
// them as one vector, because a graph takes some microseconds an input; a step
// moves pixels and descriptors only.
type graphLearner struct {
	device  compute.Backend
	net     network
	params  *params
	network builder
	learned []*param
	frozen  []*param

	fixed    *tensors.Tensor // values of what is frozen
	weights  *tensors.Tensor // and of what is learned
	m, v     *tensors.Tensor // its moments
	sum      *tensors.Tensor // its accumulated gradient
	changed  bool            // weights and moments, by a step, since params had the same values
	pixels   []uint8         // of a chunk on its way to the device
	exact    shape           // of the last images that had a graph of their own
	forward  pass
	backward pass
	update   *graph.Exec
}

// Inputs of the graphs of a chunk.
const (
	inPixels = iota
	inSizes
	inGrad // of the descriptors
	inFixed
	inWeights
	inSum // of the backward pass alone
)

// newGraphLearner compiles nothing yet: that happens at the first chunk of a
// shape.
func newGraphLearner(device compute.Backend, native bool, net network, h *head, p *params, half bool) (*graphLearner, error) {
	l := &graphLearner{device: device, net: net, params: p}
	for _, t := range p.list {
		if t.learned {
			l.learned = append(l.learned, t)
		} else {
			l.frozen = append(l.frozen, t)
		}
	}
	l.network = builder{layers: net.layers, head: h, frozen: true, native: native, half: half}
	var err error
	if l.forward, err = newPass(device, func(in []*graph.Node, masked bool) *graph.Node {
		rows, _ := l.descriptors(in, masked)
		return rows
	}); err != nil {
		return nil, err
	}
	if l.backward, err = newPass(device, l.gradient); err != nil {
		return nil, err
	}
	l.update, err = newExec(device, l.adam)
	return l, err
}

// descriptors writes the graph of a chunk of images, and returns the learned
// parameters in it too.
func (l *graphLearner) descriptors(in []*graph.Node, masked bool) (rows *graph.Node, weights []*graph.Node) {
	named := map[string]*graph.Node{}
	cut := func(vector *graph.Node, list []*param) (nodes []*graph.Node) {
		from := 0
		for _, p := range list {
			node := graph.Reshape(graph.Slice(vector, graph.AxisRange(from, from+len(p.data))), p.shape...)
			from += len(p.data)
			named[p.name] = node
			nodes = append(nodes, node)
		}
		return nodes
	}
	cut(in[inFixed], l.frozen)
	weights = cut(in[inWeights], l.learned)
	network := l.network
	network.param = func(name string) *graph.Node {
		if named[name] == nil {
			panic("nets: no parameter " + name)
		}
		return named[name]
	}
	b := batch{pixels: normalizedPixels(in[inPixels], l.net.cfg)}
	if masked {
		b.sizes = in[inSizes]
		b.pixels = graph.Mul(b.pixels, mask(b.pixels, b.sizes))
	}
	return network.descriptors(b), weights
}

// gradient returns the accumulated gradient with that of Σ grad·descriptor
// added.
func (l *graphLearner) gradient(in []*graph.Node, masked bool) *graph.Node {
	rows, weights := l.descriptors(in, masked)
	parts := graph.Gradient(graph.ReduceAllSum(graph.Mul(rows, in[inGrad])), weights...)
	for i, p := range parts {
		parts[i] = graph.Reshape(p, p.Shape().Size())
	}
	return graph.Add(in[inSum], graph.Concatenate(parts, 0))
}

// vector is a vector on the device, and the parts that it has on the host.
type vector struct {
	tensor **tensors.Tensor
	params []*param
	values func(p *param) []float32
}

// vectors are what steps change, and then what they do not.
func (l *graphLearner) vectors() (changed, others []vector) {
	data := func(p *param) []float32 { return p.data }
	changed = []vector{
		{&l.weights, l.learned, data},
		{&l.m, l.learned, func(p *param) []float32 { return p.m }},
		{&l.v, l.learned, func(p *param) []float32 { return p.v }},
	}
	return changed, []vector{
		{&l.fixed, l.frozen, data},
		{&l.sum, l.learned, func(p *param) []float32 { return p.grad }}, // zero: it is the device that accumulates
	}
}

// load uploads parameters and moments, and clears the accumulated gradient.
func (l *graphLearner) load() error {
	for _, v := range slices.Concat(l.vectors()) {
		if *v.tensor != nil {
			(*v.tensor).FinalizeAll()
		}
		var flat []float32
		for _, p := range v.params {
			flat = append(flat, v.values(p)...)
		}
		var err error
		if *v.tensor, err = upload(l.device, dtypes.Float32, flat, len(flat)); err != nil {
			return fmt.Errorf("upload parameters: %w", err)
		}
	}
	l.changed = false
	return nil
}

// store fetches what steps have changed.
func (l *graphLearner) store() error {
	if !l.changed {
		return nil
	}
	changed, _ := l.vectors()
	for _, v := range changed {
		flat, err := tensors.CopyFlatData[float32](*v.tensor)
		if err != nil {
			return fmt.Errorf("fetch parameters: %w", err)
		}
		for _, p := range v.params {
			flat = flat[copy(v.values(p), flat):]
		}
	}
	l.changed = false
	return nil
}

func (l *graphLearner) describe(ctx context.Context, images []*imgio.Image) ([]float32, error) {
	dim := l.network.head.dim()
	out := make([]float32, 0, len(images)*dim)
	err := l.chunks(ctx, images, nil, func(c *chunk) error {
		result, err := l.run(l.forward, c)
		if err != nil {
			return err
		}
		defer result.FinalizeAll()
		rows, err := tensors.CopyFlatData[float32](result)
		if err == nil {
			out = append(out, rows[:c.images*dim]...)
		}
		return err
	})
	return out, err
}

func (l *graphLearner) accumulate(ctx context.Context, images []*imgio.Image, grad []float32) error {
	return l.chunks(ctx, images, grad, func(c *chunk) error {
		sum, err := l.run(l.backward, c, l.sum)
		if err != nil {
			return err
		}
		l.sum.FinalizeAll()
		l.sum = sum
		return nil
	})
}

// run computes a pass over a chunk; more follows the weights.
func (l *graphLearner) run(p pass, c *chunk, more ...*tensors.Tensor) (*tensors.Tensor, error) {
	return p.run(c.full, slices.Concat(c.inputs.list, []*tensors.Tensor{l.fixed, l.weights}, more)...)
}
