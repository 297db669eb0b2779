package sfm

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture"
	"locbench/kapture/geom"
)

// Near returns for each mapping image the k others that are nearest by pose, of
// those within the bounds, best first: with distance d and angle a the score is
// 2 − d/within.Meters − a/within.Degrees, as kapture-localization has it (25 m and
// 45° there).
func Near(images []*Image, k int, within geom.Threshold) kapture.Pairs {
	return ranked(images, k, func(a, b *Image) (float64, bool) {
		e := geom.Error(a.Pose, b.Pose)
		return 2 - e.Meters/within.Meters - e.Degrees/within.Degrees, within.Within(e)
	})
}

// frustumGrid is the number of samples along each side of an image, and
// frustumDepths that along a ray.
const frustumGrid, frustumDepths = 5, 6

// Overlapping returns for each mapping image the k others whose view it shares
// most: the score is the share of points on a grid in its viewing frustum, up to
// far metres, that lie in the other's, the mean of both directions. Images
// without size or camera have no frustum.
func Overlapping(images []*Image, k int, far float64) kapture.Pairs {
	samples := make([][]r3.Vec, len(images))
	numbers := make(map[*Image]int, len(images))
	for i, im := range images {
		samples[i], numbers[im] = frustum(im, far), i
	}
	return ranked(images, k, func(a, b *Image) (float64, bool) {
		if r3.Norm(r3.Sub(a.Pose.Center(), b.Pose.Center())) > 2*far {
			return 0, false
		}
		s := (share(samples[numbers[a]], b, far) + share(samples[numbers[b]], a, far)) / 2
		return s, s > 0
	})
}

// frustum returns points that an image sees, at depths even in the logarithm.
func frustum(im *Image, far float64) []r3.Vec {
	if im.Camera == nil || im.Width == 0 {
		return nil
	}
	back := im.Pose.Inverse()
	var out []r3.Vec
	for i := range frustumGrid {
		for j := range frustumGrid {
			u := (float64(i) + 0.5) / frustumGrid * float64(im.Width)
			v := (float64(j) + 0.5) / frustumGrid * float64(im.Height)
			x, y, ok := im.Camera.Unproject(u, v)
			if !ok {
				continue
			}
			for d := range frustumDepths {
				depth := far * math.Pow(0.6, float64(d))
				out = append(out, back.Apply(r3.Scale(depth, r3.Vec{X: x, Y: y, Z: 1})))
			}
		}
	}
	return out
}

func share(points []r3.Vec, of *Image, far float64) float64 {
	if of.Camera == nil || len(points) == 0 {
		return 0
	}
	n := 0
	for _, x := range points {
		p := of.Pose.Apply(x)
		u, v, ok := of.Camera.Project(p)
		if ok && p.Z <= far && u >= 0 && v >= 0 && u < float64(of.Width) && v < float64(of.Height) {
			n++
		}
	}
	return float64(n) / float64(len(points))
}

// InSequence pairs each image with the k that follow it in a list sorted by
// time; the nearer the higher the score.
func InSequence(names []string, k int) kapture.Pairs {
	var out kapture.Pairs
	for i, name := range names {
		for d := 1; d <= k && i+d < len(names); d++ {
			out = append(out, kapture.Pair{Query: name, Map: names[i+d], Score: 1 / float64(d)})
		}
	}
	return out
}

// ranked scores every pair of images and keeps the k best of each.
func ranked(images []*Image, k int, score func(a, b *Image) (float64, bool)) kapture.Pairs {
	var out kapture.Pairs
	for _, a := range images {
		var pairs kapture.Pairs
		for _, b := range images {
			if a == b {
				continue
			}
			if s, ok := score(a, b); ok {
				pairs = append(pairs, kapture.Pair{Query: a.Name, Map: b.Name, Score: s})
			}
		}
		out = append(out, best(pairs, k)...)
	}
	return out
}

func best(pairs kapture.Pairs, k int) kapture.Pairs {
	slices.SortFunc(pairs, func(a, b kapture.Pair) int {
		return cmp.Or(-cmp.Compare(a.Score, b.Score), cmp.Compare(a.Map, b.Map))
	})
	return pairs[:min(k, len(pairs))]
}

// imagesOf returns the names of the images of pairs, sorted.
func imagesOf(pairs []kapture.ImagePair) []string {
	var names []string
	for _, p := range pairs {
		names = append(names, p.Image1, p.Image2)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
