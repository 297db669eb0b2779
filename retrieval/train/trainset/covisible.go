package trainset

import (
	"cmp"
	"slices"

	"locbench/kapture"
)

// sighting is a point that an image sees.
type sighting struct{ image, point int32 }

// sightings gathers which images see which points, perhaps several times.
type sightings struct {
	all    []sighting
	points int
}

// add takes a dataset's observations; rows has the images by name. Its points
// are others than those of the datasets before.
func (s *sightings) add(o *kapture.Observations, rows map[string][]int32) {
	number := map[int]int32{} // several types of keypoints may see one point
	for ref, views := range o.All() {
		p, ok := number[ref.Point]
		if !ok {
			p = int32(s.points)
			number[ref.Point] = p
			s.points++
		}
		for _, v := range views {
			for _, row := range rows[v.Image] {
				s.all = append(s.all, sighting{row, p})
			}
		}
	}
}

// covisibility holds which images see which points, each once.
type covisibility struct {
	byImage, byPoint       []sighting
	firstImage, firstPoint []int32 // where an image's, and a point's, sightings begin
}

// newCovisibility sorts the sightings of images by points, which may repeat.
func newCovisibility(images, points int, seen []sighting) *covisibility {
	slices.SortFunc(seen, func(a, b sighting) int { return cmp.Or(cmp.Compare(a.image, b.image), cmp.Compare(a.point, b.point)) })
	seen = slices.Compact(seen)
	c := &covisibility{byImage: seen, byPoint: slices.Clone(seen)}
	slices.SortFunc(c.byPoint, func(a, b sighting) int { return cmp.Or(cmp.Compare(a.point, b.point), cmp.Compare(a.image, b.image)) })
	c.firstImage, c.firstPoint = make([]int32, images+1), make([]int32, points+1)
	for _, s := range seen {
		c.firstImage[s.image+1]++
		c.firstPoint[s.point+1]++
	}
	for i := range images {
		c.firstImage[i+1] += c.firstImage[i]
	}
	for i := range points {
		c.firstPoint[i+1] += c.firstPoint[i]
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
		for _, o := range c.byPoint[c.firstPoint[s.point]:c.firstPoint[s.point+1]] {
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
