package nets

import (
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// builder writes the network as a GoMLX graph, channels last. The tensors are
// nodes in the layout of the checkpoint, so that they can be inputs, constants
// or variables to learn. It panics as graph functions do.
type builder struct {
	layers []layer
	head   *head
	param  func(name string) *graph.Node

	// frozen keeps batch normalization apart, with fixed statistics, as training
	// wants it; else conv.weight and conv.bias are folded ones.
	frozen bool
	// native leaves convolutions to the device; else they are lowered to slices
	// and matrix products, which is what GoMLX's interpreter computes fast.
	native bool
	// half computes the trunk in bfloat16, from parameters in float32.
	half bool
}

// batch is a batch of images, padded at the bottom and on the right.
type batch struct {
	pixels  *graph.Node // [n][h][w][3] float32, normalized; zero in the padding
	sizes   *graph.Node // [n][2] int32: true height and width; nil: all fill the shape
	windows *graph.Node // [n][regions][4] int32 for R-MAC: y0, x0, y1, x1; empty ones do not count
}

// descriptors returns [n][dim], of unit length.
func (b *builder) descriptors(in batch) *graph.Node {
	features, sizes := b.features(in)
	features = graph.ConvertDType(features, dtypes.Float32)
	x := b.pool(features, sizes, in.windows)
	if b.head.normFeatures {
		x = unitLength(x)
	}
	if b.head.fc.outputs > 0 {
		x = graph.Dot(x, b.param("fc.weight")).General([]int{1}, nil, []int{1}, nil)
		x = graph.Add(x, graph.ExpandAxes(b.param("fc.bias"), 0))
	}
	return unitLength(x)
}

// value is one value of the trunk with the images' sizes at its resolution.
type value struct {
	x, sizes *graph.Node
	masked   *graph.Node // x with zeros in the padding, once it is needed
}

// inside is the value with zeros in the padding, as a filter that reaches over
// the images' borders needs it.
func (v *value) inside() *graph.Node {
	if v.masked == nil {
		v.masked = v.x
		if v.sizes != nil {
			v.masked = graph.Mul(v.x, mask(v.x, v.sizes))
		}
	}
	return v.masked
}

// mask is [n][h][w][1]: one inside the images, zero in the padding.
func mask(x, sizes *graph.Node) *graph.Node {
	dims := x.Shape().Dimensions
	shape := shapes.Make(dtypes.Int32, dims[0], dims[1], dims[2], 1)
	var in *graph.Node
	for axis := range 2 {
		limit := graph.ExpandAxes(graph.Slice(sizes, graph.AxisRange(), graph.AxisRange(axis, axis+1)), 2, 3)
		below := graph.LessThan(graph.Iota(x.Graph(), shape, 1+axis), graph.BroadcastToShape(limit, shape))
		if in == nil {
			in = below
		} else {
			in = graph.LogicalAnd(in, below)
		}
	}
	return graph.ConvertDType(in, x.DType())
}

// features returns the last feature map, with arbitrary values in the padding,
// and the images' sizes in it.
func (b *builder) features(in batch) (x, sizes *graph.Node) {
	values := make([]value, len(b.layers)+1)
	pixels := b.precision(in.pixels)
	values[0] = value{x: pixels, sizes: in.sizes, masked: pixels}
	for i, l := range b.layers {
		from := &values[l.in]
		to := value{x: from.x, sizes: from.sizes}
		if l.size > 1 {
			to.x = from.inside()
		}
		if l.kind == maxPool {
			to.x = maxPooled(to.x)
		} else {
			to.x = b.normalized(l, to.x)
		}
		if l.add >= 0 {
			to.x = graph.Add(to.x, values[l.add].x)
		}
		if l.relu {
			to.x = graph.MaxScalar(to.x, 0)
		}
		if l.stride == 2 && to.sizes != nil { // (size-1)/2 + 1
			to.sizes = graph.AddScalar(graph.DivScalar(graph.AddScalar(to.sizes, -1), 2), 1)
		}
		values[i+1] = to
	}
	last := values[len(values)-1]
	return last.x, last.sizes
}

// precision is what the trunk is computed in.
func (b *builder) precision(x *graph.Node) *graph.Node {
	if b.half {
		return graph.ConvertDType(x, dtypes.BFloat16)
	}
	return x
}

// normalized is a convolution with its batch normalization.
func (b *builder) normalized(l layer, x *graph.Node) *graph.Node {
	weights := b.param(l.conv + ".weight")
	var bias *graph.Node
	if b.frozen { // folded here, so that the trunk is convolutions with a bias, which devices have kernels for
		deviation := graph.Sqrt(graph.AddScalar(b.param(l.bn+".running_var"), batchNormEpsilon))
		scale := graph.Div(b.param(l.bn+".weight"), deviation)
		weights = graph.Mul(weights, graph.ExpandAxes(scale, 1, 2, 3))
		bias = graph.Sub(b.param(l.bn+".bias"), graph.Mul(b.param(l.bn+".running_mean"), scale))
	} else {
		bias = b.param(l.conv + ".bias")
	}
	x = b.convolve(l, x, b.precision(weights))
	return graph.Add(x, b.precision(graph.ExpandAxes(bias, 0, 1, 2)))
}

// convolve takes weights in PyTorch's layout, [to][from][size][size].
func (b *builder) convolve(l layer, x, weights *graph.Node) *graph.Node {
	weights = graph.TransposeAllAxes(weights, 2, 3, 1, 0)
	pad := (l.size - 1) / 2
	if b.native {
		return graph.Convolve(x, weights).Strides(l.stride).PaddingPerDim([][2]int{{pad, pad}, {pad, pad}}).Done()
	}
	if pad > 0 {
		x = padded(padded(x, 1, pad), 2, pad)
	}
	var taps []*graph.Node
	in := x.Shape().Dimensions
	for dy := range l.size {
		for dx := range l.size {
			taps = append(taps, graph.Slice(x, graph.AxisRange(), taken(dy, in[1], l.size, l.stride), taken(dx, in[2], l.size, l.stride), graph.AxisRange()))
		}
	}
	x = taps[0]
	if len(taps) > 1 {
		x = graph.Concatenate(taps, 3)
	}
	d := x.Shape().Dimensions
	depth := l.size * l.size * l.from
	product := graph.Dot(graph.Reshape(x, d[0]*d[1]*d[2], depth), graph.Reshape(weights, depth, l.to)).Product()
	return graph.Reshape(product, d[0], d[1], d[2], l.to)
}

// maxPooled is 3×3, stride 2, one axis after the other. Where the padding is
// zero, that changes nothing because no value is below it after the ReLU. It is
// made of slices because their gradient is what devices compute faster.
func maxPooled(x *graph.Node) *graph.Node {
	for axis := 1; axis <= 2; axis++ {
		p := padded(x, axis, 1)
		var out *graph.Node
		for tap := range 3 {
			part := []graph.SliceAxisSpec{graph.AxisRange(), graph.AxisRange(), graph.AxisRange(), graph.AxisRange()}
			part[axis] = taken(tap, p.Shape().Dimensions[axis], 3, 2)
			if s := graph.Slice(p, part...); out == nil {
				out = s
			} else {
				out = graph.Max(out, s)
			}
		}
		x = out
	}
	return x
}

// padded adds n zeros at both ends of an axis. It is a concatenation because
// GoMLX knows no gradient of its padding.
func padded(x *graph.Node, axis, n int) *graph.Node {
	side := slices.Clone(x.Shape().Dimensions)
	side[axis] = n
	zeros := graph.Zeros(x.Graph(), shapes.Make(x.DType(), side...))
	return graph.Concatenate([]*graph.Node{zeros, x, zeros}, axis)
}

// taken is what a tap of a filter of some size takes of a padded axis of length n.
func taken(tap, n, size, stride int) graph.SliceAxisSpec {
	count := (n - size) / stride // steps after the first
	return graph.AxisRange(tap, tap+count*stride+1).Stride(stride)
}

// unitLength divides rows by their length.
func unitLength(x *graph.Node) *graph.Node {
	squares := graph.ReduceAndKeep(graph.Square(x), graph.ReduceSum, -1)
	// The root of at least ε²: its gradient stays finite.
	return graph.Div(x, graph.Sqrt(graph.MaxScalar(squares, normEpsilon*normEpsilon)))
}
