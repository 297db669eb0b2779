package train

import (
	"context"
	"fmt"
	"math"
	"strings"

	"locbench/retrieval/train/loss"
	"locbench/retrieval/train/trainset"
)

// LossError says that a loss is no number: the step, and the images it is of.
type LossError struct {
	Step   int // counted from 1
	Loss   float64
	Images []string
	// Checkpoint holds the last good weights, of CheckpointStep; empty: none yet.
	Checkpoint     string
	CheckpointStep int
}

// Error names ten images; all of them are in the fields.
func (e *LossError) Error() string {
	last := "there is no checkpoint yet"
	if e.Checkpoint != "" {
		last = fmt.Sprintf("the last good checkpoint is %s, of step %d", e.Checkpoint, e.CheckpointStep)
	}
	names, more := e.Images, ""
	if len(names) > 10 {
		names, more = names[:10], fmt.Sprintf(", … (%d in all)", len(e.Images))
	}
	return fmt.Sprintf("step %d: want a loss that is a number, found %g; %s; try a lower learning rate; images of the batch: %s%s",
		e.Step, e.Loss, last, strings.Join(names, ", "), more)
}

// passed counts what a step has computed.
type passed struct {
	loss   float64
	terms  int
	images int
}

// step does one step of the optimizer, counted from 0.
func (t *Trainer) step(ctx context.Context, step int) (passed, error) {
	var all passed
	for i := range t.cfg.Accumulate {
		p, err := t.backpropagate(ctx, step*t.cfg.Accumulate+i)
		if err != nil {
			return all, err
		}
		all.loss += p.loss / float64(t.cfg.Accumulate)
		all.terms += p.terms
		all.images += p.images
	}
	adam := t.cfg.adam()
	adam.Rate = t.cfg.rate(step)
	return all, t.learner.Step(adam)
}

// backpropagate adds the gradient of a batch, counted from the first step's, in
// the three stages of the package's comment.
func (t *Trainer) backpropagate(ctx context.Context, index int) (passed, error) {
	pics, err := t.pictures(ctx, index)
	if err != nil {
		return passed{}, err
	}
	n, dim := len(pics.draws), t.learner.Dim()
	descriptors := make([]float32, 0, n*dim)
	for c, err := range pics.chunks(ctx, places(n), t.chunk) {
		if err != nil {
			return passed{}, err
		}
		rows, err := t.learner.Describe(ctx, c.images)
		if err != nil {
			return passed{}, err
		}
		descriptors = append(descriptors, rows...)
		t.progress.Add(len(c.images))
	}

	if err := t.beginNext(ctx, pics, index); err != nil {
		return passed{}, err
	}
	grad := make([]float32, len(descriptors))
	v, err := t.loss.Of(ctx, t.lossBatch(pics.shown, descriptors), grad)
	if err != nil {
		return passed{}, err
	}
	if math.IsNaN(v.Loss) || math.IsInf(v.Loss, 0) {
		return passed{}, t.lossError(index/t.cfg.Accumulate, v.Loss, pics.shown)
	}

	steep := withGradient(grad, dim)
	for c, err := range pics.chunks(ctx, steep, t.chunk) {
		if err != nil {
			return passed{}, err
		}
		if err := t.learner.Accumulate(ctx, c.images, t.rowsOf(grad, c.places, dim)); err != nil {
			return passed{}, err
		}
		t.progress.Add(len(c.images))
	}
	t.progress.Add(n - len(steep))
	return passed{v.Loss, v.Terms, n}, nil
}

// lossBatch is a batch as the loss sees it.
func (t *Trainer) lossBatch(shown []int, descriptors []float32) *loss.Batch {
	b := &loss.Batch{Dim: t.learner.Dim(), Descriptors: descriptors, Relation: func(i, j int) trainset.Relation {
		return t.set.Relation(shown[i], shown[j])
	}}
	if t.cfg.ClassWeights {
		b.Weights = classWeights(t.set, shown)
	}
	return b
}

// classWeights are such that the weights of each class of a batch have the same
// sum, and all have the mean 1 (Revaud et al., section 4.2).
func classWeights(set *trainset.Set, shown []int) []float64 {
	count := map[int]float64{}
	for _, i := range shown {
		count[set.Class(i)]++
	}
	single := 0.0 // they are no queries
	for _, n := range count {
		if n == 1 {
			single++
		}
	}
	classes, queries := float64(len(count))-single, float64(len(shown))-single
	weights := make([]float64, len(shown))
	for place, i := range shown {
		weights[place] = 1
		if n := count[set.Class(i)]; n > 1 {
			weights[place] = queries / (classes * n)
		}
	}
	return weights
}

// withGradient returns the rows that are not all zero.
func withGradient(grad []float32, dim int) (rows []int) {
	for i := 0; i < len(grad)/dim; i++ {
		for _, g := range grad[i*dim:][:dim] {
			if g != 0 {
				rows = append(rows, i)
				break
			}
		}
	}
	return rows
}

// rowsOf copies rows of the gradient, as much of it as one of the accumulated
// batches has.
func (t *Trainer) rowsOf(grad []float32, rows []int, dim int) []float32 {
	scale := 1 / float32(t.cfg.Accumulate)
	out := make([]float32, 0, len(rows)*dim)
	for _, i := range rows {
		for _, g := range grad[i*dim:][:dim] {
			out = append(out, g*scale)
		}
	}
	return out
}

func (t *Trainer) lossError(step int, value float64, shown []int) error {
	e := &LossError{Step: step + 1, Loss: value}
	for _, i := range shown {
		e.Images = append(e.Images, t.set.Name(i))
	}
	if t.savedAt >= 0 {
		e.Checkpoint, e.CheckpointStep = t.stateFile(), t.savedAt
	}
	return e
}
