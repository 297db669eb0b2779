package train

import (
	"context"
	"iter"

	"locbench/retrieval/imgio"
	"locbench/retrieval/train/trainset"
)

// pictures are the images of a batch. The first ones are kept in memory as far
// as the budget goes; the others are loaded each time they are asked for.
type pictures struct {
	loader *trainset.Loader
	draws  []trainset.Draw
	shown  []int          // by place in the batch: the set's image, once it was loaded
	kept   []*imgio.Image // of the first places
	budget int            // bytes left for more

	begun iter.Seq2[trainset.Loaded, error] // all of them, already in work; nil: not so
	stop  func()                            // of begun
}

func newPictures(l *trainset.Loader, draws []trainset.Draw, budget int) *pictures {
	return &pictures{loader: l, draws: draws, shown: make([]int, len(draws)), budget: budget}
}

// chunk is what is computed at a time: places in the batch and their images.
type chunk struct {
	places []int
	images []*imgio.Image
}

// chunks gives the images at ascending places, size of them at a time.
func (p *pictures) chunks(ctx context.Context, places []int, size int) iter.Seq2[chunk, error] {
	return func(yield func(chunk, error) bool) {
		next, stop := iter.Pull2(p.load(ctx, places))
		defer stop()
		for from := 0; from < len(places); from += size {
			c := chunk{places: places[from:min(from+size, len(places))]}
			for _, place := range c.places {
				m, err := p.picture(place, next)
				if err != nil {
					yield(chunk{}, err)
					return
				}
				c.images = append(c.images, m)
			}
			if !yield(c, nil) {
				return
			}
		}
	}
}

// load loads the images at places that are not kept now.
func (p *pictures) load(ctx context.Context, places []int) iter.Seq2[trainset.Loaded, error] {
	if begun := p.begun; begun != nil {
		p.begun = nil
		return begun
	}
	return p.loader.Load(ctx, p.missing(places))
}

// missing gives the draws of the places that are not kept now.
func (p *pictures) missing(places []int) iter.Seq[trainset.Draw] {
	kept := len(p.kept)
	return func(yield func(trainset.Draw) bool) {
		for _, place := range places {
			if place >= kept && !yield(p.draws[place]) {
				return
			}
		}
	}
}

// picture returns the image at a place: a kept one, or the next that is loaded.
func (p *pictures) picture(place int, next func() (trainset.Loaded, error, bool)) (*imgio.Image, error) {
	if place < len(p.kept) {
		return p.kept[place], nil
	}
	loaded, err, ok := next()
	if err != nil {
		return nil, err
	}
	if !ok {
		panic("train: the loader ended before its draws did")
	}
	p.shown[place] = loaded.Image
	if p.budget -= len(loaded.Pixels.Pix); p.budget >= 0 && place == len(p.kept) {
		p.kept = append(p.kept, loaded.Pixels)
	}
	return loaded.Pixels, nil
}
