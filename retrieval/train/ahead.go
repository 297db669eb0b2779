package train

import (
	"context"
	"slices"
)

// A device leaves the processor idle in the third stage of a step, if the images
// are kept from the first one, and while the loss and the optimizer run. The next
// batch's images are loaded meanwhile.

// pictures returns the images of a batch, counted from the first step's: those
// that are in work already, or ones to load.
func (t *Trainer) pictures(ctx context.Context, index int) (*pictures, error) {
	if p := t.next; p != nil && t.nextIndex == index {
		t.next = nil
		return p, nil
	}
	t.dropNext()
	draws, err := t.batch(ctx, index)
	if err != nil {
		return nil, err
	}
	return newPictures(t.loader, draws, t.cfg.CacheMB<<20), nil
}

// beginNext sets to work on the batch after that of p, as far as the memory goes
// that p leaves for kept images. Mined batches are not known before their step.
func (t *Trainer) beginNext(ctx context.Context, p *pictures, index int) error {
	index++
	image := 3 * t.cfg.Augment.Size * t.cfg.Augment.Size
	ahead := min(p.budget/image, len(p.draws))
	if !t.overlap || t.cfg.Mining.Every > 0 || len(p.kept) < len(p.draws) || ahead < 1 || index >= t.cfg.Steps*t.cfg.Accumulate {
		return nil
	}
	draws, err := t.batch(ctx, index)
	if err != nil {
		return err
	}
	next := newPictures(t.loader, draws, t.cfg.CacheMB<<20)
	next.begun, next.stop = t.loader.Begin(ctx, slices.Values(draws), ahead)
	t.next, t.nextIndex = next, index
	return nil
}

// dropNext gives up what beginNext has begun.
func (t *Trainer) dropNext() {
	if t.next != nil {
		t.next.stop()
		t.next = nil
	}
}
