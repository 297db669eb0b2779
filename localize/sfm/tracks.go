package sfm

import (
	"cmp"
	"slices"

	"locbench/kapture"
)

// observation is a keypoint of an image, by its number.
type observation struct{ image, keypoint int32 }

// edge is a match between two observations.
type edge struct {
	a, b  observation
	score float32
}

// graph gathers matches between numbered images.
type graph struct{ edges []edge }

func (g *graph) add(image1, image2 int, matches []kapture.Match) {
	for _, m := range matches {
		g.edges = append(g.edges, edge{
			observation{int32(image1), int32(m.Keypoint1)}, observation{int32(image2), int32(m.Keypoint2)}, float32(m.Score)})
	}
}

// tracks joins observations that are matched, the best matches first, but never
// two keypoints of one image: a match that would is dropped, and so what would
// be one track of several places stays several. Tracks come in the order of
// their first observation, sorted. The order of the edges does not matter.
func (g *graph) tracks() [][]observation {
	slices.SortFunc(g.edges, func(x, y edge) int {
		return cmp.Or(-cmp.Compare(x.score, y.score), compareObservations(x.a, y.a), compareObservations(x.b, y.b))
	})
	of := make(map[observation]*[]observation, len(g.edges))
	track := func(o observation) *[]observation {
		t := of[o]
		if t == nil {
			t = &[]observation{o}
			of[o] = t
		}
		return t
	}
	for _, e := range g.edges {
		t, u := track(e.a), track(e.b)
		if t == u || shareImage(*t, *u) {
			continue
		}
		if len(*t) < len(*u) {
			t, u = u, t
		}
		for _, o := range *u {
			of[o] = t
		}
		*t = merge(*t, *u)
	}
	var out [][]observation
	for o, t := range of {
		if len(*t) > 1 && o == (*t)[0] {
			out = append(out, *t)
		}
	}
	slices.SortFunc(out, func(x, y []observation) int { return compareObservations(x[0], y[0]) })
	return out
}

func compareObservations(a, b observation) int {
	return cmp.Or(cmp.Compare(a.image, b.image), cmp.Compare(a.keypoint, b.keypoint))
}

// shareImage reports whether two tracks, sorted by image, see the same image.
func shareImage(a, b []observation) bool {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch c := a[i].image - b[j].image; {
		case c == 0:
			return true
		case c < 0:
			i++
		default:
			j++
		}
	}
	return false
}

// merge returns the observations of two sorted tracks, sorted.
func merge(a, b []observation) []observation {
	out := append(a, b...)
	slices.SortFunc(out, compareObservations)
	return out
}
