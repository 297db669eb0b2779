package bench

import (
	"cmp"
	"slices"
	"strings"

	"locbench/kapture"
	"locbench/kapture/geom"
	"locbench/localize/sfm"
	"locbench/scenes"
)

// MappingRelations are what mapping images can be paired by, besides retrieval.
var MappingRelations = []string{"distance", "overlap", "covisibility", "sequence"}

// MappingPairsOptions say how mapping images are paired without descriptors.
type MappingPairsOptions struct {
	By        string         // of MappingRelations
	TopK      int            // for each image; of a sequence: how many of those that follow
	Within    geom.Threshold // distance: not beyond
	FarMeters float64        // overlap: how far an image sees
}

// MappingPairs pairs the mapping images of a scene that have poses: by the
// distance of the poses, by the overlap of what the cameras see, by the points
// that both see in the scene's map, or by the order in which a camera took them.
func MappingPairs(scene *scenes.Scene, o MappingPairsOptions) (kapture.Pairs, error) {
	if o.TopK < 1 {
		return nil, usagef("want top k of at least 1, found %d", o.TopK)
	}
	if o.By == "covisibility" {
		return coVisiblePairs(scene, o.TopK)
	}
	var posed []scenes.Image
	for _, im := range scene.Mapping() {
		if im.HasPose {
			posed = append(posed, im)
		}
	}
	switch o.By {
	case "sequence":
		return sequencePairs(scene, posed, o.TopK), nil
	case "distance", "overlap":
		images, err := imagesOf(scene, posed)
		if err != nil {
			return nil, err
		}
		if o.By == "distance" {
			return sfm.Near(images, o.TopK, o.Within), nil
		}
		return sfm.Overlapping(images, o.TopK, o.FarMeters), nil
	}
	return nil, usagef("want pairs by %s, found %q", strings.Join(MappingRelations, ", "), o.By)
}

// imagesOf returns cameras and poses of some of a scene's images.
func imagesOf(scene *scenes.Scene, wanted []scenes.Image) ([]*sfm.Image, error) {
	all, err := structureImages(scene)
	if err != nil {
		return nil, err
	}
	byName := map[string]*sfm.Image{}
	for i := range all {
		if _, known := byName[all[i].Name]; !known { // mapping images come first
			byName[all[i].Name] = &all[i]
		}
	}
	out := make([]*sfm.Image, len(wanted))
	for i, im := range wanted {
		out[i] = byName[im.Name]
	}
	return out, nil
}

func coVisiblePairs(scene *scenes.Scene, k int) (kapture.Pairs, error) {
	if scene.MapFiles() == nil {
		return nil, usagef("want pairs by covisibility of a scene with points3d.txt and observations.txt, found none")
	}
	_, seen, err := scene.Map()
	if err != nil {
		return nil, err
	}
	return seen.CoVisibility().Pairs(k), nil
}

// sequencePairs pairs the images of each camera with those that follow.
func sequencePairs(scene *scenes.Scene, posed []scenes.Image, k int) kapture.Pairs {
	type source struct{ dataset, camera string }
	of := map[string]source{}
	images := slices.Clone(posed)
	for _, im := range images {
		of[im.Name] = source{scene.Dataset(im), im.Camera}
	}
	slices.SortFunc(images, func(a, b scenes.Image) int {
		x, y := of[a.Name], of[b.Name]
		return cmp.Or(strings.Compare(x.dataset, y.dataset), strings.Compare(x.camera, y.camera), cmp.Compare(a.Timestamp, b.Timestamp), strings.Compare(a.Name, b.Name))
	})
	var out kapture.Pairs
	for start := 0; start < len(images); {
		end := start
		var names []string
		for ; end < len(images) && of[images[end].Name] == of[images[start].Name]; end++ {
			names = append(names, images[end].Name)
		}
		out = append(out, sfm.InSequence(names, k)...)
		start = end
	}
	return out
}
