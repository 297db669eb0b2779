package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"locbench/bench"
	"locbench/bench/record"
	"locbench/kapture"
	"locbench/kapture/geom"
	"locbench/retrieval"
	"locbench/scenes"
)

// pairsFlags are the flags of locbench pairs.
type pairsFlags struct {
	scene    string
	features []string
	fusion   string
	weights  []float64
	topk     int
	mapping  bool
	by       string
	within   string
	far      float64
	out      string
}

func newPairs(g *globals) *cobra.Command {
	f := &pairsFlags{}
	p := retrieval.DefaultFusionParams()
	cmd := &cobra.Command{
		Use:   "pairs --scene NAME|DIR|FILE.yaml",
		Short: "top-k pairs file from global features, one type or several fused",
		Long: `Write a kapture pairs file (query, map, score; best first): the top k mapping
images of each query, by one global feature or by several fused. Fusion methods:
mean, power, min, max, mean-power, min-max, mean-min, villena-roman, harmonic,
generalized-harmonic, round-robin.

With --by, mapping images are paired with each other for a map: distance (of the
poses, up to --within), overlap (of what the cameras see, up to --far metres),
covisibility (of points of the scene's map), sequence (the next k of a camera).

` + exitHelp,
		Example: `  locbench pairs --scene demo --topk 20 --out pairs.txt
  locbench pairs --scene my_scene/ --features AP-GeM-LM18,NetVLAD --fusion generalized-harmonic --out fused.txt
  locbench pairs --scene my_scene/ --features NetVLAD --mapping --topk 20 --out similar_pairs.txt
  locbench pairs --scene demo --by overlap --topk 5 --out overlap_pairs.txt`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), g, p) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.scene, "scene", "", "a known scene, a scene directory or a scene file")
	fl.StringSliceVar(&f.features, "features", nil, "global feature types (default: the only one of the scene)")
	fl.StringVar(&f.fusion, "fusion", string(retrieval.FusionMean), "how several features are fused")
	fl.Float64SliceVar(&f.weights, "weights", nil, "a weight for each feature (default: equal)")
	fl.Float64Var(&p.Gamma, "gamma", p.Gamma, "of mean-power, mean-min and generalized-harmonic")
	fl.Float64Var(&p.Alpha, "alpha", p.Alpha, "of villena-roman")
	fl.Float64Var(&p.Min, "min-weight", p.Min, "of min-max")
	fl.Float64Var(&p.Max, "max-weight", p.Max, "of min-max")
	fl.IntVar(&f.topk, "topk", 20, "mapping images for each query")
	fl.BoolVar(&f.mapping, "mapping", false, "pair mapping images with each other")
	fl.StringVar(&f.by, "by", "", "pair mapping images by "+strings.Join(bench.MappingRelations, ", ")+" in place of global features")
	fl.StringVar(&f.within, "within", "25m_45deg", "of --by distance: the largest difference of the poses")
	fl.Float64Var(&f.far, "far", 50, "of --by overlap: how far cameras see, metres")
	fl.StringVar(&f.out, "out", "", "the pairs file (default: standard output)")
	_ = cmd.MarkFlagRequired("scene") // fails only for a flag that does not exist
	return cmd
}

func (f *pairsFlags) run(ctx context.Context, g *globals, params retrieval.FusionParams) error {
	method, err := retrieval.ParseFusion(f.fusion)
	if err != nil {
		return usageError{err}
	}
	if n := len(f.features); len(f.weights) > 0 && len(f.weights) != max(n, 1) {
		return usagef("want a weight for each of %d features, found %d", max(n, 1), len(f.weights))
	}
	params.Weights = slices.Clone(f.weights)
	if len(f.features) > 1 {
		if err := method.Check(len(f.features), params); err != nil {
			return usageError{err}
		}
	}
	if err := f.checkOut(); err != nil {
		return err
	}
	scene, err := openScene(ctx, g, f.scene)
	if err != nil {
		return err
	}
	var pairs kapture.Pairs
	if f.by != "" {
		pairs, err = f.posed(scene)
	} else {
		pairs, err = bench.RetrievePairs(ctx, scene, bench.PairsOptions{
			Features: f.features, Fused: retrieval.Fused{Method: method, Params: params}, TopK: f.topk, Mapping: f.mapping,
			Backend: g.backend, Jobs: g.jobs, Log: g.logger(), Progress: g.progress(),
		})
	}
	if err != nil {
		return err
	}
	write := func(w io.Writer) error {
		_, err := pairs.WriteTo(w)
		return err
	}
	if f.out == "" {
		return write(g.stdout)
	}
	return record.WriteFile(f.out, write)
}

// posed pairs mapping images without descriptors.
func (f *pairsFlags) posed(scene *scenes.Scene) (kapture.Pairs, error) {
	if len(f.features) > 0 {
		return nil, usagef("want --features or --by, found both")
	}
	within, err := geom.ParseThreshold(f.within)
	if err != nil {
		return nil, usageError{err}
	}
	if !(f.far > 0) {
		return nil, usagef("want --far above 0 metres, found %v", f.far)
	}
	return bench.MappingPairs(scene, bench.MappingPairsOptions{By: f.by, TopK: f.topk, Within: within, FarMeters: f.far})
}

// checkOut refuses a place that cannot take the file, before any work.
func (f *pairsFlags) checkOut() error {
	if f.out == "" {
		return nil
	}
	if info, err := os.Stat(f.out); err == nil && info.IsDir() {
		return usagef("want a file as --out, found the folder %s", f.out)
	}
	_, err := os.Stat(filepath.Dir(f.out))
	return err
}
