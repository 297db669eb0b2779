package match

import (
	"cmp"
	"slices"

	"locbench/kapture"
)

// Pairs returns the pairs of images of a pairs file, each once, whichever way
// round and however often it is there, without an image's pair with itself.
func Pairs(pairs kapture.Pairs) []kapture.ImagePair {
	out := make([]kapture.ImagePair, 0, len(pairs))
	for _, p := range pairs {
		if p.Query != p.Map {
			out = append(out, kapture.ImagePair{Image1: min(p.Query, p.Map), Image2: max(p.Query, p.Map)})
		}
	}
	slices.SortFunc(out, comparePairs)
	return slices.Compact(out)
}

func comparePairs(a, b kapture.ImagePair) int {
	return cmp.Or(cmp.Compare(a.Image1, b.Image1), cmp.Compare(a.Image2, b.Image2))
}

// inBlocks sorts pairs so that few images are in use at a time: the images, in
// the order of their names, are cut into blocks, and one pair of blocks after
// the other is gone through. A cache of two blocks reads an image once for each
// pair of blocks that it takes part in.
func inBlocks(pairs []kapture.ImagePair, block int) []kapture.ImagePair {
	var names []string
	for _, p := range pairs {
		names = append(names, p.Image1, p.Image2)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	number := make(map[string]int, len(names))
	for i, name := range names {
		number[name] = i / block
	}
	out := slices.Clone(pairs)
	slices.SortFunc(out, func(a, b kapture.ImagePair) int {
		row := number[a.Image1]
		if c := cmp.Compare(row, number[b.Image1]); c != 0 {
			return c
		}
		c := cmp.Compare(number[a.Image2], number[b.Image2])
		if row%2 == 1 { // back again: the last block is still in the cache
			c = -c
		}
		return cmp.Or(c, comparePairs(a, b))
	})
	return out
}
