package nets

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// pool makes one vector an image, [n][channels], of the feature maps
// [n][h][w][channels]; sizes may be nil.
func (b *builder) pool(x, sizes, windows *graph.Node) *graph.Node {
	g, d := x.Graph(), x.Shape().Dimensions
	if sizes == nil {
		full := graph.Const(g, [][]int32{{int32(d[1]), int32(d[2])}})
		sizes = graph.BroadcastToDims(full, d[0], 2)
	}
	if b.head.centerBias != 0 {
		x = graph.Mul(x, centerWeights(x, sizes, b.head.centerBias))
	}
	inside := mask(x, sizes)
	switch b.head.pooling {
	case mac:
		return graph.ReduceMax(graph.Mul(x, inside), 1, 2) // nothing is below zero
	case average:
		return maskedMean(x, inside)
	case rmac:
		return regionalMax(x, windows)
	}
	p := graph.ConvertDType(graph.Reshape(b.param("adpool.p")), x.DType())
	x = graph.Pow(graph.MaxScalar(x, gemEpsilon), p)
	return graph.Pow(maskedMean(x, inside), graph.Reciprocal(p))
}

// maskedMean is the mean over the pixels inside the images.
func maskedMean(x, inside *graph.Node) *graph.Node {
	count := graph.Squeeze(graph.ReduceSum(inside, 1, 2), -1) // [n]
	return graph.Div(graph.ReduceSum(graph.Mul(x, inside), 1, 2), graph.ExpandAxes(count, 1))
}

// regionalMax is R-MAC: the sum over the windows of the largest values, each
// scaled to unit length.
func regionalMax(x, windows *graph.Node) *graph.Node {
	d := x.Shape().Dimensions
	regions := windows.Shape().Dimensions[1]
	shape := shapes.Make(dtypes.Int32, d[0], regions, d[1], d[2], 1)
	bound := func(i int) *graph.Node {
		b := graph.Slice(windows, graph.AxisRange(), graph.AxisRange(), graph.AxisRange(i, i+1))
		return graph.BroadcastToShape(graph.ExpandAxes(b, 3, 4), shape)
	}
	y, col := graph.Iota(x.Graph(), shape, 2), graph.Iota(x.Graph(), shape, 3)
	in := graph.LogicalAnd(
		graph.LogicalAnd(graph.GreaterOrEqual(y, bound(0)), graph.LessThan(y, bound(2))),
		graph.LogicalAnd(graph.GreaterOrEqual(col, bound(1)), graph.LessThan(col, bound(3))))
	inside := graph.ConvertDType(in, x.DType())
	best := graph.ReduceMax(graph.Mul(graph.ExpandAxes(x, 1), inside), 2, 3) // [n][regions][channels]
	return graph.ReduceSum(unitLength(best), 1)
}

// centerWeights is [n][h][w][1]: 1 plus the bias in the middle of each image,
// see biasCenter.
func centerWeights(x, sizes *graph.Node, bias float64) *graph.Node {
	d := x.Shape().Dimensions
	shape := shapes.Make(x.DType(), d[0], d[1], d[2], 1)
	var product *graph.Node
	for axis := range 2 {
		size := graph.ConvertDType(graph.Slice(sizes, graph.AxisRange(), graph.AxisRange(axis, axis+1)), x.DType())
		steps := graph.BroadcastToShape(graph.ExpandAxes(graph.AddScalar(size, -1), 2, 3), shape)
		at := graph.Div(graph.MulScalar(graph.Iota(x.Graph(), shape, 1+axis), 3), graph.MaxScalar(steps, 1))
		weight := graph.MinScalar(graph.Min(at, graph.AddScalar(graph.Neg(at), 3)), 1)
		if product == nil {
			product = weight
		} else {
			product = graph.Mul(product, weight)
		}
	}
	return graph.AddScalar(graph.MulScalar(product, bias), 1)
}
