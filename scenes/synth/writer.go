package synth

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"locbench/kapture"
)

// writer renders the pictures of a plan and writes them with their features.
type writer struct {
	dir         string
	options     Options
	plan        *plan
	keypoints   *kapture.FeatureWriter // nil: no local features
	descriptors *kapture.FeatureWriter
	done        counter
}

func newWriter(dir string, o Options, p *plan) (*writer, error) {
	w := &writer{dir: dir, options: o, plan: p, done: counter{report: o.Progress}}
	for _, q := range p.all() {
		if err := os.MkdirAll(filepath.Dir(w.path(q)), 0o777); err != nil {
			return nil, err
		}
	}
	if o.LocalFeatures == 0 {
		return w, nil
	}
	base := filepath.Join(dir, featureFolder, FeatureType)
	var err error
	w.keypoints, err = kapture.CreateFeatures(filepath.Join(base, string(kapture.Keypoints)), kapture.Keypoints,
		kapture.FeatureHeader{Name: FeatureType, DType: "float32", DSize: 2})
	if err != nil {
		return nil, err
	}
	w.descriptors, err = kapture.CreateFeatures(filepath.Join(base, string(kapture.Descriptors)), kapture.Descriptors,
		kapture.FeatureHeader{Name: FeatureType, DType: "float32", DSize: descriptorSize, KeypointsType: FeatureType, Metric: "L2"})
	return w, err
}

// pictures renders and writes all pictures, and returns the spots of each
// one's keypoints.
func (w *writer) pictures(ctx context.Context) ([][]int32, error) {
	all := w.plan.all()
	ids := make([][]int32, len(all))
	g, group := errgroup.WithContext(ctx)
	g.SetLimit(max(1, w.options.Jobs))
	for i, q := range all {
		g.Go(func() error {
			err := group.Err()
			if err != nil {
				return err
			}
			ids[i], err = w.picture(q)
			w.done.add(len(all))
			return err
		})
	}
	return ids, g.Wait()
}

// jpegQuality keeps blocking artefacts below the noise.
const jpegQuality = 90

func writeJPEG(name string, img image.Image) error {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: jpegQuality}); err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	return writeFile(name, b.Bytes())
}

func (w *writer) picture(q *picturePlan) ([]int32, error) {
	seed := w.options.Seed
	img := w.plan.town.render(&q.view).develop(q.photo, q.rand(seed, "develop"))
	if err := writeJPEG(w.path(q), img); err != nil {
		return nil, err
	}
	if w.keypoints == nil {
		return nil, nil
	}
	f := w.plan.detect(q, w.options.LocalFeatures, seed)
	if err := w.keypoints.Write(q.name, f.keypoints); err != nil {
		return nil, err
	}
	return f.ids, w.descriptors.Write(q.name, f.descriptors)
}

// path returns the image's file.
func (w *writer) path(q *picturePlan) string {
	return filepath.Join(w.dir, folders[q.part], "sensors", "records_data", filepath.FromSlash(q.name))
}
