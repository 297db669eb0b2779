package bench

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"locbench/bench/record"
	"locbench/kapture"
	"locbench/scenes"
)

var nan = math.NaN()

// splitOf is the split of a query as the results files name it.
func splitOf(im scenes.Image) string {
	if im.Split == "" {
		return record.AllSplit
	}
	return im.Split
}

// imagesHash is a hash of all that localization takes from images: names,
// splits, cameras, times and poses.
func imagesHash(images []scenes.Image) string {
	d := newDigest("images")
	for _, im := range images {
		d.add(im.Name, im.Split, im.Camera, strconv.FormatInt(im.Timestamp, 10), strconv.FormatBool(im.HasPose))
		if im.HasPose {
			r, t := im.Pose.R, im.Pose.T
			d.add(fmt.Sprint(r.Real, r.Imag, r.Jmag, r.Kmag, t.X, t.Y, t.Z))
		}
	}
	return d.sum()
}

// findImage finds an image in a list that is sorted by name.
func findImage(images []scenes.Image, name string) (int, bool) {
	return slices.BinarySearchFunc(images, name, func(im scenes.Image, name string) int { return strings.Compare(im.Name, name) })
}

// allImages and allQueries count what stages work on.
func (p *Plan) allImages() (int, string)  { return len(p.queries) + len(p.mapping), "images" }
func (p *Plan) allQueries() (int, string) { return len(p.queries), "queries" }

// byQuery groups pairs by the scene's queries, in their order; a query without
// pairs has none. Within a query the best score comes first; equal scores keep
// the order of the file, which may be all the ranking there is.
func byQuery(queries []scenes.Image, pairs kapture.Pairs) []kapture.Pairs {
	out := make([]kapture.Pairs, len(queries))
	for _, pair := range pairs {
		if i, ok := findImage(queries, pair.Query); ok {
			out[i] = append(out[i], pair)
		}
	}
	for _, ranked := range out {
		slices.SortStableFunc(ranked, func(a, b kapture.Pair) int { return cmp.Compare(b.Score, a.Score) })
	}
	return out
}
