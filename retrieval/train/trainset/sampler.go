package trainset

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
)

// Draw is an image that is taken for training, once. Key is all that is random
// in it: the same draw gets the same augmentation, another draw of the same
// image another one.
type Draw struct {
	Image int
	Key   uint64
}

// SamplerOptions say how an epoch is drawn.
type SamplerOptions struct {
	Batch int `yaml:"batch"` // images a batch
	// PerClass is how many images of a class stand together in a batch; 0: the
	// batches are those of a shuffled epoch, as published for the AP loss.
	PerClass int `yaml:"per_class"`
	// Balance evens out the classes: one of n images gives m^b·n^(1−b) to an
	// epoch, where m is the median of all classes. 0 takes every image once, 1
	// as many of each class.
	Balance float64 `yaml:"balance"`
	Seed    uint64  `yaml:"-"`
}

// Check reports all that is wrong with o.
func (o SamplerOptions) Check() error {
	var errs []error
	if o.Batch < 2 {
		errs = append(errs, fmt.Errorf("want batches of at least 2 images, found %d", o.Batch))
	}
	if o.PerClass < 0 || o.PerClass == 1 || o.PerClass > 0 && o.Batch%o.PerClass != 0 {
		errs = append(errs, fmt.Errorf("want 0 images a class, or at least 2 and a divisor of the batch of %d, found %d", o.Batch, o.PerClass))
	}
	if !(o.Balance >= 0 && o.Balance <= 1) {
		errs = append(errs, fmt.Errorf("want a balance of 0 to 1, found %v", o.Balance))
	}
	return errors.Join(errs...)
}

// Sampler draws batches. It may be used by several goroutines at once.
type Sampler struct {
	set     *Set
	options SamplerOptions
	targets []int   // images of each class in an epoch
	anchors []int32 // images with partners, where positives are pairs
	length  int     // of an epoch

	mu    sync.Mutex
	epoch int // of order
	order []int32
}

// NewSampler returns a sampler of a set.
func NewSampler(set *Set, o SamplerOptions) (*Sampler, error) {
	if err := o.Check(); err != nil {
		return nil, fmt.Errorf("sampler: %w", err)
	}
	s := &Sampler{set: set, options: o, epoch: -1}
	groups := 0
	if o.PerClass > 0 && set.positives != nil {
		for i := range set.Len() {
			if len(set.partners(i)) > 0 {
				s.anchors = append(s.anchors, int32(i))
			}
		}
		groups = len(s.anchors)
		s.length = (set.Len() + o.PerClass - 1) / o.PerClass * o.PerClass
	} else {
		s.balance()
		groups = set.Classes()
	}
	if want := o.Batch / max(o.PerClass, 1); o.PerClass > 0 && groups < want {
		return nil, set.lacking("want at least %d classes for batches of %d images, %d of each class, found %d", want, o.Batch, o.PerClass, groups)
	}
	if s.length < o.Batch {
		return nil, set.lacking("want at least a batch of %d images an epoch, found %d", o.Batch, s.length)
	}
	return s, nil
}

// balance sets how many images of each class an epoch has.
func (s *Sampler) balance() {
	sizes := make([]int, s.set.Classes())
	for c := range sizes {
		sizes[c] = len(s.set.Members(c))
	}
	m := median(sizes)
	s.targets = make([]int, len(sizes))
	for c, n := range sizes {
		b := s.options.Balance
		s.targets[c] = max(1, int(math.Pow(m, b)*math.Pow(float64(n), 1-b)+0.5))
		if k := s.options.PerClass; k > 0 {
			s.targets[c] = (s.targets[c] + k - 1) / k * k
		}
		s.length += s.targets[c]
	}
}

func median(sizes []int) float64 {
	sorted := slices.Sorted(slices.Values(sizes))
	n := len(sorted)
	return float64(sorted[(n-1)/2]+sorted[n/2]) / 2
}

// Steps returns the batches of an epoch. What is left over of the epoch's
// images is not used.
func (s *Sampler) Steps() int { return s.length / s.options.Batch }

// Batch returns the draws of a step of an epoch, both counted from 0. The
// images of a class stand together where PerClass is set. It panics if the step
// is not one of [Sampler.Steps].
func (s *Sampler) Batch(epoch, step int) []Draw {
	if step < 0 || step >= s.Steps() {
		panic("trainset: step out of range")
	}
	b := s.options.Batch
	out := make([]Draw, b)
	for i, image := range s.epochOrder(epoch)[step*b : (step+1)*b] {
		out[i] = Draw{Image: int(image), Key: key(s.options.Seed, "batch", uint64(epoch), uint64(step), uint64(i))}
	}
	return out
}

// epochOrder returns the images of an epoch. Those of the last one asked for are
// kept.
func (s *Sampler) epochOrder(epoch int) []int32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.epoch == epoch {
		return s.order
	}
	switch {
	case s.anchors != nil:
		s.order = s.anchored(epoch)
	case s.options.PerClass > 0:
		s.order = s.spread(epoch, s.byClass(epoch))
	default:
		s.order = s.byClass(epoch)
		r := generator(s.options.Seed, "epoch", uint64(epoch))
		r.Shuffle(len(s.order), func(i, j int) { s.order[i], s.order[j] = s.order[j], s.order[i] })
	}
	s.epoch = epoch
	return s.order
}

// byClass draws the images of every class: as often as it needs all of them,
// each time in another order.
func (s *Sampler) byClass(epoch int) []int32 {
	order := make([]int32, 0, s.length)
	for c, target := range s.targets {
		members := s.set.Members(c)
		r := generator(s.options.Seed, "class", uint64(epoch), uint64(c))
		for start := len(order); len(order)-start < target; {
			round := slices.Clone(members)
			r.Shuffle(len(round), func(i, j int) { round[i], round[j] = round[j], round[i] })
			if k := s.options.PerClass; k > 0 {
				// The images of the group that goes on here come last, lest it
				// get one twice.
				begun := order[len(order)-(len(order)-start)%k:]
				round = slices.DeleteFunc(round, func(i int32) bool { return slices.Contains(begun, i) })
				round = append(round, begun...)
			}
			order = append(order, round[:min(len(round), target-len(order)+start)]...)
		}
	}
	return order
}

// spread shuffles groups of PerClass images so that a batch has each class
// once, as far as the classes last.
func (s *Sampler) spread(epoch int, images []int32) []int32 {
	k := s.options.PerClass
	groups := make([]int32, len(images)/k)
	for i := range groups {
		groups[i] = int32(i)
	}
	r := generator(s.options.Seed, "groups", uint64(epoch))
	r.Shuffle(len(groups), func(i, j int) { groups[i], groups[j] = groups[j], groups[i] })
	perBatch := s.options.Batch / k
	used := make([]int, s.set.Classes()) // batch in which a class was used last, from 1
	for i := range groups {
		batch := i/perBatch + 1
		for j := i; j < min(i+lookAhead, len(groups)); j++ {
			if c := s.set.class[images[int(groups[j])*k]]; used[c] != batch {
				used[c] = batch
				groups[i], groups[j] = groups[j], groups[i]
				break
			}
		}
	}
	order := make([]int32, 0, len(images))
	for _, g := range groups {
		order = append(order, images[int(g)*k:int(g+1)*k]...)
	}
	return order
}

// lookAhead is how far spread looks for a group of another class.
const lookAhead = 10_000

// anchored draws groups of an image and some of its partners. Every image with
// partners is an anchor once before one is so again.
func (s *Sampler) anchored(epoch int) []int32 {
	k := s.options.PerClass
	r := generator(s.options.Seed, "anchors", uint64(epoch))
	anchors := slices.Clone(s.anchors)
	order := make([]int32, 0, s.length)
	for next := len(anchors); len(order) < s.length; next++ {
		if next >= len(anchors) {
			r.Shuffle(len(anchors), func(i, j int) { anchors[i], anchors[j] = anchors[j], anchors[i] })
			next = 0
		}
		order = append(order, anchors[next])
		partners := slices.Clone(s.set.partners(int(anchors[next])))
		for i := range k - 1 {
			// Each partner once before one comes again.
			j := i % len(partners)
			o := j + r.IntN(len(partners)-j)
			partners[j], partners[o] = partners[o], partners[j]
			order = append(order, partners[j])
		}
	}
	return order
}
