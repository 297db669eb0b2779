package train

// Plan is what a training will do and take.
type Plan struct {
	Images, Classes int
	Validation      int // images
	StepsPerEpoch   int // batches of an epoch
	Batch           int // images a step, all accumulated batches together
	Chunk           int // images that are computed at a time
	InWork          int // images whose values and gradients are in memory at a time
	Dim             int
	Rates           [3]float64 // learning rate of the first, the middle and the last step

	// Bytes.
	Network     int64 // weights, gradients, moments
	Activations int64 // of the images in work, and their gradients
	Descriptors int64 // of a batch, their gradient and the loss
	Cache       int64 // decoded images that are kept, at most
}

// Total is the memory in bytes that the training needs beside the program.
func (p Plan) Total() int64 { return p.Network + p.Activations + p.Descriptors + p.Cache }

// Plan estimates the memory and counts the data.
func (t *Trainer) Plan() Plan {
	size := t.cfg.Augment.Size
	m := t.learner.Memory(size, size, t.chunk)
	batch, dim := int64(t.cfg.Sampler.Batch), int64(t.learner.Dim())
	p := Plan{
		Images: t.set.Len(), Classes: t.set.Classes(), StepsPerEpoch: t.sampler.Steps(),
		Batch: t.cfg.Sampler.Batch * t.cfg.Accumulate, Chunk: t.chunk, InWork: m.Images, Dim: t.learner.Dim(),
		Network: m.Parameters + m.Sums, Activations: int64(m.Images) * m.Image,
		// Descriptors and gradient; the loss holds three copies, and blocks of 512
		// rows of similarities with 12 bytes beside each.
		Descriptors: batch*dim*4*7 + 512*batch*(4+17),
		Cache:       min(int64(t.cfg.CacheMB)<<20, batch*3*int64(size*size)),
	}
	if t.val != nil {
		p.Validation = t.val.Len()
	}
	for i, step := range []int{0, t.cfg.Steps / 2, t.cfg.Steps - 1} {
		p.Rates[i] = t.cfg.rate(step)
	}
	return p
}
