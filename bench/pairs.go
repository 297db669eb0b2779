package bench

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"locbench/kapture"
	"locbench/retrieval"
	"locbench/retrieval/backend"
	"locbench/scenes"
)

// PairsOptions say which pairs to make.
type PairsOptions struct {
	Features []string        // global features; nil: the only one of the scene
	Fused    retrieval.Fused // how several are fused
	TopK     int
	// Mapping pairs mapping images with each other, in place of queries with
	// mapping images; an image is never paired with itself.
	Mapping bool

	Backend  string
	Jobs     int
	Log      *slog.Logger
	Progress Progress
}

// RetrievePairs ranks the mapping images of a scene for each query, or for each
// mapping image, by one global feature or by several fused. Images that lack a
// feature are named in a warning and left out.
func RetrievePairs(ctx context.Context, scene *scenes.Scene, o PairsOptions) (kapture.Pairs, error) {
	filled, err := Options{Out: ".", Jobs: o.Jobs, Log: o.Log, Progress: o.Progress}.checked()
	if err != nil {
		return nil, err
	}
	o.Jobs, o.Log, o.Progress = filled.Jobs, filled.Log, filled.Progress
	if o.TopK < 1 {
		return nil, usagef("want top k of at least 1, found %d", o.TopK)
	}
	b, err := backend.Open(o.Backend)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	b.Jobs = o.Jobs
	queries, k := scene.Queries(), min(o.TopK, len(scene.Mapping()))
	if o.Mapping {
		queries = scene.Mapping()
	}
	features, err := loadFeatures(ctx, scene, queries, o)
	if err != nil {
		return nil, err
	}
	// One more than needed: an image is left out of its own matches.
	hits, err := retrieval.FusedTopK(ctx, b, features, o.Fused, k+1)
	if err != nil {
		return nil, err
	}
	return retrieval.Pairs(hits, features[0].Queries, features[0].Database, k), nil
}

// loadFeatures reads the descriptors of all features, of the images that have
// every one of them.
func loadFeatures(ctx context.Context, scene *scenes.Scene, queries []scenes.Image, o PairsOptions) ([]retrieval.Feature, error) {
	wanted, err := pairFeatures(scene, o.Features)
	if err != nil {
		return nil, err
	}
	var sources []source
	for _, name := range wanted {
		src, err := openSource(ctx, scene, name, queries, o)
		if err != nil {
			return nil, err
		}
		defer src.Close()
		sources = append(sources, src)
	}
	q, d := haveAll(sources, wanted, queries, o.Log), haveAll(sources, wanted, scene.Mapping(), o.Log)
	if len(q) == 0 || len(d) == 0 {
		return nil, &kapture.InputError{Path: scene.Dir, Msg: fmt.Sprintf("want images with global features %v, found %d and %d", wanted, len(q), len(d))}
	}
	features := make([]retrieval.Feature, len(sources))
	for i, src := range sources {
		if features[i].Queries, _, err = retrieval.Load(ctx, src, q, o.Jobs); err != nil {
			return nil, err
		}
		if features[i].Database, _, err = retrieval.Load(ctx, src, d, o.Jobs); err != nil {
			return nil, err
		}
	}
	return features, nil
}

// pairFeatures checks the names that were asked for.
func pairFeatures(scene *scenes.Scene, wanted []string) ([]string, error) {
	stored := scene.FeatureTypes(kapture.GlobalFeatures)
	if len(wanted) == 0 {
		switch len(stored) {
		case 0:
			return []string{retrieval.TinyImageName}, nil
		case 1:
			return stored, nil
		}
		return nil, usagef("the scene has several global features (%s): name one, or several and how to fuse them", listOr(stored, ""))
	}
	for i, name := range wanted {
		if slices.Contains(wanted[:i], name) {
			return nil, usagef("feature %q is named twice", name)
		}
		if !slices.Contains(stored, name) && name != retrieval.TinyImageName {
			return nil, unknownFeature(name, stored)
		}
	}
	return wanted, nil
}

// openSource opens a stored feature, or computes the baseline.
func openSource(ctx context.Context, scene *scenes.Scene, name string, queries []scenes.Image, o PairsOptions) (source, error) {
	if slices.Contains(scene.FeatureTypes(kapture.GlobalFeatures), name) {
		return scene.Features(kapture.GlobalFeatures, name)
	}
	images := slices.Clone(scene.Mapping())
	if !o.Mapping {
		images = append(images, queries...)
	}
	if err := checkFiles(images); err != nil {
		return nil, err
	}
	descriptors, err := describe(ctx, name, images, o.Jobs, o.Progress)
	if err != nil {
		return nil, err
	}
	m := computed{}
	for i, im := range images {
		m[im.Name] = descriptors[i]
	}
	return m, nil
}

// computed is a source of descriptors in memory, by image name.
type computed map[string][]float32

// Header implements retrieval.Source.
func (c computed) Header() kapture.FeatureHeader { return baselineHeader() }

// Has implements retrieval.Source.
func (c computed) Has(image string) bool { return c[image] != nil }

// Float32 implements retrieval.Source.
func (c computed) Float32(image string, dst []float32) ([]float32, error) {
	return append(dst[:0], c[image]...), nil
}

// Path implements retrieval.Source.
func (c computed) Path(image string) string { return image }

// Close implements source.
func (c computed) Close() error { return nil }

// haveAll returns the names of the images that have every feature, and warns of
// the others.
func haveAll(sources []source, wanted []string, images []scenes.Image, log *slog.Logger) []string {
	var have, lack []string
	for _, im := range images {
		if slices.ContainsFunc(sources, func(s source) bool { return !s.Has(im.Name) }) {
			lack = append(lack, im.Name)
		} else {
			have = append(have, im.Name)
		}
	}
	if len(lack) > 0 {
		log.Warn(fmt.Sprintf("%d images lack a global feature of %s and are left out: %s", len(lack), listOr(wanted, ""), firstFew(lack)))
	}
	return have
}
