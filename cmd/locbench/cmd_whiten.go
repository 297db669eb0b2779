package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"locbench/kapture"
	"locbench/retrieval"
	"locbench/retrieval/weights"
)

// add defines the flags; name is the one that names the file.
func (f *whitenFlags) add(cmd *cobra.Command, name string) {
	fl := cmd.Flags()
	fl.StringVar(&f.file, name, "", "PCA: a file of locbench whiten --learn or a checkpoint; FILE:SET where it holds several")
	fl.Float64Var(&f.Power, "whiten-power", 0.25, "power of the variance: 0.25 as in the published tables, 0.5 for unit variance")
	fl.IntVar(&f.Dim, "whiten-dim", 0, "dimensions to keep (default: all)")
	fl.Float64Var(&f.Mult, "whiten-mult", 1, "factor of the divisor; without effect, since the results have unit length")
}

// whitenCommand are the flags of locbench whiten.
type whitenCommand struct {
	learn       bool
	set         string
	descriptors string
	out         string
	whitenFlags
}

func newWhiten(g *globals) *cobra.Command {
	f := &whitenCommand{}
	cmd := &cobra.Command{
		Use:   "whiten (--learn | --pca FILE) --descriptors IN --out OUT",
		Short: "learn a whitening from descriptors, or apply one",
		Long: `Learn a principal component analysis from descriptors, or whiten descriptors with
one: (x − mean) · components / variance^power, scaled to unit length.

Descriptors are an .npy file, a row each, or a folder of kapture global features
(the one with global_features.txt); what is whitened is written as the same kind.
The learned file is safetensors: pca.SET.mean, pca.SET.components and
pca.SET.variance in float64, and learned_from, the number of descriptors.
Checkpoints with PCA sets do as well.

` + exitHelp,
		Example: `  locbench whiten --learn --descriptors images.npy --out pca.safetensors
  locbench whiten --pca pca.safetensors --descriptors images.npy --out whitened.npy --whiten-dim 2
  locbench whiten --learn --descriptors my_scene/global_features/NetVLAD/global_features --set NetVLAD --out netvlad.safetensors
  locbench whiten --pca netvlad.safetensors --descriptors my_scene/global_features/NetVLAD/global_features --out whitened`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), g) },
	}
	fl := cmd.Flags()
	fl.BoolVar(&f.learn, "learn", false, "learn from the descriptors")
	fl.StringVar(&f.set, "set", "learned", "name of the learned set in its file")
	fl.StringVar(&f.descriptors, "descriptors", "", ".npy, or a folder of kapture global features")
	fl.StringVar(&f.out, "out", "", "the file or folder to write")
	f.add(cmd, "pca")
	for _, name := range []string{"descriptors", "out"} {
		_ = cmd.MarkFlagRequired(name) // fails only for a flag that does not exist
	}
	return cmd
}

func (f *whitenCommand) run(ctx context.Context, g *globals) error {
	if f.learn == (f.file != "") {
		return usagef("want either --learn or --pca FILE")
	}
	if f.set == "" || strings.ContainsAny(f.set, ":") {
		return usagef("want --set NAME without colons, found %q", f.set)
	}
	in, err := openWhitenInput(f.descriptors)
	if err != nil {
		return err
	}
	defer in.Close()
	if f.learn {
		return f.learnPCA(ctx, g, in)
	}
	w, err := f.open()
	if err != nil {
		return err
	}
	if w.In() != in.Dim() {
		return &kapture.InputError{Path: f.descriptors, Msg: fmt.Sprintf("want descriptors of %d values for %s, found %d", w.In(), f.file, in.Dim())}
	}
	if err := in.whiten(ctx, w, f.out); err != nil {
		return err
	}
	g.logger().Info("whitened", "descriptors", in.Len(), "dimensions", w.Out(), "file", f.out)
	return nil
}

func (f *whitenCommand) learnPCA(ctx context.Context, g *globals, in whitenInput) error {
	if in.Len() < 2 {
		return &kapture.InputError{Path: f.descriptors, Msg: fmt.Sprintf("want at least 2 descriptors to learn from, found %d", in.Len())}
	}
	p, err := retrieval.LearnPCA(ctx, in.Len(), in.Dim(), in.read)
	if errors.Is(err, retrieval.ErrSame) {
		return &kapture.InputError{Path: f.descriptors, Msg: err.Error()}
	}
	if err != nil {
		return err
	}
	c := &weights.Checkpoint{
		PCA: map[string]*weights.PCA{f.set: {
			Mean: p.Mean, Components: p.Components, Variance: p.Variance, Whiten: p.Whiten, DType: weights.Float64,
		}},
		Tensors: []*weights.Tensor{weights.NewTensor("learned_from", []int{1}, []float32{float32(in.Len())})}, // a checkpoint has a tensor
	}
	if err := weights.WriteSafetensors(f.out, c); err != nil {
		return err
	}
	g.logger().Info("learned", "set", f.set, "descriptors", in.Len(), "directions", len(p.Variance), "file", f.out)
	return nil
}

// openPCA reads the PCA set that FILE or FILE:SET names.
func openPCA(spec string) (*retrieval.PCA, error) {
	path, set := spec, ""
	if _, err := os.Stat(spec); err != nil {
		if i := strings.LastIndexByte(spec, ':'); i > 0 {
			path, set = spec[:i], spec[i+1:]
		}
	}
	c, err := weights.Open(path)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	names := slices.Sorted(maps.Keys(c.PCA))
	if set == "" && len(names) == 1 {
		set = names[0]
	}
	p, ok := c.PCA[set]
	switch {
	case len(names) == 0:
		return nil, &kapture.InputError{Path: path, Msg: "want a file with a PCA set, found none"}
	case set == "":
		return nil, usagef("want %s:SET: one of %s", path, strings.Join(names, ", "))
	case !ok:
		return nil, usagef("want a PCA set of %s: %s; found %q", path, strings.Join(names, ", "), set)
	}
	return &retrieval.PCA{Mean: p.Mean, Components: p.Components, Variance: p.Variance, Whiten: p.Whiten}, nil
}
