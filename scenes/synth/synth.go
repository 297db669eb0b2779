// Package synth generates localization scenes: an old town that is planned,
// built and ray-cast from a seed, photographed by a mapping rig and by handheld
// query cameras, with the truth about everything that is in the pictures.
//
// # Layout
//
// A scene folder holds kapture datasets (mapping, query_day, query_night), the
// simulated local features beside them, ground_truth (all images' poses, the
// surface points and which keypoint shows which), LICENSE.txt and, written
// last, scene.yaml.
//
// # Coordinates
//
// The world has z up and the ground at z = 0, in metres.
package synth

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
)

// Options says what scene to generate.
type Options struct {
	Mapping       int    // mapping images, at least 2
	Queries       int    // query images, at least 1; every third is by night
	Width, Height int    // of the mapping images, pixels, 32 to 2048; queries have similar sizes
	Seed          uint64 // everything random derives from it
	LocalFeatures int    // keypoints an image at most; 0: no local features
	Jobs          int    // workers; below 1: one
	Force         bool   // replace a complete scene that was generated with other options
	// Progress, if not nil, is called after every image, by one worker at a time.
	Progress func(done, total int)
}

// Limits of Options.
const (
	minSize, maxSize = 32, 2048
	maxImages        = 99_999 // image names have five digits
	maxFeatures      = 100_000
)

// Check reports all that is wrong with o.
func (o Options) Check() error {
	var errs []error
	want := func(ok bool, what string, found any) {
		if !ok {
			errs = append(errs, fmt.Errorf("want %s, found %v", what, found))
		}
	}
	size := fmt.Sprintf("%dx%d", o.Width, o.Height)
	want(o.Mapping >= 2 && o.Mapping <= maxImages, fmt.Sprintf("2 to %d mapping images", maxImages), o.Mapping)
	want(o.Queries >= 1 && o.Queries <= maxImages, fmt.Sprintf("1 to %d query images", maxImages), o.Queries)
	want(min(o.Width, o.Height) >= minSize && max(o.Width, o.Height) <= maxSize,
		fmt.Sprintf("an image size of %d to %d pixels", minSize, maxSize), size)
	want(max(o.Width, o.Height) <= 4*max(1, min(o.Width, o.Height)), "an image at most four times as long as wide", size)
	want(o.LocalFeatures >= 0 && o.LocalFeatures <= maxFeatures, fmt.Sprintf("0 to %d local features an image", maxFeatures), o.LocalFeatures)
	return errors.Join(errs...)
}

// Generate writes a scene to dir. The same options give the same bytes,
// whatever Jobs is. A scene that is there already, complete and with the same
// options, is left as it is; one that was interrupted is generated anew. A
// folder that holds anything but a generated scene is refused. If ctx is done,
// Generate stops after the images in work and returns its error; scene.yaml is
// not there then.
func Generate(ctx context.Context, dir string, o Options) error {
	if err := o.Check(); err != nil {
		return fmt.Errorf("generate scene: %w", err)
	}
	done, err := o.product().prepare(dir, o.Force)
	if err == nil && !done {
		err = o.generate(ctx, dir)
	}
	if err != nil {
		return fmt.Errorf("generate scene %s: %w", dir, err)
	}
	return nil
}

// product says what the folder of a scene holds.
func (o Options) product() product {
	return product{what: "scene", licence: o.licence(), mark: licenceMark, last: sceneFile,
		parts: append([]string{truthFolder, filepath.Join(featureFolder, FeatureType)}, folders[:]...)}
}

func (o Options) generate(ctx context.Context, dir string) error {
	p, err := newPlan(ctx, o)
	if err != nil {
		return err
	}
	w, err := newWriter(dir, o, p)
	if err != nil {
		return err
	}
	ids, err := w.pictures(ctx)
	if err != nil {
		return err
	}
	if err := p.writeDatasets(dir); err != nil {
		return err
	}
	if o.LocalFeatures > 0 {
		if err := p.writeTruth(dir, ids); err != nil {
			return err
		}
	}
	var has [parts]bool
	for i := range p.queries {
		has[p.queries[i].part] = true
	}
	card := o.card(has[partDay], has[partNight])
	return writeFile(filepath.Join(dir, sceneFile), []byte(card))
}
