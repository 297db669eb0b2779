package bench

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"locbench/kapture"
	"locbench/retrieval"
	"locbench/retrieval/imgio"
	"locbench/scenes"
)

// baselineDir holds the computed descriptors, as a kapture feature folder.
func baselineDir(f *feature) string { return path.Join("global_features", f.name, "global_features") }

// baselineFiles are the files of that folder.
func (p *Plan) baselineFiles(f *feature) []string {
	dir := filepath.Join(p.o.Out, baselineDir(f))
	return []string{filepath.Join(dir, "global_features.txt"), filepath.Join(dir, "global_features.tar")}
}

// baselineStage computes tiny-image descriptors of all images.
func (p *Plan) baselineStage(f *feature) stage {
	const version = "1"
	s := stage{name: "describe " + f.name, feature: f.name, feeds: true, cost: p.baselineCost(f), work: p.allImages}
	images := append(append([]scenes.Image{}, p.mapping...), p.queries...)
	s.key = func(ctx context.Context) (string, error) {
		if err := checkFiles(images); err != nil {
			return "", err
		}
		files := make([]string, len(images))
		for i, im := range images {
			files[i] = im.File
		}
		content, err := p.run.hashes.files(ctx, files)
		d := newDigest("describe", version, content)
		d.add(names(images)...)
		return d.sum(), err
	}
	s.run = func(ctx context.Context) ([]string, error) {
		descriptors, err := describe(ctx, f.name, images, p.o.Jobs, p.o.Progress)
		if err != nil {
			return nil, err
		}
		if err := p.storeBaseline(f, images, descriptors); err != nil {
			return nil, err
		}
		return filesBelow(p.o.Out, baselineDir(f))
	}
	return s
}

// checkFiles names the images whose files are missing, before any work starts.
func checkFiles(images []scenes.Image) error {
	var missing []string
	for _, im := range images {
		err := kapture.CheckFile(im.File)
		if _, wrong := errors.AsType[*kapture.InputError](err); wrong {
			return err
		}
		if err != nil {
			missing = append(missing, im.File)
		}
	}
	if len(missing) > 0 {
		return &kapture.InputError{Path: missing[0], Msg: fmt.Sprintf("want the image files of the scene, %d of %d are missing: %s",
			len(missing), len(images), firstFew(missing))}
	}
	return nil
}

// describe computes the baseline's descriptors, in the order of the images.
func describe(ctx context.Context, name string, images []scenes.Image, jobs int, progress Progress) ([][]float32, error) {
	progress.Start("describe "+name, len(images))
	defer progress.Done()
	out := make([][]float32, len(images))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(jobs)
	for i, im := range images {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			pixels, err := imgio.Open(im.File)
			if bad, ok := errors.AsType[*imgio.FormatError](err); ok {
				msg := bad.Err.Error()
				if !strings.HasPrefix(msg, "want ") { // the words of a decoder
					msg = "want an image, found " + msg
				}
				return &kapture.InputError{Path: bad.Path, Msg: msg}
			}
			if err != nil {
				return err
			}
			out[i] = retrieval.TinyImage(pixels)
			progress.Add(1)
			return nil
		})
	}
	return out, g.Wait()
}

// baselineHeader describes tiny-image in kapture's terms.
func baselineHeader() kapture.FeatureHeader {
	return kapture.FeatureHeader{Name: retrieval.TinyImageName, DType: kapture.Float32, DSize: retrieval.TinyImageDim, Metric: "L2"}
}

func (p *Plan) storeBaseline(f *feature, images []scenes.Image, descriptors [][]float32) error {
	w, err := kapture.CreateFeaturesTar(filepath.Join(p.o.Out, baselineDir(f)), kapture.GlobalFeatures, baselineHeader())
	if err != nil {
		return err
	}
	for i, im := range images {
		if err := w.Write(im.Name, descriptors[i]); err != nil {
			return err
		}
	}
	return w.Close()
}
