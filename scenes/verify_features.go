package scenes

import (
	"context"
	"fmt"
	"math"

	"locbench/kapture"
)

// features checks every type of features that the scene has.
func (v *verifier) features(ctx context.Context) error {
	known := v.knownImages()
	for _, kind := range kinds() {
		for _, typ := range v.scene.FeatureTypes(kind) {
			src, err := v.scene.Features(kind, typ)
			if err != nil {
				v.addError("feature type", v.scene.Dir, err)
				continue
			}
			c := featureCheck{v: v, kind: kind, typ: typ, src: src, known: known}
			err = c.run(ctx)
			v.addError("feature type", v.scene.Dir, src.Close())
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// knownImages are the names of all images of the scene's datasets, also those
// of no split.
func (v *verifier) knownImages() map[string]bool {
	known := map[string]bool{}
	for _, p := range v.scene.parts {
		for _, rec := range p.data.Cameras {
			known[rec.Path] = true
		}
	}
	return known
}

// featureCheck checks one type of features.
type featureCheck struct {
	v     *verifier
	kind  kapture.FeatureKind
	typ   string
	src   *FeatureSource
	known map[string]bool
}

func (c *featureCheck) run(ctx context.Context) error {
	c.missing("mapping image", c.v.scene.mapping)
	c.missing("query", c.v.scene.queries)
	for i, f := range c.src.places {
		header := c.places()[i].header(c.kind)
		for _, image := range f.Images() {
			if err := ctx.Err(); err != nil {
				return err
			}
			if !c.known[image] {
				c.v.add(Problem{Path: header, Severity: Warning, Check: "surplus feature"},
					"%s of %s: want images of the scene, found one that it does not have", c.kind, image)
			}
			if c.kind == kapture.GlobalFeatures {
				c.values(f, c.places()[i], image)
			}
		}
	}
	switch c.kind {
	case kapture.Keypoints:
		_, err := c.count(ctx)
		return err
	case kapture.Descriptors:
		return c.compare(ctx)
	}
	return nil
}

func (c *featureCheck) places() []place { return c.v.scene.places[c.kind][c.typ] }

// missing reports images without a feature of the type.
func (c *featureCheck) missing(what string, images []Image) {
	for _, im := range images {
		if !c.src.Has(im.Name) {
			c.v.add(Problem{Path: c.places()[0].header(c.kind), Severity: Error, Check: "missing feature, " + what},
				"%s %s: want %s of type %s, found none", what, im.Name, c.kind, c.typ)
		}
	}
}

// values checks the length and the values of a global feature. Local ones are
// too many to read: only their length is looked at.
func (c *featureCheck) values(f *kapture.Features, at place, image string) {
	values, err := f.Float32(image, c.v.row)
	if err != nil {
		c.v.addError("feature file", at.file(c.kind, image), err)
		return
	}
	c.v.row = values
	if why := badDescriptor(values); why != "" {
		c.v.add(Problem{Path: at.file(c.kind, image), Severity: Error, Check: "feature values"}, "%s of %s: %s", c.kind, image, why)
	}
}

// badDescriptor says why a global feature cannot be compared; "" if it can.
// Package retrieval, which scales descriptors to unit length, has the same rule.
func badDescriptor(values []float32) string {
	var squares float64
	for i, x := range values {
		if x-x != 0 {
			return fmt.Sprintf("want finite numbers, found %v at %d", x, i)
		}
		squares += float64(x) * float64(x)
	}
	switch length := float32(math.Sqrt(squares)); {
	case length == 0:
		return "want a direction, found only zeros"
	case math.IsInf(float64(length), 1):
		return "want a length that float32 can hold, found a larger one"
	}
	return ""
}
