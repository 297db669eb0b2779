package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"locbench/retrieval/backend"
	"locbench/retrieval/extract"
)

// extractFlags are the flags of locbench extract.
type extractFlags struct {
	kapture, images, out string
	model, name          string
	settings             settingsFlags
	batch                int
}

func newExtract(g *globals) *cobra.Command {
	f := &extractFlags{}
	cmd := &cobra.Command{
		Use:   "extract --model FILE (--kapture DIR | --images DIR|LIST.txt --out FILE.npy)",
		Short: "global descriptors of a kapture dataset, an image folder or a list",
		Long: `Compute the global descriptors of images with a retrieval network: a checkpoint of
deep-image-retrieval (.pt), a torchvision state dict, or what locbench model convert
wrote.

With --kapture they become a feature type of the dataset, in
reconstruction/global_features/NAME/ or in --out DIR. With --images they become the
rows of --out FILE.npy, in the order of the list or of the sorted paths; FILE.txt
lists the images. The paths of a list are relative to its folder. How the features
were made is written beside them: extract.json, or FILE.json.

The field mixes up three protocols, which --protocol names; other flags override
its settings. Without one, images keep their size and there is no whitening.
  eval     PCA set Landmarks_clean at power 0.25, as in published mAP tables
  kapture  no whitening, as in the published kapture features
  hloc     longer side at most 1024 pixels, Landmarks_clean at power 0.25

Images that are extracted already are skipped, so that an interrupted extraction
goes on where it stopped (for FILE.npy, in the folder FILE.npy.partial). Features
that were made with other settings are refused. An image that cannot be read does
not stop the others: it is reported, and the exit code is 3.

` + exitHelp,
		Example: `  locbench extract --kapture my_dataset/ --model Resnet101-AP-GeM-LM18.pt --protocol eval
  locbench extract --kapture my_dataset/ --model model.safetensors --name multiscale --scales 1,0.7071,0.5
  locbench extract --images my_images/ --model model.safetensors --whiten Landmarks_clean --out descriptors.npy
  locbench extract --images list.txt --model model.safetensors --max-size 1024 --out listed.npy`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), g, cmd) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.kapture, "kapture", "", "a kapture dataset, whose images are described")
	fl.StringVar(&f.images, "images", "", "a folder of images, or a list of them, a path a line")
	fl.StringVar(&f.out, "out", "", "the feature folder (default: in the dataset), or FILE.npy")
	fl.StringVar(&f.model, "model", "", "the network's checkpoint")
	fl.StringVar(&f.name, "name", "", "the feature type's name (default: the checkpoint's, without its ending)")
	fl.IntVar(&f.batch, "batch", extract.DefaultBatch, "most images that the network is given at once; results do not depend on it")
	f.settings.add(cmd)
	_ = cmd.MarkFlagRequired("model") // fails only for a flag that does not exist
	return cmd
}

// settingsFlags are the flags of extract.Settings.
type settingsFlags struct {
	protocol string
	set      extract.Settings
}

func (f *settingsFlags) add(cmd *cobra.Command) {
	f.addImages(cmd)
	fl, d := cmd.Flags(), extract.Defaults()
	fl.StringVar(&f.set.Whiten, "whiten", d.Whiten, "PCA set of the checkpoint; none: no whitening")
	fl.Float64Var(&f.set.WhitenPower, "whiten-power", d.WhitenPower, "power of the variance that whitening divides by")
	fl.IntVar(&f.set.WhitenDim, "whiten-dim", d.WhitenDim, "dimensions to keep; 0: all")
	fl.Float64Var(&f.set.WhitenMult, "whiten-mult", d.WhitenMult, "factor of the divisor; no effect on unit descriptors")
}

// addImages adds the flags of all settings but the whitening's.
func (f *settingsFlags) addImages(cmd *cobra.Command) {
	fl, d := cmd.Flags(), extract.Defaults()
	fl.StringVar(&f.protocol, "protocol", "", strings.Join(extract.Protocols(), ", ")+": named settings (default: none)")
	fl.Float64SliceVar(&f.set.Scales, "scales", d.Scales, "factors of the image's size; the descriptors of several are pooled")
	fl.StringVar(&f.set.Pool, "pool", d.Pool, "of scales: gem (signed power mean) or mean")
	fl.Float64Var(&f.set.GemP, "gemp", d.GemP, "exponent of --pool gem")
	fl.IntVar(&f.set.MaxSize, "max-size", d.MaxSize, "shrink images to that longer side in pixels; 0: keep their size")
	fl.BoolVar(&f.set.EXIF, "exif", false, "turn images as their EXIF orientation says")
}

// settings are those of the protocol, but for flags that were given.
func (f *settingsFlags) settings(cmd *cobra.Command) (extract.Settings, error) {
	s, err := extract.Preset(f.protocol)
	if err != nil {
		return s, err
	}
	if f.set.Whiten == "none" {
		f.set.Whiten = ""
	}
	for name, override := range map[string]func(){
		"scales":       func() { s.Scales = f.set.Scales },
		"pool":         func() { s.Pool = f.set.Pool },
		"gemp":         func() { s.GemP = f.set.GemP },
		"whiten":       func() { s.Whiten = f.set.Whiten },
		"whiten-power": func() { s.WhitenPower = f.set.WhitenPower },
		"whiten-dim":   func() { s.WhitenDim = f.set.WhitenDim },
		"whiten-mult":  func() { s.WhitenMult = f.set.WhitenMult },
		"max-size":     func() { s.MaxSize, s.BoxFilter = f.set.MaxSize, s.BoxFilter && f.set.MaxSize > 0 },
		"exif":         func() { s.EXIF = f.set.EXIF },
	} {
		if cmd.Flags().Changed(name) {
			override()
		}
	}
	return s, s.Check()
}

// check refuses flags that do not go together, and fills in the name.
func (f *extractFlags) check() error {
	if f.name == "" {
		f.name = typeName(f.model)
	}
	switch {
	case (f.kapture == "") == (f.images == ""):
		return usagef("want either --kapture DIR or --images DIR|LIST.txt")
	case f.images != "" && !strings.HasSuffix(f.out, ".npy"):
		return usagef("want --out FILE.npy for --images, found %q", f.out)
	case f.kapture != "" && strings.HasSuffix(f.out, ".npy"):
		return usagef("want a folder as --out for --kapture, found %q", f.out)
	case f.name == "." || f.name == ".." || strings.ContainsAny(f.name, `/\,`):
		return usagef("want a plain --name, found %q", f.name)
	case f.batch < 1:
		return usagef("want --batch of at least 1, found %d", f.batch)
	}
	return nil
}

// typeName is the name of the feature type that a checkpoint computes.
func typeName(model string) string {
	return strings.TrimSuffix(filepath.Base(model), filepath.Ext(model))
}

func (f *extractFlags) run(ctx context.Context, g *globals, cmd *cobra.Command) error {
	if err := f.check(); err != nil {
		return err
	}
	settings, err := f.settings.settings(cmd)
	if err != nil {
		return err
	}
	images, err := f.list()
	if err != nil {
		return err
	}
	if err := extract.CheckFiles(images); err != nil {
		return err
	}
	b, err := backend.Open(g.backend)
	if err != nil {
		return err
	}
	defer b.Close()
	b.Jobs = g.jobs
	e, err := extract.Open(f.model, b, settings)
	if err != nil {
		return err
	}
	log := g.logger()
	log.Info("extract: "+e.Metadata().String(), "images", len(images), "backend", b.Name())
	o := extract.RunOptions{Batch: f.batch, Jobs: g.jobs, Progress: g.progress(), Log: log}
	result, where, err := f.write(ctx, e, images, o)
	if err != nil {
		return err
	}
	log.Info("features written", "extracted", result.Extracted, "skipped", result.Kept, "bad", len(result.Bad), "out", where)
	return result.Err()
}

// list finds the images.
func (f *extractFlags) list() ([]extract.Image, error) {
	if f.kapture != "" {
		return extract.FromKapture(f.kapture)
	}
	info, err := os.Stat(f.images)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return extract.FromFolder(f.images)
	}
	return extract.FromList(f.images)
}

func (f *extractFlags) write(ctx context.Context, e *extract.Extractor, images []extract.Image, o extract.RunOptions) (*extract.Result, string, error) {
	if f.images != "" {
		result, err := e.ToMatrix(ctx, images, f.out, o)
		return result, f.out, err
	}
	dir := f.out
	if dir == "" {
		dir = filepath.Join(f.kapture, "reconstruction", "global_features", f.name)
	}
	result, err := e.ToFeatures(ctx, images, dir, f.name, o)
	return result, dir, err
}
