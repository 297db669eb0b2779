package trainset

import (
	"cmp"
	"slices"
)

// sighting is a point that an image sees.
type sighting struct{ image, point int32 }

// covisibility holds which images see which points, each once.
type covisibility struct {
	byImage, byPoint     []sighting
	firstImage, firstOne []int32 // where an image's, and a point's, sightings begin
}

// newCovisibility sorts the sightings of images by points, which may repeat.
func newCovisibility(images, points int, seen []sighting) *covisibility {
	slices.SortFunc(seen, func(a, b sighting) int { return cmp.Or(cmp.Compare(a.image, b.image), cmp.Compare(a.point, b.point)) })
	seen = slices.Compact(seen)
	c := &covisibility{byImage: seen, byPoint: slices.Clone(seen)}
	slices.SortFunc(c.byPoint, func(a, b sighting) int { return cmp.Or(cmp.Compare(a.point, b.point), cmp.Compare(a.image, b.image)) })
	c.firstImage, c.firstOne = make([]int32, images+1), make([]int32, points+1)
	for _, s := range seen {
		c.firstImage[s.image+1]++
		c.firstOne[s.point+1]++
	}
	for i := range images {
		c.firstImage[i+1] += c.firstImage[i]
	}
	for i := range points {
		c.firstOne[i+1] += c.firstOne[i]
	}
	return c
}

// sees returns how many points image i sees.
func (c *covisibility) sees(i int) int { return int(c.firstImage[i+1] - c.firstImage[i]) }

// overlaps returns the later images that share a point with image i: of the
// points that one of the two sees, the share that both see.
func (c *covisibility) overlaps(i int) map[int32]float64 {
	out := map[int32]float64{}
	for _, s := range c.byImage[c.firstImage[i]:c.firstImage[i+1]] {
		for _, o := range c.byPoint[c.firstOne[s.point]:c.firstOne[s.point+1]] {
			if int(o.image) > i {
				out[o.image]++
			}
		}
	}
	for j, both := range out {
		out[j] = both / (float64(c.sees(i)+c.sees(int(j))) - both)
	}
	return out
}
