package nets

// Memory is what training takes, in bytes.
type Memory struct {
	Parameters int64 // the network, its gradient and Adam's moments
	// Sums are the gradients of the images in work, on the embedded backend.
	Sums int64
	// Image is what an image of the size asked for takes while it is in work.
	Image int64
	// Images are in work at a time.
	Images int
}

// Memory estimates what training on images of w×h pixels takes, of which a call
// has n: values and gradients of all layers for each image that is in work.
func (l *Learner) Memory(w, h, n int) Memory {
	var m Memory
	for _, p := range l.params.list {
		m.Parameters += 4 * int64(len(p.data)+len(p.grad)+len(p.m)+len(p.v))
	}
	sizes := make([]shape, len(l.network.layers)+1)
	sizes[0] = shape{h, w}
	for i, layer := range l.network.layers {
		in := sizes[layer.in]
		sizes[i+1] = shape{(in.h-1)/layer.stride + 1, (in.w-1)/layer.stride + 1}
		m.Image += 2 * 4 * int64(planeSize(1, sizes[i+1].h, sizes[i+1].w, layer.to))
	}
	if t, ok := l.engine.(*trainer); ok {
		m.Images = min(t.jobs()*groupOf(w*h), n, max(1, flyingPixels/4/(w*h)))
		for _, p := range l.params.list {
			if p.learned {
				m.Sums += 4 * lanes * int64(len(p.data))
			}
		}
		return m
	}
	m.Images = min(n, learnBatch(w*h))
	if l.engine.(*graphLearner).network.half {
		m.Image /= 2
	}
	return m
}
