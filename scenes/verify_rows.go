package scenes

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"os"
	"path"
	"strings"

	"locbench/kapture"
)

// count returns the number of rows of every image's local feature, from the
// sizes of the files alone, and reports those that are no whole number of rows.
func (c *featureCheck) count(ctx context.Context) (map[string]int64, error) {
	h := c.src.Header()
	rowBytes := int64(h.DSize * h.DType.Size())
	rows := map[string]int64{}
	for i, f := range c.src.places {
		at := c.places()[i]
		size, err := at.sizes(c.kind)
		if err != nil {
			c.v.addError("feature file", at.header(c.kind), err)
			continue
		}
		for _, image := range f.Images() {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			n, err := size(image)
			if err != nil {
				c.v.addError("feature file", at.file(c.kind, image), err)
				continue
			}
			if n%rowBytes != 0 {
				c.v.add(Problem{Path: at.file(c.kind, image), Severity: Error, Check: "feature file"},
					"want a multiple of %d bytes (rows of %d %s), found %d", rowBytes, h.DSize, h.DType, n)
				continue
			}
			if _, ok := rows[image]; !ok { // the first place counts, as in Float32
				rows[image] = n / rowBytes
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

// sizes returns the function that gives the size of an image's feature in
// bytes, without reading it.
func (p place) sizes(kind kapture.FeatureKind) (func(image string) (int64, error), error) {
	if path, ok := p.tar(kind); ok {
		sizes, err := tarSizes(path, suffix(kind))
		return func(image string) (int64, error) { return sizes[image], nil }, err
	}
	return func(image string) (int64, error) {
		info, err := os.Stat(p.file(kind, image))
		if err != nil {
			return 0, err
		}
		return info.Size(), nil
	}, nil
}

// tarSizes returns the sizes of the entries of an archive that end with suffix,
// by their names without it. A later entry of the same name wins.
func tarSizes(name, suffix string) (map[string]int64, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sizes := map[string]int64{}
	for r := tar.NewReader(f); ; { // seeks over the contents
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return sizes, nil
		}
		if err != nil {
			return nil, &kapture.InputError{Path: name, Msg: err.Error()}
		}
		if image, ok := strings.CutSuffix(path.Clean(h.Name), suffix); ok {
			sizes[image] = h.Size
		}
	}
}
