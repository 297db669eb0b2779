package nets

import (
	"fmt"
	"math"

	"locbench/retrieval/backend"
)

const (
	gemEpsilon  = 1e-6  // below it GeM clamps
	normEpsilon = 1e-12 // the smallest length that a vector is divided by
)

// head makes a descriptor of the last feature map: global pooling, linear
// layer, L2.
type head struct {
	pooling      pooling
	p            float64 // of gem
	centerBias   float64
	normFeatures bool
	channels     int
	fc           linear
}

// linear is the fc layer; the zero value stands for none.
type linear struct {
	outputs int
	weights []float32 // [outputs][channels]
	bias    []float32
	filter  *backend.Filter // of the embedded backend
}

// newHead reads the tensors after the trunk.
func newHead(b *backend.Backend, cfg Config, channels int, load *loader) (*head, error) {
	kind, err := findPooling(cfg.Pooling)
	if err != nil {
		return nil, fmt.Errorf("network %s: %w", cfg.Arch, err)
	}
	h := &head{pooling: kind, p: cfg.GemP, centerBias: cfg.CenterBias, normFeatures: cfg.NormFeatures, channels: channels}
	if kind == gem {
		if _, _, ok := load.tensors("adpool.p"); ok {
			h.p = float64(load.tensor("adpool.p", 1)[0])
		}
		if !(h.p > 0) && len(load.problems) == 0 {
			return nil, fmt.Errorf("network %s: want a positive exponent of GeM pooling, found %g", cfg.Arch, h.p)
		}
	}
	if cfg.WithoutFC {
		return h, nil
	}
	outputs := cfg.OutDim
	if shape, _, ok := load.tensors("fc.weight"); outputs == 0 && ok && len(shape) == 2 {
		outputs = shape[0]
	}
	h.fc.outputs = max(outputs, 1)
	h.fc.weights = load.tensor("fc.weight", h.fc.outputs, channels)
	h.fc.bias = load.tensor("fc.bias", h.fc.outputs)
	h.fc.filter = b.NewFilter(h.fc.outputs, 1, channels, h.fc.weights, h.fc.bias)
	return h, nil
}

// dim is the length of a descriptor.
func (h *head) dim() int {
	if h.fc.outputs > 0 {
		return h.fc.outputs
	}
	return h.channels
}

// describe writes the descriptor of a feature map into out.
func (h *head) describe(out []float32, x *plane) {
	pooled := h.pool(x)
	if h.normFeatures {
		normalize(pooled)
	}
	if h.fc.outputs > 0 {
		wide := make([]float32, h.fc.filter.Width())
		h.fc.filter.Apply(wide, pooled, &backend.Area{Rows: 1, Cols: 1, Offsets: []int{0}})
		pooled = wide[:h.fc.outputs]
	}
	normalize(pooled)
	copy(out, pooled)
}

// normalize divides by the length.
func normalize(x []float32) {
	var sum float64
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	norm := max(math.Sqrt(sum), normEpsilon)
	for i, v := range x {
		x[i] = float32(float64(v) / norm)
	}
}
