// Package extracttest is support for tests: it makes checkpoints of networks
// whose weights are hashes, those of the project's reference data.
package extracttest

import (
	"math"
	"slices"
	"strings"
	"testing"

	"locbench/retrieval/weights"
)

// PCASet is the name of the PCA set of [Checkpoint], that of the published
// checkpoints.
const PCASet = "Landmarks_clean"

// Checkpoint writes the procedural network of an architecture, such as
// resnet18_rmac, as safetensors, with a PCA set of half its dimensions.
func Checkpoint(t testing.TB, path, arch string, dim int) {
	t.Helper()
	c := &weights.Checkpoint{
		Path: path, Arch: arch, OutDim: dim, Pooling: "gem", GemP: 3,
		Mean: [3]float64{0.485, 0.456, 0.406}, Std: [3]float64{0.229, 0.224, 0.225},
		PCA: map[string]*weights.PCA{PCASet: pca(dim)},
	}
	specs, err := c.Expect()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range specs {
		if !strings.HasSuffix(s.Name, ".num_batches_tracked") {
			c.Tensors = append(c.Tensors, weights.NewTensor(s.Name, s.Shape, values(s, arch)))
		}
	}
	if err := weights.WriteSafetensors(path, c); err != nil {
		t.Fatal(err)
	}
}

// pca turns the first half of the axes and drops the others.
func pca(dim int) *weights.PCA {
	p := &weights.PCA{Mean: make([]float64, dim), Whiten: true, DType: weights.Float32}
	for i := range dim / 2 {
		row := make([]float64, dim)
		row[(i+1)%dim] = 1
		p.Mean[i] = 0.01 * float64(i%3)
		p.Components = append(p.Components, row...)
		p.Variance = append(p.Variance, 1/float64(i+1))
	}
	return p
}

// values are the reference's, section 3 of its page: U is uniform in [0, 1),
// a hash of the name and the index.
func values(s weights.Spec, arch string) []float32 {
	size, fanIn := 1, 1
	for i, n := range s.Shape {
		size *= n
		if i > 0 {
			fanIn *= n
		}
	}
	u := uniform(s.Name)
	value := normValue(s.Name, arch, u)
	// A float64() around a product keeps the compiler from fusing it with a sum.
	sign := func(i int) float64 { return 1 - 2*float64(i&1) }
	scale := math.Sqrt(6 / float64(fanIn))
	switch {
	case s.Name == "adpool.p":
		value = func(int) float64 { return 3 }
	case s.Name == "conv1.weight":
		value = func(i int) float64 { return (2*u(i) - 1) * scale }
	case len(s.Shape) == 4:
		value = func(i int) float64 { return float64((2*u(i/2)-1)*scale) * sign(i) }
	case s.Name == "fc.weight":
		value = func(i int) float64 { return (2*u(i/2) - 1) / math.Sqrt(float64(fanIn)) * sign(i) }
	case s.Name == "fc.bias":
		value = func(i int) float64 { return (2*u(i) - 1) * 0.01 }
	}
	out := make([]float32, size)
	for i := range out {
		out[i] = float32(value(i))
	}
	return out
}

// normValue are the values of batch norms; those that end a residual block
// weigh half.
func normValue(name, arch string, u func(int) float64) func(int) float64 {
	parts := strings.Split(name, ".")
	last := "bn3"
	if strings.HasPrefix(arch, "resnet18") {
		last = "bn2"
	}
	gain, shift := 1., 0.2
	if len(parts) > 2 && slices.Contains(parts, last) {
		gain, shift = 0.5, 0.05
	}
	switch parts[len(parts)-1] {
	case "running_var":
		return func(i int) float64 { return 0.5 + u(i) }
	case "running_mean":
		return func(i int) float64 { return (2*u(i) - 1) * 0.1 }
	case "bias":
		return func(i int) float64 { return float64((2*u(i)-1)*0.1) - shift }
	}
	return func(i int) float64 { return (0.5 + u(i)) * gain }
}

// uniform is splitmix64 of the name's FNV-1a hash plus the index.
func uniform(name string) func(i int) float64 {
	hash := uint64(14695981039346656037)
	for i := range len(name) {
		hash = (hash ^ uint64(name[i])) * 1099511628211
	}
	return func(i int) float64 {
		z := hash + uint64(i) + 0x9E3779B97F4A7C15
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		return float64((z^z>>31)>>11) * 0x1p-53
	}
}
