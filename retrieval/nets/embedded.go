package nets

import (
	"context"
	"sync"

	"locbench/retrieval/backend"
)

// input is a normalized image: fill writes row y as 3·w floats, RGB RGB ….
type input struct {
	h, w int
	fill func(y int, row []float32)
}

// The stem is computed for stemRows rows of the pooled plane at a time, so that
// the largest value of the network never exists as a whole.
const (
	stemRows    = 8
	stemSize    = 7
	stemPadding = 3
)

// embedded computes the trunk with the filters of the embedded backend, layer
// by layer, reading and writing planes.
type embedded struct {
	backend *backend.Backend
	layers  []layer
	filters []*backend.Filter // by layer
	slots   []int             // by value: the buffer that holds it
}

// newEmbedded packs the filters of the trunk.
func newEmbedded(b *backend.Backend, layers []layer, load *loader) *embedded {
	e := &embedded{backend: b, layers: layers, slots: assignSlots(layers)}
	e.filters = make([]*backend.Filter, len(layers))
	for i, l := range layers {
		if l.kind != convolution {
			continue
		}
		f := load.fold(l)
		if len(load.problems) > 0 {
			continue // read on, to report all of them
		}
		taps := l.size * l.size
		if i == 0 { // a row of the filter is one tap: its 7 pixels lie together
			taps = l.size
		}
		depth := l.from * l.size * l.size / taps
		e.filters[i] = b.NewFilter(l.to, taps, depth, channelsLast(f.weights, l), f.bias)
	}
	return e
}

// channelsLast turns [to][from][size][size] into [to][size][size][from].
func channelsLast(weights []float32, l layer) []float32 {
	area := l.size * l.size
	if area == 1 {
		return weights
	}
	out := make([]float32, len(weights))
	for o := range l.to {
		filter := weights[o*l.from*area:][:l.from*area]
		to := out[o*l.from*area:][:l.from*area]
		for c := range l.from {
			for t := range area {
				to[t*l.from+c] = filter[c*area+t]
			}
		}
	}
	return out
}

// assignSlots gives every value a buffer: that of the value which is added to
// it, if nothing else needs that afterwards, or else a free one. The image and
// the stem's output have none: they are -1.
func assignSlots(layers []layer) []int {
	last := make([]int, len(layers)+1)
	for i, l := range layers {
		last[l.in] = i
		if l.add >= 0 {
			last[l.add] = i
		}
	}
	slots := make([]int, len(layers)+1)
	slots[0], slots[1] = -1, -1
	var free []int
	used := 0
	for i, l := range layers[1:] {
		i++
		switch {
		case l.add >= 0 && last[l.add] == i:
			slots[i+1] = slots[l.add]
		case len(free) > 0:
			slots[i+1] = free[len(free)-1]
			free = free[:len(free)-1]
		default:
			slots[i+1] = used
			used++
		}
		if slots[l.in] >= 0 && last[l.in] == i {
			free = append(free, slots[l.in])
		}
	}
	return slots
}

// arena is the memory of one image in flight; it is kept for the next image.
type arena struct {
	input  []float32
	slots  [][]float32
	strips [][]float32 // one a worker
}

// grow returns a buffer of at least n floats, b itself if it is large enough.
func grow(b []float32, n int) []float32 {
	if len(b) >= n {
		return b
	}
	return make([]float32, n)
}

// shape is a value's height and width.
type shape struct{ h, w int }

// shapes lists the shape of every value for an image of that size.
func (e *embedded) shapes(h, w int) []shape {
	s := make([]shape, len(e.layers)+1)
	s[0] = shape{h, w}
	for i, l := range e.layers {
		in := s[l.in]
		s[i+1] = shape{(in.h-1)/l.stride + 1, (in.w-1)/l.stride + 1}
	}
	return s
}

// reserve makes the buffers large enough for all values.
func (e *embedded) reserve(a *arena, shapes []shape, workers int) {
	sizes := map[int]int{}
	for i, l := range e.layers {
		if slot := e.slots[i+1]; slot >= 0 {
			sizes[slot] = max(sizes[slot], planeSize(1, shapes[i+1].h, shapes[i+1].w, l.to))
		}
	}
	for len(a.slots) < len(sizes) {
		a.slots = append(a.slots, nil)
	}
	for slot, n := range sizes {
		a.slots[slot] = grow(a.slots[slot], n)
	}
	for len(a.strips) < workers {
		a.strips = append(a.strips, nil)
	}
	for i := range a.strips {
		a.strips[i] = grow(a.strips[i], stripSize(shapes[1].w, e.layers[0].to))
	}
	padded := shape{shapes[0].h + 2*stemPadding, shapes[0].w + 2*stemPadding}
	a.input = grow(a.input, 3*(padded.h*padded.w+2*backend.FilterSlack+stemSize))
}

// run returns the last feature map, which lies in the arena.
func (e *embedded) run(ctx context.Context, a *arena, in input, workers int) (plane, error) {
	shapes := e.shapes(in.h, in.w)
	e.reserve(a, shapes, workers)
	values := make([]plane, len(shapes))
	for i, s := range shapes {
		if slot := e.slots[i]; slot >= 0 {
			values[i] = newPlane(a.slots[slot], 1, s.h, s.w, e.layers[i-1].to)
		}
	}
	e.stem(a, in, shapes[1], &values[2], workers)
	for i, l := range e.layers {
		if err := ctx.Err(); err != nil {
			return plane{}, err
		}
		if i >= 2 {
			e.conv(l, e.filters[i], &values[l.in], &values[i+1], workers)
		}
	}
	return values[len(values)-1], nil
}

// conv computes one layer.
func (e *embedded) conv(l layer, f *backend.Filter, in, out *plane, workers int) {
	area := backend.Area{Add: l.add >= 0, ReLU: l.relu, InStep: l.stride * in.step, OutStep: out.step}
	area.InRow, area.OutRow = l.stride*in.row()*in.step, out.row()*out.step
	half := l.size / 2
	for dy := -half; dy <= half; dy++ {
		for dx := -half; dx <= half; dx++ {
			area.Offsets = append(area.Offsets, (dy*in.row()+dx)*in.step)
		}
	}
	parallel(workers, out.h, func(_, from, to int) {
		a := area
		a.In, a.Out = in.at(l.stride*from, 0), out.at(from, 0)
		a.Rows, a.Cols = to-from, out.w
		if l.stride == 1 { // one long row; what falls between the rows is cleared
			a.Rows, a.Cols = 1, (to-from)*out.row()-1
		}
		f.Apply(out.data, in.data, &a)
		out.clearBorder(from, to)
	})
}

// stem computes the first convolution and the max pooling.
func (e *embedded) stem(a *arena, in input, size shape, out *plane, workers int) {
	row := 3 * (in.w + 2*stemPadding)
	parallel(workers, in.h, func(_, from, to int) {
		for y := from; y < to; y++ {
			line := a.input[(y+stemPadding)*row:][:row]
			clear(line[:3*stemPadding])
			in.fill(y, line[3*stemPadding:][:3*in.w])
			clear(line[3*(stemPadding+in.w):])
		}
	})
	clear(a.input[:stemPadding*row])
	clear(a.input[(in.h+stemPadding)*row:][:stemPadding*row])
	chunks := (out.h + stemRows - 1) / stemRows
	parallel(workers, chunks, func(worker, from, to int) {
		for i := from; i < to; i++ {
			s := strip{embedded: e, data: a.strips[worker], size: size}
			s.compute(a.input, row, i*stemRows, min((i+1)*stemRows, out.h), out)
			out.clearBorder(i*stemRows, min((i+1)*stemRows, out.h))
		}
	})
}

// strip is a few rows of the stem's output, with a zero pixel on either side
// of a row, and one row for the maximum of three.
type strip struct {
	*embedded
	data []float32
	size shape // of the stem's whole output
}

func stripSize(w, c int) int {
	return ((2*stemRows+2)*(w+2) + backend.FilterSlack) * pixelStep(c)
}

// compute fills the rows from … to-1 of the pooled plane from the padded image.
// Outside the stem's output the maximum is over fewer pixels; zeros do not
// change it, because nothing is below zero after the ReLU.
func (s *strip) compute(image []float32, imageRow, from, to int, out *plane) {
	c := pixelStep(s.layers[0].to)
	row := (s.size.w + 2) * c
	first, last := max(0, 2*from-1), min(s.size.h-1, 2*to-1)
	rows := s.data[row:]
	area := backend.Area{Rows: last - first + 1, Cols: s.size.w, ReLU: true}
	area.In, area.InStep, area.InRow = 2*first*imageRow, 6, 2*imageRow
	area.Out, area.OutStep, area.OutRow = c, c, row
	for dy := range stemSize {
		area.Offsets = append(area.Offsets, dy*imageRow)
	}
	s.filters[0].Apply(rows, image, &area)
	for y := range area.Rows {
		clear(rows[y*row : y*row+c])
		clear(rows[(y+1)*row-c : (y+1)*row])
	}
	line := func(y int) []float32 { return rows[(min(max(y, first), last)-first)*row:][:row] }
	high := s.data[:row]
	for y := from; y < to; y++ {
		s.backend.Max3(high, line(2*y-1), line(2*y), line(2*y+1))
		for x := range out.w {
			i := 2 * x * c
			s.backend.Max3(out.data[out.at(y, x):][:out.step], high[i:], high[i+c:], high[i+2*c:])
		}
	}
}

// parallel splits 0 … n-1 into a range a worker and waits for all.
func parallel(workers, n int, f func(worker, from, to int)) {
	workers = max(1, min(workers, n))
	var group sync.WaitGroup
	for i := 1; i < workers; i++ {
		group.Go(func() { f(i, i*n/workers, (i+1)*n/workers) })
	}
	f(0, 0, n/workers)
	group.Wait()
}
