package kapture

import (
	"cmp"
	"slices"
	"strings"
)

// CoVisibility says which points of a map each image sees, by any type of
// keypoints.
type CoVisibility struct {
	names  []string // sorted
	number map[string]int32
	points [][]int32         // by image, ascending
	seenBy map[int32][]int32 // images by point
}

// CoVisibility gathers the points that the images see.
func (o *Observations) CoVisibility() *CoVisibility {
	c := &CoVisibility{names: o.Images(), number: map[string]int32{}, seenBy: map[int32][]int32{}}
	for i, name := range c.names {
		c.number[name] = int32(i)
	}
	c.points = make([][]int32, len(c.names))
	for ref, views := range o.All() {
		for _, v := range views {
			i := c.number[v.Image]
			c.points[i] = append(c.points[i], int32(ref.Point))
		}
	}
	for i := range c.points {
		slices.Sort(c.points[i])
		c.points[i] = slices.Clip(slices.Compact(c.points[i]))
		for _, p := range c.points[i] {
			c.seenBy[p] = append(c.seenBy[p], int32(i))
		}
	}
	return c
}

// Sees returns how many points an image sees.
func (c *CoVisibility) Sees(image string) int {
	if i, ok := c.number[image]; ok {
		return len(c.points[i])
	}
	return 0
}

// Ranked returns the images that share points with one, but not itself, by the
// share of the points that both see among those that one of them sees
// (intersection over union, the relevance of Pion et al., 3DV 2020), best first;
// ties by name. wanted says which images count; nil: all.
func (c *CoVisibility) Ranked(image string, wanted func(name string) bool) Pairs {
	at, ok := c.number[image]
	if !ok {
		return nil
	}
	common := map[int32]int{}
	for _, p := range c.points[at] {
		for _, j := range c.seenBy[p] {
			common[j]++
		}
	}
	var out Pairs
	for j, n := range common {
		if j == at || wanted != nil && !wanted(c.names[j]) {
			continue
		}
		union := len(c.points[at]) + len(c.points[j]) - n
		out = append(out, Pair{Query: image, Map: c.names[j], Score: float64(n) / float64(union)})
	}
	slices.SortFunc(out, func(a, b Pair) int {
		return cmp.Or(-cmp.Compare(a.Score, b.Score), strings.Compare(a.Map, b.Map))
	})
	return out
}

// Pairs returns for each image the k others that share most.
func (c *CoVisibility) Pairs(k int) Pairs {
	var out Pairs
	for _, name := range c.names {
		ranked := c.Ranked(name, nil)
		out = append(out, ranked[:min(k, len(ranked))]...)
	}
	return out
}
