package nets

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strings"

	"locbench/retrieval/backend"
	"locbench/retrieval/imgio"
)

// Scratch returns the tensors of a network to train from nothing. Weights are
// drawn as He et al. do (Delving deep into rectifiers, ICCV 2015), the linear
// layer's as PyTorch does. What a trained network brings along is measured on
// images of the kind to train on, 16 or more: the statistics of each batch
// normalization, layer by layer, so that its output has mean 0 and variance 1;
// and a bias of the linear layer that takes the mean descriptor off, without
// which the descriptors of any two images nearly coincide and no loss tells them
// apart. The result depends on cfg, seed and images alone.
func Scratch(ctx context.Context, cfg Config, seed uint64, images []*imgio.Image) ([]Tensor, error) {
	if len(images) == 0 {
		return nil, fmt.Errorf("start network %s from scratch: want images to measure, found none", cfg.Arch)
	}
	l, err := startLearner(cfg, nil, seed)
	if err != nil {
		return nil, err
	}
	if err := l.engine.(*trainer).measure(ctx, images); err != nil {
		return nil, err
	}
	return l.Tensors()
}

// startLearner returns a learner on the embedded backend, with a drawn linear
// layer on a trunk; with a drawn one where that is nil.
func startLearner(cfg Config, trunk Tensors, seed uint64) (*Learner, error) {
	b, err := backend.Open("go")
	if err != nil {
		return nil, err
	}
	a, err := findArch(cfg.Arch)
	if err != nil {
		return nil, err
	}
	if cfg.OutDim == 0 {
		cfg.OutDim = a.channels()
	}
	all := drawn(a, cfg, seed)
	return NewLearner(b, cfg, func(name string) ([]int, []float32, bool) {
		if trunk == nil || strings.HasPrefix(name, "fc.") {
			return all(name)
		}
		return trunk(name)
	}, LearnerOptions{})
}

// drawn gives the tensors before anything is measured.
func drawn(a arch, cfg Config, seed uint64) Tensors {
	shapes, last := map[string][]int{}, map[string]bool{}
	for _, l := range a.layers() {
		if l.kind == convolution {
			shapes[l.conv+".weight"] = []int{l.to, l.from, l.size, l.size}
			for _, part := range []string{".weight", ".bias", ".running_mean", ".running_var"} {
				shapes[l.bn+part] = []int{l.to}
			}
			last[l.bn+".weight"] = l.add >= 0
		}
	}
	shapes["fc.weight"], shapes["fc.bias"] = []int{cfg.OutDim, a.channels()}, []int{cfg.OutDim}
	return func(name string) ([]int, []float32, bool) {
		shape, ok := shapes[name]
		if !ok {
			return nil, nil, false
		}
		return shape, draw(name, shape, last[name], seed), true
	}
}

// residualScale is the weight of a block's last normalization: as many blocks
// follow each other, their sum grows less.
const residualScale = 0.5

func draw(name string, shape []int, residual bool, seed uint64) []float32 {
	size := 1
	for _, n := range shape {
		size *= n
	}
	data := make([]float32, size)
	hash := fnv.New64a()
	hash.Write([]byte(name))
	rng := rand.New(rand.NewPCG(seed, hash.Sum64()))
	fanIn := size / shape[0]
	for i := range data {
		switch {
		case len(shape) == 4:
			data[i] = float32(rng.NormFloat64() * math.Sqrt(2/float64(fanIn)))
		case len(shape) == 2:
			data[i] = float32((2*rng.Float64() - 1) / math.Sqrt(float64(fanIn)))
		case residual:
			data[i] = residualScale
		case strings.HasSuffix(name, ".weight") || strings.HasSuffix(name, ".running_var"):
			data[i] = 1
		}
	}
	return data
}

// measure sets the running statistics and the linear layer's bias.
func (t *trainer) measure(ctx context.Context, images []*imgio.Image) error {
	tapes := make([]*tape, len(images))
	for i, m := range images {
		tapes[i] = newTape(t.net.layers)
		tapes[i].reserve(t.net.layers, 1, m.H, m.W)
	}
	pooled := make([][]float32, len(images))
	for i, l := range t.net.layers {
		if err := ctx.Err(); err != nil {
			return err
		}
		if l.kind == convolution {
			plain := l
			plain.relu, plain.add = false, -1
			t.convs[i].layer = plain
			for j, m := range images {
				t.layer(tapes[j], i, []*imgio.Image{m})
			}
			t.statistics(l, i, tapes)
			t.convs[i].layer = l
			t.convs[i].refresh(t.params)
		}
		for j, m := range images {
			t.layer(tapes[j], i, []*imgio.Image{m})
		}
	}
	for j := range images {
		pooled[j] = t.head.pool(&tapes[j].values[len(tapes[j].values)-1])
	}
	return t.center(pooled)
}

// statistics sets mean and variance over all pixels of the images.
func (t *trainer) statistics(l layer, i int, tapes []*tape) {
	mean, variance := t.params.named[l.bn+".running_mean"].data, t.params.named[l.bn+".running_var"].data
	sum, squares, n := make([]float64, l.to), make([]float64, l.to), 0.0
	for _, p := range tapes {
		out := &p.values[i+1]
		n += float64(out.h * out.w)
		for y := range out.h {
			for x := range out.w {
				for c, v := range out.data[out.at(y, x):][:l.to] {
					sum[c] += float64(v)
					squares[c] += float64(v) * float64(v)
				}
			}
		}
	}
	for c := range mean {
		m := sum[c] / n
		mean[c], variance[c] = float32(m), float32(max(squares[c]/n-m*m, 0))
	}
}

// center makes the mean of what the linear layer puts out zero, given the pooled
// features of some images.
func (t *trainer) center(pooled [][]float32) error {
	bias := t.params.named["fc.bias"]
	if bias == nil {
		return nil
	}
	mean := make([]float64, t.head.channels)
	for _, v := range pooled {
		if t.head.normFeatures {
			normalize(v)
		}
		for c, x := range v {
			mean[c] += float64(x) / float64(len(pooled))
		}
	}
	clear(bias.data)
	t.head.fc.bias = bias.data
	for o, v := range t.head.fc.apply(mean) {
		bias.data[o] = float32(-v)
	}
	return t.refresh()
}

// WithLinear returns the tensors of a trained trunk, which has no linear layer
// of its own or a classifier, with a new one of cfg.OutDim rows: as [Scratch]
// makes it, from images of the kind to train on.
func WithLinear(ctx context.Context, cfg Config, trunk Tensors, seed uint64, images []*imgio.Image) ([]Tensor, error) {
	if len(images) == 0 {
		return nil, fmt.Errorf("new linear layer for network %s: want images to measure, found none", cfg.Arch)
	}
	l, err := startLearner(cfg, trunk, seed)
	if err != nil {
		return nil, err
	}
	t := l.engine.(*trainer)
	pooled := make([][]float32, len(images))
	err = t.each(ctx, images, func(p *tape, list []int) {
		last := t.forward(p, pick(images, list))
		for j, i := range list {
			one := last.image(j)
			pooled[i] = t.head.pool(&one)
		}
	})
	if err != nil {
		return nil, err
	}
	if err := t.center(pooled); err != nil {
		return nil, err
	}
	return l.Tensors()
}
