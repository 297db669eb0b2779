package nets

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Tensors gives a tensor of a checkpoint by its name in the state dict, data in
// row-major order; ok is false if there is none.
type Tensors func(name string) (shape []int, data []float32, ok bool)

// batchNormEpsilon is torchvision's.
const batchNormEpsilon = 1e-5

// maxProblems bounds how many wrong tensors an error lists.
const maxProblems = 10

// loader reads tensors and collects what is wrong with them.
type loader struct {
	tensors  Tensors
	problems []error
}

// tensor returns a tensor of that shape, or zeros after noting what is wrong.
func (l *loader) tensor(name string, shape ...int) []float32 {
	size := 1
	for _, n := range shape {
		size *= n
	}
	found, data, ok := l.tensors(name)
	switch {
	case !ok:
		l.problems = append(l.problems, fmt.Errorf("tensor %s: want shape %v, found none of that name", name, shape))
	case !slices.Equal(found, shape):
		l.problems = append(l.problems, fmt.Errorf("tensor %s: want shape %v, found %v", name, shape, found))
	case len(data) != size:
		l.problems = append(l.problems, fmt.Errorf("tensor %s: want %d values for shape %v, found %d", name, size, shape, len(data)))
	default:
		return data
	}
	return make([]float32, size)
}

// err joins the problems, at most maxProblems of them.
func (l *loader) err() error {
	if extra := len(l.problems) - maxProblems; extra > 0 {
		return errors.Join(append(l.problems[:maxProblems:maxProblems], fmt.Errorf("and %d more", extra))...)
	}
	return errors.Join(l.problems...)
}

// folded is a convolution with its batch normalization folded into it.
type folded struct {
	weights []float32 // [to][from][size][size]
	bias    []float32 // [to]
}

// fold reads a layer's tensors and folds them.
func (l *loader) fold(c layer) folded {
	n := normalized{
		weights: l.tensor(c.conv+".weight", c.to, c.from, c.size, c.size),
		gamma:   l.tensor(c.bn+".weight", c.to), beta: l.tensor(c.bn+".bias", c.to),
		mean: l.tensor(c.bn+".running_mean", c.to), variance: l.tensor(c.bn+".running_var", c.to),
	}
	f := folded{weights: make([]float32, len(n.weights)), bias: make([]float32, c.to)}
	n.fold(f, make([]float64, c.to))
	return f
}

// normalized are the tensors of a convolution with its batch normalization.
type normalized struct{ weights, gamma, beta, mean, variance []float32 }

// fold computes, in float64, weights·γ/√(σ²+ε) and β − μ·γ/√(σ²+ε), and the
// scale γ/√(σ²+ε).
func (n *normalized) fold(f folded, scale []float64) {
	area := len(n.weights) / len(scale)
	for o := range scale {
		k := float64(n.gamma[o]) / math.Sqrt(float64(n.variance[o])+batchNormEpsilon)
		scale[o] = k
		to := f.weights[o*area:][:area]
		for i, w := range n.weights[o*area:][:area] {
			to[i] = float32(float64(w) * k)
		}
		f.bias[o] = float32(float64(n.beta[o]) - float64(n.mean[o])*k)
	}
}
