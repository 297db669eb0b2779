package loss

import (
	"context"
	"errors"
	"fmt"

	"locbench/retrieval/train/trainset"
)

// Batch is what a loss is computed of.
type Batch struct {
	Dim         int
	Descriptors []float32 // a row of Dim values an image, of unit length
	// Relation says what image j is to image i, by their rows.
	Relation func(i, j int) trainset.Relation
	// Weights, if not nil, multiplies the AP of each query. The triplet losses
	// ignore it.
	Weights []float64
}

// Len is the number of images.
func (b *Batch) Len() int { return len(b.Descriptors) / b.Dim }

// Value is the loss of a batch.
type Value struct {
	Loss float64
	// Terms is how many queries, or triplets, the loss is the mean of. Without
	// any the loss is 0 and has no gradient.
	Terms int
}

// Loss is a loss over batches. It is safe for concurrent use.
type Loss interface {
	// Of returns the loss of a batch and sets grad, of the length of the
	// descriptors, to its gradient. The only error is the context's. A
	// descriptor that is not finite makes the loss NaN.
	Of(ctx context.Context, b *Batch, grad []float32) (Value, error)
}

// Names of losses.
const (
	NameAP            = "ap"
	NameTieAware      = "tap"
	NameSimplified    = "tap-simplified"
	NameTriplet       = "triplet"
	NameTripletLogExp = "triplet-logexp"
)

// Names returns the losses that [Options] can name.
func Names() []string {
	return []string{NameAP, NameTieAware, NameSimplified, NameTriplet, NameTripletLogExp}
}

// Options choose a loss.
type Options struct {
	Name string `yaml:"name"` // one of [Names]

	// Of the AP losses: see [AP].
	Bins     int     `yaml:"bins"`
	Min      float64 `yaml:"min"`
	Max      float64 `yaml:"max"`
	Distance bool    `yaml:"distance"`

	// Of the triplet losses: see [Triplet].
	Margin    float64 `yaml:"margin"`
	Swap      bool    `yaml:"swap"`
	Negatives int     `yaml:"negatives"`
	SemiHard  bool    `yaml:"semi_hard"`
}

// DefaultOptions returns the AP loss with the bins of the paper, 20 of them over
// [-1, 1], and the margin of Gordo et al. for the triplets.
func DefaultOptions() Options {
	return Options{Name: NameAP, Bins: 20, Min: -1, Max: 1, Margin: 0.1, Negatives: 1}
}

// Check reports all that is wrong with o.
func (o Options) Check() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	switch o.Name {
	case NameAP, NameTieAware, NameSimplified:
		check(o.Bins >= 2 && o.Bins <= 1<<16, "bins: want 2 to 65536, found %d", o.Bins)
		check(o.Min < o.Max && o.Min >= -2 && o.Max <= 2, "min, max: want -2 ≤ min < max ≤ 2, found %g and %g", o.Min, o.Max)
	case NameTriplet, NameTripletLogExp:
		check(o.Margin >= 0 && o.Margin <= 4, "margin: want 0 to 4, found %g", o.Margin)
		check(o.Negatives >= 1, "negatives: want at least 1, found %d", o.Negatives)
	default:
		check(false, "name: want one of %v, found %q", Names(), o.Name)
	}
	return errors.Join(errs...)
}

// New returns the loss that o chooses, computed by jobs workers.
func New(o Options, jobs int) (Loss, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	s, err := newSimilarities(jobs)
	if err != nil {
		return nil, err
	}
	ap := AP{Bins: o.Bins, Min: o.Min, Max: o.Max, Distance: o.Distance}
	switch o.Name {
	case NameTriplet, NameTripletLogExp:
		return &tripletLoss{Triplet{o.Margin, o.Name == NameTripletLogExp, o.Swap, o.Negatives, o.SemiHard}, s}, nil
	case NameTieAware:
		ap.Form = TieAware
	case NameSimplified:
		ap.Form = Simplified
	}
	return &apLoss{ap, s}, nil
}
