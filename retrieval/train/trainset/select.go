package trainset

import (
	"math/rand/v2"
	"slices"
)

// sizes counts the kept images of each class.
func (g *gathering) sizes(keep []bool) []int {
	n := make([]int, len(g.classes))
	for i, c := range g.class {
		if keep[i] {
			n[c]++
		}
	}
	return n
}

// dropSmall leaves out the classes of too few images: one image alone has no
// positive.
func (g *gathering) dropSmall(keep []bool) {
	sizes := g.sizes(keep)
	var small []string
	for c, n := range sizes {
		if n > 0 && n < g.source.MinPerClass {
			small = append(small, g.classes[c])
		}
	}
	if len(small) == 0 {
		return
	}
	for i, c := range g.class {
		keep[i] = keep[i] && sizes[c] >= g.source.MinPerClass
	}
	g.warnf("%s of fewer than %d images left out: %s", counted(len(small), "class"), g.source.MinPerClass, some(small))
}

// dropLarge leaves a random choice of the classes of too many images.
func (g *gathering) dropLarge(keep []bool) {
	most := g.source.MaxPerClass
	if most == 0 {
		return
	}
	sizes := g.sizes(keep)
	large := 0
	rng := make([]*rand.Rand, len(sizes))
	for c, n := range sizes {
		if n > most {
			large++
			rng[c] = generator(g.source.Seed, "choice", uint64(c))
		}
	}
	// Selection sampling (Knuth, vol. 2, algorithm S): of those that are left
	// to look at, so many are left to take.
	taken := make([]int, len(sizes))
	for i, c := range g.class {
		if !keep[i] || rng[c] == nil {
			continue
		}
		if rng[c].IntN(sizes[c]) < most-taken[c] {
			taken[c]++
		} else {
			keep[i] = false
		}
		sizes[c]--
	}
	if large > 0 {
		g.warnf("%s of more than %d images cut to that", counted(large, "class"), most)
	}
}

// renumber makes the set of the kept images, numbered anew.
func (g *gathering) renumber(keep []bool) *Set {
	s := &Set{path: g.path, locate: g.locate, warnings: g.warnings}
	number := make([]int32, len(keep))
	class := make([]int32, len(g.classes))
	for c := range class {
		class[c] = -1
	}
	for i, c := range g.class {
		if !keep[i] {
			number[i] = -1
			continue
		}
		number[i] = int32(len(s.names))
		if class[c] < 0 {
			class[c] = int32(len(s.classes))
			s.classes = append(s.classes, g.classes[c])
		}
		s.names = append(s.names, g.names[i])
		s.class = append(s.class, class[c])
		if g.boxes != nil {
			s.boxes = append(s.boxes, g.boxes[i])
		}
	}
	s.names, s.class, s.boxes = slices.Clip(s.names), slices.Clip(s.class), slices.Clip(s.boxes)
	s.group(len(s.classes))
	s.positives = g.positives.keep(number, s.Len())
	s.ignored = g.ignored.keep(number, s.Len())
	return s
}
