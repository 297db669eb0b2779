package retrieval

import (
	"context"
	"fmt"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"

	"locbench/kapture"
)

// Source gives the global features of one type, an image at a time; it is safe
// for concurrent use. *[kapture.Features] is one.
type Source interface {
	Header() kapture.FeatureHeader
	Has(image string) bool
	// Float32 returns the image's values, in dst if it is large enough.
	Float32(image string, dst []float32) ([]float32, error)
	// Path is the file that holds the image's values, for messages.
	Path(image string) string
}

// Descriptors are the global descriptors of a set of images.
type Descriptors struct {
	Names []string  // of the images, sorted, no two the same
	Dim   int       // values a descriptor
	Data  []float32 // row i, of unit length, at [i*Dim : (i+1)*Dim]
}

// Row returns the descriptor of the i-th image.
func (d *Descriptors) Row(i int) []float32 { return d.Data[i*d.Dim : (i+1)*d.Dim : (i+1)*d.Dim] }

// trustedValues is how many values are made room for before any file was read:
// a description with a wrong size must not claim the memory for all images.
const trustedValues = 1 << 26

// Load reads the features of images and scales them to unit length as the
// reference does: each value divided, in float32, by the norm rounded to
// float32 (kapture-localization, get_descriptor). jobs bounds the files read at
// a time. Images without the feature are returned as missing, sorted, and have
// no row. Descriptors that are not finite, that are zero or whose length is not
// the type's are [kapture.InputError]s that name the image; all of them are
// listed, the first ten in full. If ctx is done, Load returns its error.
func Load(ctx context.Context, src Source, images []string, jobs int) (d *Descriptors, missing []string, err error) {
	header := src.Header()
	d = &Descriptors{Dim: header.DSize}
	names := slices.Clone(images)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if src.Has(name) {
			d.Names = append(d.Names, name)
		} else {
			missing = append(missing, name)
		}
	}
	if len(d.Names)*d.Dim > trustedValues {
		if err := load(src, d.Names[0], header.Name, make([]float32, d.Dim)); err != nil {
			return nil, nil, err
		}
	}
	d.Data = make([]float32, len(d.Names)*d.Dim)
	bad := make([]error, len(d.Names))
	var group errgroup.Group
	group.SetLimit(max(jobs, 1))
	for i, name := range d.Names {
		if err := ctx.Err(); err != nil {
			group.Wait() // the rows are in use
			return nil, nil, err
		}
		group.Go(func() error {
			bad[i] = load(src, name, header.Name, d.Row(i))
			return nil
		})
	}
	group.Wait() // the errors are in bad
	if err := kapture.FirstTen(bad); err != nil {
		return nil, nil, err
	}
	return d, missing, nil
}

// load reads one descriptor into row and scales it.
func load(src Source, image, feature string, row []float32) error {
	values, err := src.Float32(image, row[:0])
	if err != nil {
		return fmt.Errorf("load feature %s of %s: %w", feature, image, err)
	}
	invalid := func(format string, args ...any) error {
		return &kapture.InputError{Path: src.Path(image), Msg: "feature " + feature + " of " + image + ": " + fmt.Sprintf(format, args...)}
	}
	if len(values) != len(row) {
		return invalid("want %d values, found %d", len(row), len(values))
	}
	copy(row, values) // nothing to do where the source used row
	var squares float64
	for i, v := range row {
		if v-v != 0 {
			return invalid("want finite values, found %v as value %d of %d", v, i+1, len(row))
		}
		squares += float64(v) * float64(v)
	}
	norm := float32(math.Sqrt(squares))
	if norm == 0 || math.IsInf(float64(norm), 0) {
		return invalid("want a descriptor that can be scaled to length 1, found the length %v", norm)
	}
	for i, v := range row {
		row[i] = v / norm
	}
	return nil
}
