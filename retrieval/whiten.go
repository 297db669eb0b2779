package retrieval

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// PCA is a principal component analysis of descriptors, as scikit-learn keeps
// it.
type PCA struct {
	Mean       []float64 // of each of the descriptor's values
	Components []float64 // row i, at [i*len(Mean):(i+1)*len(Mean)], is the i-th direction, of unit length
	Variance   []float64 // of the descriptors along each direction, descending
	// Whiten says that whitening divides by a power of the variance; without
	// it, descriptors are only rotated.
	Whiten bool
}

// Whitening says how a PCA is applied.
type Whitening struct {
	Dim   int     // directions to keep, the first ones; 0 stands for all
	Power float64 // of the variance: 0.25 in the published tables, 0.5 gives unit variance
	Mult  float64 // factor of the divisor; it has no effect on rows of unit length
	Raw   bool    // do not scale the results to unit length
}

// Whitener whitens descriptors. It is safe for concurrent use.
type Whitener struct {
	mean  []float64
	basis blas64.General // len(mean) × dimensions kept
	raw   bool
}

// Whitener prepares y = (x − mean) · componentsᵀ / (m · variance^p), scaled to
// unit length unless w.Raw (dirtorch.utils.common.whiten_features). Asked for
// more directions than the PCA has, or for ones without variance where it would
// divide by it, it returns an error that says how many there are.
func (p *PCA) Whitener(w Whitening) (*Whitener, error) {
	dim, kept := len(p.Mean), w.Dim
	if kept == 0 {
		kept = len(p.Variance)
	}
	if kept < 1 || kept > len(p.Variance) || len(p.Components) != dim*len(p.Variance) {
		return nil, fmt.Errorf("want 1 to %d whitened dimensions, found %d", len(p.Variance), kept)
	}
	basis := blas64.General{Rows: dim, Cols: kept, Stride: kept, Data: make([]float64, dim*kept)}
	for k := range kept {
		divisor := 1.0
		if p.Whiten {
			divisor = w.Mult * math.Pow(p.Variance[k], w.Power)
		}
		if !(divisor > 0) || math.IsInf(divisor, 0) {
			return nil, fmt.Errorf("direction %d of %d has the variance %v: want at most %d whitened dimensions", k+1, len(p.Variance), p.Variance[k], k)
		}
		for i := range dim {
			basis.Data[i*kept+k] = p.Components[k*dim+i] / divisor
		}
	}
	return &Whitener{mean: p.Mean, basis: basis, raw: w.Raw}, nil
}

// In is the number of values of a descriptor, Out that of a whitened one.
func (w *Whitener) In() int  { return w.basis.Rows }
func (w *Whitener) Out() int { return w.basis.Cols }

// Apply returns the whitened rows, [Whitener.Out] values each. A row's result
// does not depend on the other rows. It panics unless rows holds whole rows.
func (w *Whitener) Apply(rows []float64) []float64 {
	in, out := w.In(), w.Out()
	n := len(rows) / in
	if n*in != len(rows) {
		panic("retrieval: descriptors of another length than the whitening's")
	}
	if n == 0 {
		return nil
	}
	centred := make([]float64, len(rows))
	for i, v := range rows {
		centred[i] = v - w.mean[i%in]
	}
	result := blas64.General{Rows: n, Cols: out, Stride: out, Data: make([]float64, n*out)}
	blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, blas64.General{Rows: n, Cols: in, Stride: in, Data: centred}, w.basis, 0, result)
	if !w.raw {
		for i := range n {
			Normalize(result.Data[i*out:][:out])
		}
	}
	return result.Data
}

// pcaBlock is how many descriptors are held at a time while a PCA is learned.
const pcaBlock = 512

// leastVariance is the part of the largest variance below which a direction
// holds rounding errors only.
const leastVariance = 1e-12

// ErrSame is what [LearnPCA] returns where it has nothing to learn from.
var ErrSame = errors.New("want descriptors that differ, found all of them the same")

// LearnPCA returns the PCA of n descriptors of dim values each, with Whiten set.
// read puts the descriptors from row from on into dst, as many as it holds; it
// is called twice for each row, in order. Directions without variance are left
// out, so that there are at most n − 1. The sign of a direction is arbitrary: its
// entry of largest magnitude is positive, as in scikit-learn since 1.5. The
// result depends on the descriptors alone.
func LearnPCA(ctx context.Context, n, dim int, read func(from int, dst []float64) error) (*PCA, error) {
	if n < 2 || dim < 1 {
		return nil, fmt.Errorf("want at least 2 descriptors of at least 1 value to learn from, found %d of %d", n, dim)
	}
	mean := make([]float64, dim)
	err := blocks(ctx, n, dim, read, func(rows []float64) {
		for i, v := range rows {
			mean[i%dim] += v
		}
	})
	if err != nil {
		return nil, err
	}
	for i := range mean {
		mean[i] /= float64(n)
	}
	square := func() blas64.General {
		return blas64.General{Rows: dim, Cols: dim, Stride: dim, Data: make([]float64, dim*dim)}
	}
	scatter := square()
	err = blocks(ctx, n, dim, read, func(rows []float64) { addScatter(scatter, mean, rows) })
	if err != nil {
		return nil, err
	}
	for i := range scatter.Data {
		scatter.Data[i] /= float64(n - 1)
	}
	return principal(mean, scatter)
}

// blocks hands all rows to use, a block at a time.
func blocks(ctx context.Context, n, dim int, read func(int, []float64) error, use func([]float64)) error {
	rows := make([]float64, min(n, pcaBlock)*dim)
	for from := 0; from < n; from += pcaBlock {
		if err := ctx.Err(); err != nil {
			return err
		}
		block := rows[:min(pcaBlock, n-from)*dim]
		if err := read(from, block); err != nil {
			return err
		}
		use(block)
	}
	return nil
}

// addScatter adds Σ (x − mean)(x − mean)ᵀ over rows, which it overwrites.
func addScatter(scatter blas64.General, mean, rows []float64) {
	dim := len(mean)
	n := len(rows) / dim
	turned := make([]float64, len(rows)) // a product by rows is four times faster than one by columns
	for i := range n {
		for j, m := range mean {
			rows[i*dim+j] -= m
			turned[j*n+i] = rows[i*dim+j]
		}
	}
	blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, blas64.General{Rows: dim, Cols: n, Stride: n, Data: turned},
		blas64.General{Rows: n, Cols: dim, Stride: dim, Data: rows}, 1, scatter)
}

// principal finds the directions of a covariance.
func principal(mean []float64, covariance blas64.General) (*PCA, error) {
	dim := len(mean)
	var eigen mat.EigenSym
	if !eigen.Factorize(mat.NewSymDense(dim, covariance.Data), true) {
		return nil, fmt.Errorf("the covariance of the descriptors has no eigenvalues")
	}
	values := eigen.Values(nil) // ascending
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	p := &PCA{Mean: mean, Whiten: true}
	for k := dim - 1; k >= 0 && values[k] > leastVariance*values[dim-1]; k-- {
		p.Variance = append(p.Variance, values[k])
		direction := mat.Col(nil, k, &vectors)
		largest := 0
		for i, v := range direction {
			if math.Abs(v) > math.Abs(direction[largest]) {
				largest = i
			}
		}
		sign := math.Copysign(1, direction[largest])
		for _, v := range direction {
			p.Components = append(p.Components, sign*v)
		}
	}
	if len(p.Variance) == 0 {
		return nil, ErrSame
	}
	return p, nil
}
