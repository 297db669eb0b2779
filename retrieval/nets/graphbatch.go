package nets

import (
	"fmt"
	"math/bits"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"locbench/retrieval/imgio"
)

// pass is a graph for batches whose images all fill their shape, and one for
// those with padding to mask.
type pass struct{ full, masked *graph.Exec }

// newPass compiles nothing yet: that happens at the first batch of a shape.
func newPass(device compute.Backend, f func(in []*graph.Node, masked bool) *graph.Node) (p pass, err error) {
	one := func(masked bool) func(in []*graph.Node) []*graph.Node {
		return func(in []*graph.Node) []*graph.Node { return []*graph.Node{f(in, masked)} }
	}
	if p.full, err = newExec(device, one(false)); err == nil {
		p.masked, err = newExec(device, one(true))
	}
	return p, err
}

func newExec(device compute.Backend, f func(in []*graph.Node) []*graph.Node) (*graph.Exec, error) {
	exec, err := graph.NewExec(device, f)
	if err != nil {
		return nil, fmt.Errorf("prepare graph: %w", err)
	}
	return exec.SetMaxCache(-1), nil
}

// run computes a batch.
func (p pass) run(full bool, inputs ...*tensors.Tensor) (*tensors.Tensor, error) {
	exec := p.masked
	if full {
		exec = p.full
	}
	out, err := call(exec, inputs...)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// call runs a graph.
func call(exec *graph.Exec, inputs ...*tensors.Tensor) (out []*tensors.Tensor, err error) {
	defer func() { // what GoMLX panics with is an error here
		if r := recover(); r != nil {
			err = fmt.Errorf("run graph: %v", r)
		}
	}()
	args := make([]any, len(inputs))
	for i, t := range inputs {
		args[i] = t
	}
	return exec.Call(args...)
}

// inputs are tensors on their way to a device; after an error no more are sent.
type inputs struct {
	device compute.Backend
	list   []*tensors.Tensor
	err    error
}

func send[T number](in *inputs, dtype dtypes.DType, data []T, dims ...int) {
	if in.err != nil {
		return
	}
	t, err := upload(in.device, dtype, data, dims...)
	if err != nil {
		in.err = err
		return
	}
	in.list = append(in.list, t)
}

func (in *inputs) free() {
	for _, t := range in.list {
		t.FinalizeAll()
	}
}

// frames are images in one shape, at its upper left, and black ones after them.
type frames struct {
	pixels []uint8 // [n][h][w][3]
	sizes  []int32 // [n][2]: height and width
	full   bool    // nothing is padded
}

// framed lays images out in the memory of an earlier batch, or new memory.
func framed(pixels []uint8, images []*imgio.Image, s shape, n int) frames {
	each := s.h * s.w * 3
	if cap(pixels) < n*each {
		pixels = make([]uint8, n*each)
	}
	f := frames{pixels: pixels[:n*each], sizes: make([]int32, 2*n), full: true}
	var work sync.WaitGroup
	for j := range n {
		m := &imgio.Image{H: s.h, W: s.w} // black
		if j < len(images) {
			m = images[j]
		}
		f.sizes[2*j], f.sizes[2*j+1] = int32(m.H), int32(m.W)
		f.full = f.full && m.H == s.h && m.W == s.w
		work.Go(func() { place(f.pixels[j*each:][:each], s.w, m) })
	}
	work.Wait()
	return f
}

// place copies an image to the upper left of a black one that is w pixels wide.
func place(to []uint8, w int, m *imgio.Image) {
	if m.W == w {
		clear(to[copy(to, m.Pix):])
		return
	}
	clear(to)
	for y := range m.H {
		copy(to[y*w*3:], m.Pix[3*m.W*y:][:3*m.W])
	}
}

// powerOfTwo is the least one that is not below n: a graph is compiled for each
// size of a batch, and there must be few.
func powerOfTwo(n int) int { return 1 << bits.Len(uint(n-1)) }
