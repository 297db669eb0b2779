package backend

// NewFilter packs weights[o][t][c] of outputs × taps × depth and the bias of
// each output. It is nil on a device of XLA, which has convolutions of its own.
func (b *Backend) NewFilter(outputs, taps, depth int, weights, bias []float32) *Filter {
	if len(weights) != outputs*taps*depth {
		panic("backend: filter weights do not fit their shape")
	}
	l := Layout{Output: taps * depth, Feature: 1}
	for t := range taps {
		l.Taps = append(l.Taps, t*depth)
	}
	f := b.EmptyFilter(outputs, taps, depth)
	if f != nil {
		f.Pack(weights, bias, &l)
	}
	return f
}

// EmptyFilter is a filter for [Filter.Pack], and nil on a device of XLA.
func (b *Backend) EmptyFilter(outputs, taps, depth int) *Filter {
	if b.device != nil {
		return nil
	}
	cols := b.kernel.cols
	panels := (outputs + cols - 1) / cols
	return &Filter{kernel: b.kernel, taps: taps, depth: depth, outputs: outputs,
		packed: make([]float32, panels*cols*taps*depth), bias: make([]float32, panels*cols)}
}

// Layout says where a filter's weights lie: that of output o, tap t and feature c
// at Taps[t] + o·Output + c·Feature.
type Layout struct {
	Taps            []int
	Output, Feature int
}

// packFloats is about how many consecutive weights are read at a time.
const packFloats = 256

// Pack takes over weights and the bias of each output. It is not safe beside
// [Filter.Apply].
func (f *Filter) Pack(weights, bias []float32, l *Layout) {
	if len(bias) != f.outputs || len(l.Taps) != f.taps {
		panic("backend: filter weights do not fit their shape")
	}
	copy(f.bias, bias)
	features := max(1, min(f.depth, packFloats/l.Feature))
	if l.Feature > l.Output {
		features = min(f.depth, 16)
	}
	p := packer{filter: f, weights: weights, layout: l}
	for o := 0; o < f.outputs; o += f.kernel.cols {
		for c := 0; c < f.depth; c += features {
			p.block(o, c, min(features, f.depth-c))
		}
	}
}

// packer copies weights block by block: lines of consecutive ones to a place
// where they are next to each other, and from there, turned, to the panel. To
// read them across, a power of two apart, would put them all in the same few
// sets of the first-level cache.
type packer struct {
	filter  *Filter
	weights []float32
	layout  *Layout
	lines   []float32
}

// block packs n features from feature c on of the panel of output o.
func (p *packer) block(o, c, n int) {
	f, l := p.filter, p.layout
	outputs := min(f.kernel.cols, f.outputs-o)
	// What is next to each other in memory: features of an output, or outputs of
	// a feature.
	lines, along, near, far := outputs, n, l.Feature, l.Output
	if l.Feature > l.Output {
		lines, along, near, far = n, outputs, l.Output, l.Feature
	}
	last := 0
	for _, t := range l.Taps {
		last = max(last, t)
	}
	stride := (along-1)*near + last + 1
	size := stride
	stride |= 1 // lines begin in different sets
	if len(p.lines) < lines*stride {
		p.lines = make([]float32, lines*stride)
	}
	for i := range lines {
		copy(p.lines[i*stride:][:size], p.weights[o*l.Output+c*l.Feature+i*far:])
	}
	byOutput, byFeature := stride, near
	if l.Feature > l.Output {
		byOutput, byFeature = near, stride
	}
	cols := f.kernel.cols
	for t, place := range l.Taps {
		for i := range n {
			k := place + i*byFeature
			to := f.packed[o*f.taps*f.depth+(t*f.depth+c+i)*cols:][:outputs]
			for j := range to {
				to[j] = p.lines[k]
				k += byOutput
			}
		}
	}
}
