package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"locbench/kapture"
	"locbench/retrieval"
	"locbench/retrieval/landmarks"
	"locbench/retrieval/npy"
)

// whitenInput are descriptors to learn from or to whiten.
type whitenInput interface {
	Len() int
	Dim() int
	// read puts the descriptors from the one at from on into dst.
	read(from int, dst []float64) error
	// whiten writes them whitened, as the same kind.
	whiten(ctx context.Context, w *retrieval.Whitener, out string) error
	Close() error
}

func openWhitenInput(path string) (whitenInput, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		f, err := kapture.OpenFeatures(path, kapture.GlobalFeatures)
		if err != nil {
			return nil, err
		}
		return &whitenFeatures{f, f.Images()}, nil
	}
	file, err := npy.Open(path)
	if err != nil {
		return nil, err
	}
	return &whitenRows{landmarks.Rows{File: file}}, nil
}

// whitenBlock is how many descriptors are held at a time.
const whitenBlock = 512

// whitenRows are the rows of an .npy file.
type whitenRows struct{ landmarks.Rows }

func (r *whitenRows) Close() error { return r.File.Close() }

func (r *whitenRows) read(from int, dst []float64) error {
	m, err := r.Read(from, len(dst)/r.Dim())
	if err != nil {
		return err
	}
	for i, v := range m.Data {
		dst[i] = float64(v)
	}
	return nil
}

func (r *whitenRows) whiten(ctx context.Context, w *retrieval.Whitener, out string) error {
	file, err := npy.Create[float32](out, r.Len(), w.Out())
	if err != nil {
		return err
	}
	defer file.Abort()
	rows := landmarks.Rows{File: r.File, Whiten: w}
	for from := 0; from < r.Len(); from += whitenBlock {
		if err := ctx.Err(); err != nil {
			return err
		}
		m, err := rows.Read(from, min(whitenBlock, r.Len()-from))
		if err != nil {
			return err
		}
		if err := file.Write(m.Data); err != nil {
			return err
		}
	}
	return file.Close()
}

// whitenFeatures are kapture global features, a descriptor an image.
type whitenFeatures struct {
	*kapture.Features
	images []string
}

func (f *whitenFeatures) Len() int { return len(f.images) }
func (f *whitenFeatures) Dim() int { return f.Header().DSize }

func (f *whitenFeatures) read(from int, dst []float64) error {
	dim := f.Dim()
	for i := range len(dst) / dim {
		name := f.images[from+i]
		row, err := f.Float64(name, nil)
		if err != nil {
			return err
		}
		if len(row) != dim {
			return &kapture.InputError{Path: f.Path(name), Msg: fmt.Sprintf("want %d values, found %d", dim, len(row))}
		}
		for j, v := range row {
			if v-v != 0 {
				return &kapture.InputError{Path: f.Path(name), Msg: fmt.Sprintf("want finite values, found %v as value %d of %d", v, j+1, dim)}
			}
		}
		copy(dst[i*dim:], row)
	}
	return nil
}

func (f *whitenFeatures) whiten(ctx context.Context, w *retrieval.Whitener, out string) error {
	header := f.Header()
	header.Name, header.DType, header.DSize = filepath.Base(out), "float32", w.Out()
	writer, err := kapture.CreateFeatures(out, kapture.GlobalFeatures, header)
	if err != nil {
		return err
	}
	rows := make([]float64, min(whitenBlock, f.Len())*f.Dim())
	for from := 0; from < f.Len(); from += whitenBlock {
		if err := ctx.Err(); err != nil {
			return err
		}
		part := rows[:min(whitenBlock, f.Len()-from)*f.Dim()]
		if err := f.read(from, part); err != nil {
			return err
		}
		if err := f.write(writer, from, w.Out(), w.Apply(part)); err != nil {
			return err
		}
	}
	return writer.Close()
}

// write writes whitened rows of dim values, of the images from the one at from on.
func (f *whitenFeatures) write(w *kapture.FeatureWriter, from, dim int, rows []float64) error {
	values := make([]float32, dim)
	for i := range len(rows) / dim {
		for j, v := range rows[i*dim:][:dim] {
			values[j] = float32(v)
		}
		if err := w.Write(f.images[from+i], values); err != nil {
			return err
		}
	}
	return nil
}
