package nets

import (
	"context"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"unsafe"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"locbench/retrieval/imgio"
)

const (
	// batchPixels bounds the pixels that go to a device at a time: 16 images of
	// 1024×1024.
	batchPixels = 16 << 20
	// maxBatch bounds the images of a batch of small ones.
	maxBatch = 64
)

// compiled is the network as graphs on a device, one for each shape of a batch.
type compiled struct {
	device  compute.Backend
	network builder
	cfg     Config
	names   []string          // of the parameters
	params  []*tensors.Tensor // on the device, in the order of names
	pass    pass
}

// newCompiled uploads the folded tensors. A device without convolutions worth
// the name (native false) gets matrix products.
func newCompiled(device compute.Backend, native bool, cfg Config, layers []layer, h *head, load *loader) (*compiled, error) {
	c := &compiled{device: device, cfg: cfg, network: builder{layers: layers, head: h, native: native}}
	named := foldedTensors(layers, h, load)
	if len(load.problems) > 0 {
		return nil, load.err()
	}
	c.names = slices.Sorted(maps.Keys(named))
	for _, name := range c.names {
		t, err := upload(device, dtypes.Float32, named[name].data, named[name].shape...)
		if err != nil {
			return nil, fmt.Errorf("upload tensor %s: %w", name, err)
		}
		c.params = append(c.params, t)
	}
	var err error
	c.pass, err = newPass(device, c.build)
	return c, err
}

// named is a tensor by its shape and values.
type named struct {
	shape []int
	data  []float32
}

// foldedTensors are the parameters of a [builder] that is not frozen.
func foldedTensors(layers []layer, h *head, load *loader) map[string]named {
	all := map[string]named{"adpool.p": {[]int{1}, []float32{float32(h.p)}}}
	for _, l := range layers {
		if l.kind == convolution {
			f := load.fold(l)
			all[l.conv+".weight"] = named{[]int{l.to, l.from, l.size, l.size}, f.weights}
			all[l.conv+".bias"] = named{[]int{l.to}, f.bias}
		}
	}
	if h.fc.outputs > 0 {
		all["fc.weight"] = named{[]int{h.fc.outputs, h.channels}, h.fc.weights}
		all["fc.bias"] = named{[]int{h.fc.outputs}, h.fc.bias}
	}
	return all
}

type number interface {
	float32 | float64 | int32 | uint8
}

// upload copies values to the device.
func upload[T number](device compute.Backend, dtype dtypes.DType, data []T, dims ...int) (*tensors.Tensor, error) {
	raw := unsafe.Slice((*byte)(unsafe.Pointer(&data[0])), len(data)*int(unsafe.Sizeof(data[0])))
	return tensors.FromRaw(device, 0, shapes.Make(dtype, dims...), raw)
}

// build writes the graph of a batch: its inputs are pixels [n][h][w][3] uint8,
// sizes and windows (see batch), and the parameters.
func (c *compiled) build(in []*graph.Node, masked bool) *graph.Node {
	network := c.network
	network.param = func(name string) *graph.Node {
		i, ok := slices.BinarySearch(c.names, name)
		if !ok {
			panic("nets: no parameter " + name)
		}
		return in[3+i]
	}
	x := normalizedPixels(in[0], c.cfg)
	b := batch{pixels: x, windows: in[2]}
	if masked {
		b.sizes = in[1]
		b.pixels = graph.Mul(x, mask(x, in[1]))
	}
	return network.descriptors(b)
}

// normalizedPixels converts pixels [n][h][w][3] uint8 as cfg says.
func normalizedPixels(pixels *graph.Node, cfg Config) *graph.Node {
	channel := func(v [3]float64) *graph.Node {
		return graph.Const(pixels.Graph(), [][][][]float32{{{{float32(v[0]), float32(v[1]), float32(v[2])}}}})
	}
	x := graph.DivScalar(graph.ConvertDType(pixels, dtypes.Float32), 255)
	return graph.Div(graph.Sub(x, channel(cfg.Mean)), channel(cfg.Std))
}

// paddedSide rounds up to a multiple of 1/16 of the next power of two, at least
// 32: few shapes to compile for, and at most an eighth more pixels a side.
func paddedSide(n int) int {
	step := max(32, 1<<bits.Len(uint(n-1))/16)
	return (n + step - 1) / step * step
}

// describe returns the descriptors of images of any sizes, those of one padded
// shape together.
func (c *compiled) describe(ctx context.Context, images []*imgio.Image) ([]float32, error) {
	groups := map[shape][]int{}
	for i, m := range images {
		s := shape{paddedSide(m.H), paddedSide(m.W)}
		groups[s] = append(groups[s], i)
	}
	dim := c.network.head.dim()
	out := make([]float32, len(images)*dim)
	order := slices.SortedFunc(maps.Keys(groups), func(a, b shape) int { return (a.h-b.h)<<16 + a.w - b.w })
	for _, s := range order {
		size := min(maxBatch, max(1, batchPixels/(s.h*s.w)))
		for part := range slices.Chunk(groups[s], size) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			rows, err := c.batch(images, part, s)
			if err != nil {
				return nil, fmt.Errorf("describe %d images of at most %d×%d: %w", len(part), s.w, s.h, err)
			}
			for j, i := range part {
				copy(out[i*dim:][:dim], rows[j*dim:])
			}
		}
	}
	return out, nil
}

// batch computes some of the images in one shape. The number of images is
// filled up to a power of two with black ones, again for few shapes.
func (c *compiled) batch(images []*imgio.Image, part []int, s shape) ([]float32, error) {
	n := powerOfTwo(len(part))
	f := framed(nil, pick(images, part), s, n)
	windows, regions := c.windows(f.sizes)
	in := inputs{device: c.device}
	defer in.free()
	send(&in, dtypes.Uint8, f.pixels, n, s.h, s.w, 3)
	send(&in, dtypes.Int32, f.sizes, n, 2)
	send(&in, dtypes.Int32, windows, n, regions, 4)
	if in.err != nil {
		return nil, in.err
	}
	out, err := c.pass.run(f.full, slices.Concat(in.list, c.params)...)
	if err != nil {
		return nil, err
	}
	defer out.FinalizeAll()
	return tensors.CopyFlatData[float32](out)
}

// windows lists the regions of R-MAC of every image in the last feature map,
// filled up to the same number with empty ones; one empty one for another
// pooling.
func (c *compiled) windows(sizes []int32) (flat []int32, count int) {
	lists := make([][]window, len(sizes)/2)
	count = 1
	for i := range lists {
		if c.network.head.pooling == rmac {
			h, w := int(sizes[2*i]), int(sizes[2*i+1])
			for _, l := range c.network.layers {
				if l.stride == 2 && l.size > 1 {
					h, w = (h-1)/2+1, (w-1)/2+1
				}
			}
			lists[i] = regions(h, w)
			count = max(count, len(lists[i]))
		}
	}
	flat = make([]int32, 4*count*len(lists))
	for i, list := range lists {
		for j, w := range list {
			copy(flat[4*(i*count+j):], []int32{int32(w.y0), int32(w.x0), int32(w.y1), int32(w.x1)})
		}
	}
	return flat, count
}
