package localize

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"locbench/kapture"
)

// BDI is barycentric descriptor interpolation (Torii, Sivic, Pajdla: Visual
// localization by linear combination of image descriptors, ICCV workshops
// 2011): the weights minimize |q − Σ wᵢdᵢ|² subject to Σ wᵢ = 1. They may be
// negative. It needs descriptors, so it does not work from a pairs file.
//
// # Closed form
//
// With the mean d̄ of the k descriptors and w = 1/k + v, the problem is least
// squares in v: min |(q − d̄) − D v| with columns dᵢ − d̄. The constraint Σ v = 0
// costs nothing: D maps the vector of ones to zero, and the solution of least
// norm, v = D⁺(q − d̄), is orthogonal to all that D maps to zero. Of all optimal
// weights, v of least norm gives those that are most equal; so descriptors that
// coincide share their weight, and nothing is divided by zero.
//
// # Rank
//
// Descriptors are float32: differences below rankTolerance of their length are
// rounding, and must not decide about weights. Singular values of D up to
// rankTolerance times the largest |dᵢ| count as zero.
type BDI struct{}

// rankTolerance is about ten times the rounding error of a float32 unit vector.
const rankTolerance = 1e-6

// Localize implements [Localizer].
func (BDI) Localize(ctx context.Context, q Query) (Result, error) {
	return approximate(ctx, q, barycentricWeights)
}

func barycentricWeights(q Query) ([]float64, string, error) {
	w, _, err := equalWeights(q)
	if err != nil || len(w) == 1 {
		return w, "", err
	}
	d, rest, longest, err := centred(q)
	if err != nil {
		return nil, "", err
	}
	var svd mat.SVD
	if !svd.Factorize(d, mat.SVDThin) {
		return nil, "", errors.New("the singular values of the descriptors do not converge")
	}
	rank := 0
	for _, s := range svd.Values(nil) {
		if s > rankTolerance*longest {
			rank++
		}
	}
	if rank == 0 {
		return w, "", nil // all descriptors coincide
	}
	var v mat.VecDense
	svd.SolveVecTo(&v, rest, rank)
	for i := range w {
		w[i] += v.AtVec(i)
	}
	return w, "", nil
}

// centred returns the neighbours' descriptors less their mean as columns, the
// query's less that mean, and the length of the longest descriptor.
func centred(q Query) (d *mat.Dense, rest *mat.VecDense, longest float64, err error) {
	k, n := len(q.Neighbors), len(q.Descriptor)
	if n == 0 {
		return nil, nil, 0, &kapture.InputError{Path: q.Name, Msg: "want a descriptor (BDI does not work from scores alone), found none"}
	}
	if _, err := length(q.Name, q.Descriptor); err != nil {
		return nil, nil, 0, err
	}
	d = mat.NewDense(n, k, nil)
	rest = mat.NewVecDense(n, nil)
	for j, m := range q.Neighbors {
		if len(m.Descriptor) != n {
			return nil, nil, 0, &kapture.InputError{Path: m.Name, Msg: fmt.Sprintf("want a descriptor of %d numbers as the query's, found %d", n, len(m.Descriptor))}
		}
		l, err := length(m.Name, m.Descriptor)
		if err != nil {
			return nil, nil, 0, err
		}
		longest = max(longest, l)
		for i, x := range m.Descriptor {
			d.Set(i, j, float64(x))
		}
	}
	for i := range n {
		row, mean := d.RawRowView(i), 0.0
		for _, x := range row {
			mean += x
		}
		mean /= float64(k)
		for j := range row {
			row[j] -= mean
		}
		rest.SetVec(i, float64(q.Descriptor[i])-mean)
	}
	return d, rest, longest, nil
}

// length returns the Euclidean length of a descriptor, which must be finite.
func length(name string, d []float32) (float64, error) {
	sum := 0.0
	for _, x := range d {
		sum += float64(x) * float64(x)
	}
	if math.IsNaN(sum) || math.IsInf(sum, 0) {
		return 0, &kapture.InputError{Path: name, Msg: "want a descriptor of finite numbers, found NaN or infinity"}
	}
	return math.Sqrt(sum), nil
}
