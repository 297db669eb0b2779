package train

import (
	"context"
	"errors"
	"image"
	"slices"

	"locbench/bench/metrics"
	"locbench/retrieval/backend"
	"locbench/retrieval/imgio"
	"locbench/retrieval/train/trainset"
)

// plainImage returns an image of a set as it is described outside of training:
// its box, scaled down to maxSize if its longer side is longer; 0 leaves it.
func plainImage(set *trainset.Set, i, maxSize int) (*imgio.Image, error) {
	m, err := imgio.Open(set.File(i))
	if err != nil {
		return nil, err
	}
	if box := set.Box(i); !box.IsZero() {
		if r := box.Rect(m.W, m.H).Intersect(image.Rect(0, 0, m.W, m.H)); !r.Empty() {
			m = m.Crop(r)
		}
	}
	if long := max(m.W, m.H); maxSize > 0 && long > maxSize {
		scale := float64(maxSize) / float64(long)
		m = m.Resize(max(1, int(0.5+scale*float64(m.W))), max(1, int(0.5+scale*float64(m.H))), imgio.Bilinear)
	}
	return m, nil
}

// describePlain returns the descriptors of images of a set. Images that cannot
// be decoded are left out where the settings say so, with a warning.
func (t *Trainer) describePlain(ctx context.Context, set *trainset.Set, list []int, maxSize int) (rows backend.Matrix, described []int, err error) {
	rows = newRows(len(list), t.learner.Dim())
	for chunk := range slices.Chunk(list, t.chunk) {
		images, good, err := t.plainChunk(set, chunk, maxSize)
		if err != nil {
			return rows, nil, err
		}
		if len(images) == 0 {
			continue
		}
		part, err := t.learner.Describe(ctx, images)
		if err != nil {
			return rows, nil, err
		}
		copy(rows.Data[len(described)*rows.Cols:], part)
		described = append(described, good...)
	}
	rows.Rows = len(described)
	rows.Data = rows.Data[:rows.Rows*rows.Cols]
	return rows, described, nil
}

func (t *Trainer) plainChunk(set *trainset.Set, list []int, maxSize int) (images []*imgio.Image, good []int, err error) {
	all := make([]*imgio.Image, len(list))
	err = t.parallel(len(list), func(k int) (err error) {
		all[k], err = plainImage(set, list[k], maxSize)
		if _, bad := errors.AsType[*imgio.FormatError](err); bad && t.cfg.BadImages == BadReplace {
			t.warnOnce(set.File(list[k]), "left out", err)
			return nil
		}
		return err
	})
	for k, m := range all {
		if m != nil {
			images, good = append(images, m), append(good, list[k])
		}
	}
	return images, good, err
}

// validate returns the mean average precision on the validation images in
// percent: each is a query, and finds the others.
func (t *Trainer) validate(ctx context.Context) (float64, error) {
	rows, described, err := t.describePlain(ctx, t.val, places(t.val.Len()), t.cfg.Validation.MaxSize)
	if err != nil {
		return 0, err
	}
	aps := make([]float64, rows.Rows)
	err = eachScores(ctx, rows, rows, t.jobs, func(q int, scores []float32) {
		aps[q] = averagePrecision(q, scores, func(i int) bool {
			return t.val.Class(described[i]) == t.val.Class(described[q])
		})
	})
	return 100 * metrics.Mean(aps), err
}

// averagePrecision is that of query q, which is not among what it finds.
func averagePrecision(q int, scores []float32, relevant func(i int) bool) float64 {
	sorted := slices.Delete(slices.Clone(scores), q, q+1)
	slices.Sort(sorted)
	var atLeast []int
	for i, s := range scores {
		if i != q && relevant(i) {
			below, _ := slices.BinarySearch(sorted, s)
			atLeast = append(atLeast, len(sorted)-below)
		}
	}
	slices.Sort(atLeast)
	return metrics.StepAP(atLeast)
}
