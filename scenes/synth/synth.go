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
	"io/fs"
	"os"
	"path/filepath"
	"strings"
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

// ErrExists says that the folder holds a complete scene that was generated
// with other options; Options.Force replaces it.
var ErrExists = errors.New("a scene generated with other options is there")

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
	done, err := o.prepare(dir)
	if err == nil && !done {
		err = o.generate(ctx, dir)
	}
	if err != nil {
		return fmt.Errorf("generate scene %s: %w", dir, err)
	}
	return nil
}

// prepare makes dir ready, with the licence file in it as the mark of a scene
// in the making. It returns true if the scene is there already.
func (o Options) prepare(dir string) (done bool, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if entries, err = removeRemains(dir, entries); err != nil {
		return false, err
	}
	licence := filepath.Join(dir, licenceFile)
	if len(entries) > 0 {
		old, err := os.ReadFile(licence)
		if err != nil || !strings.HasPrefix(string(old), licenceMark) {
			return false, errors.New("want a new or empty folder, or a scene generated before; the folder holds something else")
		}
		if _, err := os.Stat(filepath.Join(dir, sceneFile)); err == nil && !o.Force {
			if string(old) != o.licence() {
				return false, fmt.Errorf("%w (%s)", ErrExists, strings.Trim(strings.SplitN(string(old), "\n", 3)[1], "()"))
			}
			return true, nil
		}
	}
	// The card goes first and comes last: with it a scene counts as complete.
	for _, name := range append([]string{sceneFile, truthFolder, filepath.Join(featureFolder, FeatureType)}, folders[:]...) {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return false, err
		}
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return false, err
	}
	return false, writeFile(licence, []byte(o.licence()))
}

// removeRemains deletes the temporary files that a killed call left in dir, and
// returns the other entries.
func removeRemains(dir string, entries []fs.DirEntry) ([]fs.DirEntry, error) {
	var rest []fs.DirEntry
	for _, e := range entries {
		if name := e.Name(); !strings.HasPrefix(name, "."+licenceFile) && !strings.HasPrefix(name, "."+sceneFile) {
			rest = append(rest, e)
		} else if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	return rest, nil
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
