package scenes

import (
	"context"
	"strings"

	"locbench/kapture"
)

// count returns the number of rows of every image's local feature, from the
// sizes of the files alone, and reports those that are no whole number of rows.
func (c *featureCheck) count(ctx context.Context) (map[string]int, error) {
	rows := map[string]int{}
	for i, f := range c.src.places {
		for _, image := range f.Images() {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			n, err := f.Rows(image)
			if err != nil {
				c.v.addError("feature file", c.places()[i].file(c.kind, image), err)
				continue
			}
			if _, ok := rows[image]; !ok { // the first place counts, as in Float32
				rows[image] = n
			}
		}
	}
	return rows, nil
}

// compare checks that an image has as many descriptors as keypoints.
func (c *featureCheck) compare(ctx context.Context) error {
	descriptors, err := c.count(ctx)
	if err != nil {
		return err
	}
	s := c.v.scene
	at := Problem{Path: c.places()[0].header(c.kind), Severity: Error, Check: "rows of descriptors"}
	typ := c.src.Header().KeypointsType
	if typ == "" { // as in version 1.0: there is one type of each
		typ = c.typ
	}
	if len(s.places[kapture.Keypoints][typ]) == 0 {
		have := strings.Join(s.FeatureTypes(kapture.Keypoints), ", ")
		if have == "" {
			have = "none"
		}
		c.v.add(at, "descriptors of type %s: want keypoints of type %q, found %s", c.typ, typ, have)
		return nil
	}
	src, err := s.Features(kapture.Keypoints, typ)
	if err != nil {
		return nil // reported with the keypoints themselves
	}
	defer src.Close()
	silent := &verifier{scene: s}
	keypoints, err := (&featureCheck{v: silent, kind: kapture.Keypoints, typ: typ, src: src}).count(ctx)
	if err != nil {
		return err
	}
	for _, image := range c.src.Images() {
		d, hasD := descriptors[image]
		k, hasK := keypoints[image]
		if hasD && hasK && d != k {
			c.v.add(at, "image %s: want as many descriptors as keypoints, found %d and %d", image, d, k)
		}
	}
	return nil
}
