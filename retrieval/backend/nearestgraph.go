package backend

import (
	"context"
	"fmt"
	"math"
	"math/bits"
	"unsafe"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// The largest block of products that a device holds of a pair of matrices: 4,096 ×
// 32,768 scores are 512 MiB.
const (
	nearestQueries = 4096
	nearestRows    = 32768
)

// graphNearest is [Backend.NearestBoth] as a GoMLX graph. Every product is
// computed once, a block at a time, and reduced both ways on the device.
func (b *Backend) graphNearest(ctx context.Context, a, c Matrix, ofA, ofC []Nearest) error {
	b.nearestOnce.Do(func() {
		if b.nearestExec, b.nearestErr = graph.NewExec(b.device, nearestGraph); b.nearestErr == nil {
			b.nearestExec.SetMaxCache(-1)
		}
	})
	if b.nearestErr != nil {
		return fmt.Errorf("prepare nearest neighbours: %w", b.nearestErr)
	}
	rows, queries := stepSize(min(a.Rows, nearestRows)), stepSize(min(c.Rows, nearestQueries))
	for at := 0; at < a.Rows; at += rows {
		block, err := b.uploadRows(a, at, rows)
		if err != nil {
			return err
		}
		for from := 0; from < c.Rows && err == nil; from += queries {
			if err = ctx.Err(); err == nil {
				err = b.nearestBlock(block, c, at, from, queries, ofA, ofC)
			}
		}
		block.FinalizeAll()
		if err != nil {
			return fmt.Errorf("nearest neighbours on %s: %w", b.device.Name(), err)
		}
	}
	return nil
}

// nearestBlock merges what rows of a, from row at on, and rows of c, from row from
// on, are to each other.
func (b *Backend) nearestBlock(a *tensors.Tensor, c Matrix, at, from, queries int, ofA, ofC []Nearest) error {
	block, err := b.uploadRows(c, from, queries)
	if err != nil {
		return err
	}
	defer block.FinalizeAll()
	out, err := b.nearestExec.Call(block, a, int32(min(queries, len(ofC)-from)), int32(min(a.Shape().Dimensions[0], len(ofA)-at)))
	if err != nil {
		return err
	}
	defer func() {
		for _, t := range out {
			t.FinalizeAll()
		}
	}()
	for side, of := range [2][]Nearest{ofC[from:], ofA[at:]} {
		index, err := tensors.CopyFlatData[int32](out[3*side])
		if err != nil {
			return err
		}
		first, err := tensors.CopyFlatData[float32](out[3*side+1])
		if err != nil {
			return err
		}
		second, err := tensors.CopyFlatData[float32](out[3*side+2])
		if err != nil {
			return err
		}
		base := [2]int{at, from}[side]
		for i := range min(len(of), len(index)) {
			if !math.IsInf(float64(first[i]), -1) {
				of[i].merge(Nearest{Index: index[i] + int32(base), Score: first[i], Second: second[i]})
			}
		}
	}
	return nil
}

// nearestGraph takes rows of c and of a, of which the first nc and na are real, and
// returns for each row of c the index of its best row of a, that product and the
// second best, and the same for each row of a.
func nearestGraph(in []*graph.Node) []*graph.Node {
	c, a, nc, na := in[0], in[1], in[2], in[3]
	scores := graph.Dot(c, a).General([]int{1}, nil, []int{1}, nil)
	g := scores.Graph()
	place := func(axis int) *graph.Node {
		return graph.Iota(g, shapes.Make(dtypes.Int32, scores.Shape().Dimensions...), axis)
	}
	spread := func(x *graph.Node) *graph.Node { return graph.BroadcastToShape(x, place(0).Shape()) }
	nothing := graph.BroadcastToShape(graph.Scalar(g, dtypes.Float32, math.Inf(-1)), scores.Shape())
	real := graph.LogicalAnd(graph.LessThan(place(0), spread(nc)), graph.LessThan(place(1), spread(na)))
	scores = graph.Where(graph.LogicalAnd(real, graph.LogicalNot(graph.IsNaN(scores))), scores, nothing)
	var out []*graph.Node
	for _, axis := range []int{1, 0} {
		best := graph.ArgMax(scores, axis, dtypes.Int32)
		others := graph.Where(graph.Equal(place(axis), graph.BroadcastToShape(graph.InsertAxes(best, axis), place(axis).Shape())), nothing, scores)
		out = append(out, best, graph.ReduceMax(scores, axis), graph.ReduceMax(others, axis))
	}
	return out
}

// uploadRows puts n rows of a matrix, from row from on, on the device, zeros beyond
// the last.
func (b *Backend) uploadRows(m Matrix, from, n int) (*tensors.Tensor, error) {
	data := m.Data[from*m.Cols : min(from+n, m.Rows)*m.Cols]
	if len(data) < n*m.Cols {
		data = append(make([]float32, 0, n*m.Cols), data...)[:n*m.Cols]
	}
	raw := unsafe.Slice((*byte)(unsafe.Pointer(&data[0])), len(data)*4)
	return tensors.FromRaw(b.device, 0, shapes.Make(dtypes.Float32, n, m.Cols), raw)
}

// stepSize rounds a number of rows up to one of four sizes an octave: XLA compiles
// once for every shape, and images have any number of keypoints.
func stepSize(n int) int {
	if n <= 256 {
		return 256
	}
	step := 1 << (bits.Len(uint(n-1)) - 3)
	return (n + step - 1) / step * step
}
