package nets

import (
	"context"
	"fmt"
	"math/bits"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"locbench/retrieval/imgio"
)

// graphLearner is the engine of a device: the network with its batch
// normalization apart, as graphs of a chunk of images. Parameters and the
// accumulated gradient stay on the device; the gradient comes to the host once a
// step, where Adam is computed.
type graphLearner struct {
	device  compute.Backend
	net     network
	params  *params
	network builder
	half    bool

	weights  []*tensors.Tensor // on the device, in the order of params.list
	sums     []*tensors.Tensor // accumulated gradient of what is learned; nil: zero
	forward  *graph.Exec
	backward *graph.Exec
}

// graphInputs is how many inputs come before the parameters: pixels, sizes and
// the gradient of the descriptors.
const graphInputs = 3

func newGraphLearner(device compute.Backend, native bool, net network, h *head, p *params, half bool) *graphLearner {
	l := &graphLearner{device: device, net: net, params: p, half: half}
	l.network = builder{layers: net.layers, head: h, frozen: true, native: native, half: half}
	return l
}

// build compiles nothing yet: that happens at the first chunk of a shape.
func (l *graphLearner) build() error {
	var err error
	if l.forward, err = graph.NewExec(l.device, func(in []*graph.Node) *graph.Node {
		return l.descriptors(in)
	}); err != nil {
		return fmt.Errorf("prepare graph: %w", err)
	}
	if l.backward, err = graph.NewExec(l.device, l.gradients); err != nil {
		return fmt.Errorf("prepare graph of gradients: %w", err)
	}
	l.forward.SetMaxCache(-1)
	l.backward.SetMaxCache(-1)
	return nil
}

// descriptors writes the graph of a chunk of images.
func (l *graphLearner) descriptors(in []*graph.Node) *graph.Node {
	network := l.network
	network.param = func(name string) *graph.Node {
		i := slices.IndexFunc(l.params.list, func(p *param) bool { return p.name == name })
		if i < 0 {
			panic("nets: no parameter " + name)
		}
		return in[graphInputs+i]
	}
	x := normalizedPixels(in[0], l.net.cfg)
	return network.descriptors(batch{pixels: graph.Mul(x, mask(x, in[1])), sizes: in[1]})
}

// gradients returns the accumulated gradients with those of Σ grad·descriptor
// added. Its inputs end with the gradients so far.
func (l *graphLearner) gradients(in []*graph.Node) []*graph.Node {
	n := graphInputs + len(l.params.list)
	loss := graph.ReduceAllSum(graph.Mul(l.descriptors(in[:n]), in[2]))
	var learned []*graph.Node
	for i, p := range l.params.list {
		if p.learned {
			learned = append(learned, in[graphInputs+i])
		}
	}
	out := graph.Gradient(loss, learned...)
	for i := range out {
		out[i] = graph.Add(out[i], in[n+i])
	}
	return out
}

// refresh uploads the parameters and forgets the accumulated gradient, which
// the step has used.
func (l *graphLearner) refresh() error {
	if l.forward == nil {
		if err := l.build(); err != nil {
			return err
		}
	}
	finalize(l.weights)
	finalize(l.sums)
	l.weights, l.sums = nil, nil
	for _, p := range l.params.list {
		t, err := upload(l.device, dtypes.Float32, p.data, p.shape...)
		if err != nil {
			return fmt.Errorf("upload tensor %s: %w", p.name, err)
		}
		l.weights = append(l.weights, t)
	}
	return nil
}

func finalize(list []*tensors.Tensor) {
	for _, t := range list {
		t.FinalizeAll()
	}
}

func (l *graphLearner) describe(ctx context.Context, images []*imgio.Image) ([]float32, error) {
	dim := l.network.head.dim()
	out := make([]float32, 0, len(images)*dim)
	err := l.chunks(ctx, images, nil, func(c *chunk) error {
		result, err := l.call(l.forward, c, nil)
		if err != nil {
			return err
		}
		defer finalize(result)
		rows, err := tensors.CopyFlatData[float32](result[0])
		out = append(out, rows[:c.images*dim]...)
		return err
	})
	return out, err
}

func (l *graphLearner) accumulate(ctx context.Context, images []*imgio.Image, grad []float32) error {
	return l.chunks(ctx, images, grad, func(c *chunk) error {
		if l.sums == nil {
			if err := l.clearSums(); err != nil {
				return err
			}
		}
		result, err := l.call(l.backward, c, l.sums)
		if err != nil {
			return err
		}
		finalize(l.sums)
		l.sums = result
		return nil
	})
}

func (l *graphLearner) clearSums() error {
	for _, p := range l.params.list {
		if p.learned {
			t, err := upload(l.device, dtypes.Float32, p.grad, p.shape...)
			if err != nil {
				return err
			}
			l.sums = append(l.sums, t)
		}
	}
	return nil
}

// collect copies the accumulated gradient to the host, for the step.
func (l *graphLearner) collect() error {
	i := 0
	for _, p := range l.params.list {
		if !p.learned {
			continue
		}
		if i == len(l.sums) { // no image, no sum
			return nil
		}
		data, err := tensors.CopyFlatData[float32](l.sums[i])
		if err != nil {
			return fmt.Errorf("fetch gradient of %s: %w", p.name, err)
		}
		copy(p.grad, data)
		i++
	}
	return nil
}

// chunk is what one execution of a graph takes.
type chunk struct {
	images int // the rest of the batch is black
	count  int
	shape  shape
	pixels []uint8
	sizes  []int32
	grad   []float32
}

// chunks divides images into batches padded to one shape.
func (l *graphLearner) chunks(ctx context.Context, images []*imgio.Image, grad []float32, f func(*chunk) error) error {
	s := shape{32, 32}
	for _, m := range images {
		s = shape{max(s.h, paddedSide(m.H)), max(s.w, paddedSide(m.W))}
	}
	size := learnBatch(s.h * s.w)
	dim := l.network.head.dim()
	for from := 0; from < len(images); from += size {
		if err := ctx.Err(); err != nil {
			return err
		}
		part := images[from:min(from+size, len(images))]
		c := &chunk{images: len(part), count: min(size, powerOfTwo(len(part))), shape: s}
		c.fill(part, dim)
		if grad != nil {
			copy(c.grad, grad[from*dim:][:len(part)*dim])
		}
		if err := f(c); err != nil {
			return fmt.Errorf("train on %d images of at most %d×%d: %w", len(part), s.w, s.h, err)
		}
	}
	return nil
}

// Limits of what a device trains on at a time: 128 images, or 8 megapixels, for
// which a ResNet-50 takes some 20 GB. A caller with less memory gives fewer.
const (
	learnImages = 128
	learnPixels = 8 << 20
)

// learnBatch is how many images of so many pixels are computed at a time.
func learnBatch(pixels int) int { return min(learnImages, max(1, learnPixels/pixels)) }

// powerOfTwo is the least one that is not below n: a graph is compiled for each
// size of a chunk, and there must be few.
func powerOfTwo(n int) int { return 1 << bits.Len(uint(n-1)) }

func (c *chunk) fill(images []*imgio.Image, dim int) {
	h, w := c.shape.h, c.shape.w
	c.pixels, c.sizes = make([]uint8, c.count*h*w*3), make([]int32, 2*c.count)
	c.grad = make([]float32, c.count*dim)
	for j := range c.count {
		c.sizes[2*j], c.sizes[2*j+1] = int32(h), int32(w)
		if j >= len(images) {
			continue
		}
		m := images[j]
		c.sizes[2*j], c.sizes[2*j+1] = int32(m.H), int32(m.W)
		for y := range m.H {
			copy(c.pixels[(j*h+y)*w*3:], m.Pix[3*m.W*y:][:3*m.W])
		}
	}
}

// call runs a graph on a chunk; more follows the parameters.
func (l *graphLearner) call(exec *graph.Exec, c *chunk, more []*tensors.Tensor) (out []*tensors.Tensor, err error) {
	defer func() { // what GoMLX panics with is an error here
		if r := recover(); r != nil {
			err = fmt.Errorf("run graph: %v", r)
		}
	}()
	pixels, err := upload(l.device, dtypes.Uint8, c.pixels, c.count, c.shape.h, c.shape.w, 3)
	if err != nil {
		return nil, err
	}
	defer pixels.FinalizeAll()
	sizes, err := upload(l.device, dtypes.Int32, c.sizes, c.count, 2)
	if err != nil {
		return nil, err
	}
	defer sizes.FinalizeAll()
	grad, err := upload(l.device, dtypes.Float32, c.grad, c.count, len(c.grad)/c.count)
	if err != nil {
		return nil, err
	}
	defer grad.FinalizeAll()
	var args []any
	for _, t := range slices.Concat([]*tensors.Tensor{pixels, sizes, grad}, l.weights, more) {
		args = append(args, t)
	}
	return exec.Call(args...)
}
