package landmarks

import (
	"fmt"
	"slices"

	"locbench/kapture"
	"locbench/retrieval"
	"locbench/retrieval/backend"
	"locbench/retrieval/npy"
)

// Rows are descriptors in a file, whitened as they are read. It is safe for
// concurrent use.
type Rows struct {
	File   *npy.File
	Select []int               // the rows that count, in their order; nil stands for all
	Whiten *retrieval.Whitener // nil: as they are
}

// Len is the number of descriptors.
func (r *Rows) Len() int {
	if r.Select != nil {
		return len(r.Select)
	}
	return r.File.Rows()
}

// Dim is the number of values of a descriptor as it is read.
func (r *Rows) Dim() int {
	if r.Whiten != nil {
		return r.Whiten.Out()
	}
	return r.File.Cols()
}

// check reports descriptors that the whitening does not fit.
func (r *Rows) check() error {
	if r.Whiten != nil && r.Whiten.In() != r.File.Cols() {
		return &kapture.InputError{Path: r.File.Path(), Msg: fmt.Sprintf("want descriptors of %d values for the whitening, found the shape %v", r.Whiten.In(), r.File.Shape())}
	}
	return nil
}

// whitenRows is how many descriptors are whitened at a time.
const whitenRows = 256

// Read returns n descriptors, from the one at from on. One that is not finite
// is a [kapture.InputError].
func (r *Rows) Read(from, n int) (backend.Matrix, error) {
	// The capacity is what a product reads beyond the last row.
	m := backend.Matrix{Rows: n, Cols: r.Dim(), Data: make([]float32, n*r.Dim(), (n+backend.FilterSlack)*r.Dim())}
	if r.Whiten == nil {
		return m, r.read(from, m.Data)
	}
	raw := make([]float32, min(n, whitenRows)*r.File.Cols())
	wide := make([]float64, len(raw))
	for at := 0; at < n; at += whitenRows {
		part := raw[:min(n-at, whitenRows)*r.File.Cols()]
		if err := r.read(from+at, part); err != nil {
			return backend.Matrix{}, err
		}
		for i, v := range part {
			wide[i] = float64(v)
		}
		for i, v := range r.Whiten.Apply(wide[:len(part)]) {
			m.Data[at*m.Cols+i] = float32(v)
		}
	}
	return m, nil
}

// read fills dst with descriptors as they are in the file.
func (r *Rows) read(from int, dst []float32) error {
	cols := r.File.Cols()
	if r.Select == nil {
		if err := npy.Read(r.File, from, dst); err != nil {
			return err
		}
		return r.finite(from, dst)
	}
	for i := range len(dst) / cols {
		row := dst[i*cols:][:cols]
		if err := npy.Read(r.File, r.Select[from+i], row); err != nil {
			return err
		}
		if err := r.finite(r.Select[from+i], row); err != nil {
			return err
		}
	}
	return nil
}

// finite checks rows of the file, from row from on.
func (r *Rows) finite(from int, values []float32) error {
	var sum float32 // of zeros; one look at the end is faster than one a value
	for _, v := range values {
		sum += v - v
	}
	if sum == 0 {
		return nil
	}
	i := slices.IndexFunc(values, func(v float32) bool { return v-v != 0 })
	return &kapture.InputError{Path: r.File.Path(), Msg: fmt.Sprintf("row %d, column %d: want a finite value, found %v", from+i/r.File.Cols(), i%r.File.Cols(), values[i])}
}
