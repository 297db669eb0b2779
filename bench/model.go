package bench

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"locbench/kapture"
	"locbench/retrieval"
	"locbench/retrieval/extract"
	"locbench/retrieval/imgio"
	"locbench/scenes"
)

// network is what computes a feature: a checkpoint, and the images that the
// scene does not hold the feature of.
type network struct {
	meta   *extract.Metadata
	images []scenes.Image
	stored bool // the scene holds the feature of other images
}

// modelFeature is the name of the feature type that Options.Model computes: the
// file's base name, without its ending.
func (o Options) modelFeature() string {
	return strings.TrimSuffix(filepath.Base(o.Model), filepath.Ext(o.Model))
}

// resolveModel decides what is left to compute of the network's feature. What
// the scene holds of it must have been made by the same model and settings, or
// say nothing about it.
func (p *Plan) resolveModel(f *feature, stored bool) error {
	settings, err := extract.Preset(p.o.Protocol)
	if err != nil {
		return err
	}
	if p.o.MaxSize > 0 {
		settings.MaxSize = p.o.MaxSize
	}
	n := &network{images: append(slices.Clone(p.mapping), p.queries...), stored: stored}
	if n.meta, err = extract.Inspect(p.o.Model, settings); err != nil {
		return err
	}
	if stored {
		if err := p.checkStored(f, n); err != nil {
			return err
		}
		if len(n.images) == 0 {
			f.kind = kindStored
			return p.resolveStored(f)
		}
	}
	f.network, f.dim, f.from, f.settings = n, n.meta.Dim, p.o.Model, n.meta.String()
	return nil
}

// checkStored leaves out the images whose descriptors the scene holds, if they
// may stand beside the network's.
func (p *Plan) checkStored(f *feature, n *network) error {
	for _, meta := range p.storedMetadata(f.name) {
		if !meta.Same(n.meta) {
			return usagef("the scene holds global features %s that were made otherwise: %v; asked for is %v: give the model's file another name", f.name, meta, n.meta)
		}
	}
	src, err := p.scene.Features(kapture.GlobalFeatures, f.name)
	if err != nil {
		return err
	}
	defer src.Close()
	if dim := src.Header().DSize; dim != n.meta.Dim {
		return usagef("the scene holds global features %s of %d values, the model computes %d: give the model's file another name", f.name, dim, n.meta.Dim)
	}
	missing := slices.DeleteFunc(n.images, func(im scenes.Image) bool { return src.Has(im.Name) })
	p.warn("global features %s of %d images are the scene's own, %d are left to compute", f.name, len(p.mapping)+len(p.queries)-len(missing), len(missing))
	n.images = missing
	return nil
}

// storedMetadata says how the scene's features of a type were extracted, as far
// as that is written beside them.
func (p *Plan) storedMetadata(name string) []*extract.Metadata {
	files, err := p.scene.FeatureFiles(kapture.GlobalFeatures, name)
	if err != nil {
		return nil // who reads the features says so
	}
	var found []*extract.Metadata
	for _, file := range files {
		if filepath.Base(file) != string(kapture.GlobalFeatures)+".txt" {
			continue
		}
		meta, err := extract.ReadMetadata(filepath.Join(filepath.Dir(file), extract.MetadataFile))
		if err == nil {
			found = append(found, meta)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			p.warn("it is not known how the global features %s were made: %v", name, err)
		}
	}
	return found
}

// describeSettings says, in a line, how stored features were made.
func (p *Plan) describeSettings(name string) string {
	var lines []string
	for _, meta := range p.storedMetadata(name) {
		if line := meta.String(); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "; ")
}

// extractStage computes the descriptors of a network.
func (p *Plan) extractStage(f *feature) stage {
	const version = "1"
	n := f.network
	s := stage{name: "describe " + f.name, feature: f.name, feeds: true, cost: p.networkCost(f), work: p.allImages}
	s.key = func(ctx context.Context) (string, error) {
		if err := extract.CheckFiles(extractImages(n.images)); err != nil {
			return "", err
		}
		files := make([]string, len(n.images))
		for i, im := range n.images {
			files[i] = im.File
		}
		content, err := p.run.hashes.files(ctx, files)
		d := newDigest("extract", version, p.networkKey(n), content)
		d.add(names(n.images)...)
		return d.sum(), err
	}
	s.run = func(ctx context.Context) ([]string, error) {
		if err := p.extract(ctx, f); err != nil {
			return nil, err
		}
		return filesBelow(p.o.Out, baselineDir(f))
	}
	return s
}

// networkKey is a hash of what descriptors depend on besides the images.
func (p *Plan) networkKey(n *network) string {
	return newDigest(p.backend.Name(), n.meta.Model.SHA256, n.meta.Settings.String()).sum()
}

// extract gathers the descriptors in a folder that is named by the network and
// its settings, under names that are the images' hashes: another call finds
// those of an interrupted one. They are packed when all are there; images that
// cannot be read end the run when the others are done.
func (p *Plan) extract(ctx context.Context, f *feature) error {
	gathered := filepath.Join(p.o.Out, stateDir, "extract")
	work := filepath.Join(gathered, p.networkKey(f.network)[:16])
	if err := removeOthers(gathered, filepath.Base(work)); err != nil {
		return err
	}
	images := extractImages(f.network.images)
	for i := range images {
		sum, err := p.run.hashes.file(images[i].File)
		if err != nil {
			return err
		}
		images[i].Name = sum[:2] + "/" + sum[2:]
	}
	e, err := extract.Open(p.o.Model, p.backend, f.network.meta.Settings)
	if err != nil {
		return err
	}
	o := extract.RunOptions{Jobs: p.o.Jobs, Progress: describing{p.o.Progress, f.name}, Log: p.o.Log}
	result, err := e.ToFeatures(ctx, images, work, f.name, o)
	if err != nil {
		return err
	}
	if err := result.Err(); err != nil {
		return err
	}
	if err := p.packDescriptors(f, e, work, images); err != nil {
		return err
	}
	return os.RemoveAll(gathered)
}

// describing is the progress of a stage, under the stage's name.
type describing struct {
	Progress
	feature string
}

// Start implements extract.Progress.
func (d describing) Start(_ string, total int) { d.Progress.Start("describe "+d.feature, total) }

// removeOthers removes what a folder holds besides one entry.
func removeOthers(dir, keep string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if e.Name() != keep {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

// packDescriptors puts the descriptors of a folder into the run's tar, under
// the names of the scene's images.
func (p *Plan) packDescriptors(f *feature, e *extract.Extractor, work string, gathered []extract.Image) error {
	src, err := kapture.OpenFeatures(work, kapture.GlobalFeatures)
	if err != nil {
		return err
	}
	defer src.Close()
	dir := filepath.Join(p.o.Out, baselineDir(f))
	if err := os.RemoveAll(dir); err != nil { // another model's may have other lengths
		return err
	}
	w, err := kapture.CreateFeaturesTar(dir, kapture.GlobalFeatures, e.Header(f.name))
	if err != nil {
		return err
	}
	defer w.Discard()
	var row []float32
	for i, im := range f.network.images {
		if row, err = src.Float32(gathered[i].Name, row); err != nil {
			return err
		}
		if err := w.Write(im.Name, row); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return e.Metadata().Write(filepath.Join(dir, extract.MetadataFile))
}

func extractImages(images []scenes.Image) []extract.Image {
	out := make([]extract.Image, len(images))
	for i, im := range images {
		out[i] = extract.Image{Name: im.Name, File: im.File}
	}
	return out
}

// openNetwork reads the computed descriptors, and the scene's where it has
// them.
func (p *Plan) openNetwork(f *feature) (source, error) {
	computed, err := kapture.OpenFeatures(filepath.Join(p.o.Out, baselineDir(f)), kapture.GlobalFeatures)
	if err != nil || !f.network.stored {
		return computed, err
	}
	stored, err := p.scene.Features(kapture.GlobalFeatures, f.name)
	if err != nil {
		return nil, errors.Join(err, computed.Close())
	}
	return completed{source: stored, rest: computed}, nil
}

// completed is a source whose gaps another one fills.
type completed struct {
	source
	rest source
}

func (c completed) of(image string) retrieval.Source {
	if c.source.Has(image) {
		return c.source
	}
	return c.rest
}

// Has implements retrieval.Source.
func (c completed) Has(image string) bool { return c.of(image).Has(image) }

// Float32 implements retrieval.Source.
func (c completed) Float32(image string, dst []float32) ([]float32, error) {
	return c.of(image).Float32(image, dst)
}

// Path implements retrieval.Source.
func (c completed) Path(image string) string { return c.of(image).Path(image) }

// Close implements source.
func (c completed) Close() error { return errors.Join(c.source.Close(), c.rest.Close()) }

// networkHash is the hash of the computed descriptors and of the scene's.
func (p *Plan) networkHash(ctx context.Context, f *feature) (string, error) {
	computed, err := p.run.hashes.files(ctx, p.baselineFiles(f))
	if err != nil || !f.network.stored {
		return computed, err
	}
	stored, err := p.storedHash(ctx, kapture.GlobalFeatures, f.name)
	return newDigest("completed", stored, computed).sum(), err
}

// networkCost takes all images to be of the size of the first.
func (p *Plan) networkCost(f *feature) cost {
	operations := map[string]float64{"resnet18": 72e3, "resnet50": 164e3, "resnet101": 311e3, "resnet152": 460e3} // a pixel
	perPixel := operations[strings.TrimSuffix(f.network.meta.Model.Arch, "_rmac")]
	count, pixels := float64(len(f.network.images)), 1e6
	if w, h, err := imgio.Size(f.network.images[0].File); err == nil {
		pixels = float64(w) * float64(h)
	}
	return cost{seconds: count * pixels * perPixel / (flopsPerCore * float64(p.o.Jobs)), bytes: int64(count * float64(4*f.dim+1024))}
}
