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

// fold computes, in float64, weights·γ/√(σ²+ε) and β − μ·γ/√(σ²+ε).
func (l *loader) fold(c layer) folded {
	weights := l.tensor(c.conv+".weight", c.to, c.from, c.size, c.size)
	gamma, beta := l.tensor(c.bn+".weight", c.to), l.tensor(c.bn+".bias", c.to)
	mean, variance := l.tensor(c.bn+".running_mean", c.to), l.tensor(c.bn+".running_var", c.to)
	f := folded{weights: make([]float32, len(weights)), bias: make([]float32, c.to)}
	n := len(weights) / c.to
	for o := range c.to {
		scale := float64(gamma[o]) / math.Sqrt(float64(variance[o])+batchNormEpsilon)
		for i, w := range weights[o*n:][:n] {
			f.weights[o*n+i] = float32(float64(w) * scale)
		}
		f.bias[o] = float32(float64(beta[o]) - float64(mean[o])*scale)
	}
	return f
}
