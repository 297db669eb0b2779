package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"locbench/bench"
	"locbench/kapture"
	"locbench/kapture/colmap"
	"locbench/localize/match"
	"locbench/localize/sfm"
	"locbench/scenes"
)

// matchFlags are the flags of locbench match and locbench map.
type matchFlags struct {
	scene, pairs, matches, local, out string
	verify                            bool
	ratio, distance                   float64
	from, to, form                    string // of COLMAP models
	seed                              uint64
}

// add defines the flags of both; input is the one that must name what they read.
func (f *matchFlags) add(cmd *cobra.Command, input, out string) {
	fl := cmd.Flags()
	fl.StringVar(&f.scene, "scene", "", "a known scene, a scene directory or a scene file")
	fl.StringVar(&f.out, "out", "", out)
	fl.StringVar(&f.local, "local-features", "", "type of keypoints (default: the only one)")
	required := []string{"scene", input, "out"}
	if input == "" {
		required = []string{"scene", "out"}
	}
	for _, name := range required {
		_ = cmd.MarkFlagRequired(name) // fails only for a flag that does not exist
	}
}

func newMatch(g *globals) *cobra.Command {
	f := &matchFlags{}
	cmd := &cobra.Command{
		Use:   "match --scene NAME|DIR|FILE.yaml --pairs FILE --out DIR",
		Short: "match the local features of pairs of images",
		Long: `Match the local features of the pairs in a pairs file: mutual nearest neighbours on
dot products, and with --verify those that agree with one relative pose. The matches
are written as kapture matches into --out; pairs that are there are left alone.

` + exitHelp,
		Example: "  locbench match --scene demo --pairs mapping_pairs.txt --out matches --verify",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.match(cmd.Context(), g) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.pairs, "pairs", "", "a kapture pairs file")
	fl.BoolVar(&f.verify, "verify", false, "keep the matches that agree with one relative pose")
	fl.Float64Var(&f.ratio, "ratio", 0, "largest distance to the nearest descriptor over that to the second nearest, such as 0.8 (default: no test)")
	fl.Float64Var(&f.distance, "max-distance", 0, "largest distance of two descriptors (default: no test)")
	fl.Uint64Var(&f.seed, "seed", 0, "everything random derives from it")
	f.add(cmd, "pairs", "the folder of matches")
	return cmd
}

func (f *matchFlags) match(ctx context.Context, g *globals) error {
	if !(f.ratio >= 0 && f.ratio <= 1) {
		return usagef("want --ratio of 0 to 1, found %v", f.ratio)
	}
	if !(f.distance >= 0) {
		return usagef("want --max-distance of at least 0, found %v", f.distance)
	}
	scene, err := openScene(ctx, g, f.scene)
	if err != nil {
		return err
	}
	in, err := os.Open(f.pairs)
	if err != nil {
		return err
	}
	defer in.Close()
	pairs, err := kapture.ReadPairs(in, f.pairs)
	if err != nil {
		return err
	}
	done, err := bench.MatchPairs(ctx, scene, pairs, bench.MatchOptions{LocalFeatures: f.local, Verify: f.verify,
		Mutual: match.Options{MaxRatio: f.ratio, MaxDistance: f.distance}, Out: f.out, Seed: f.seed,
		Backend: g.backend, Jobs: g.jobs, Log: g.logger(), Progress: g.progress()})
	if err != nil {
		return err
	}
	g.println("%s: %d pairs, %d there already, %d with matches, %d matches", f.out, done.Pairs, done.Skipped, done.Verified, done.Matches)
	return nil
}

func newMap(g *globals) *cobra.Command {
	f := &matchFlags{}
	cmd := &cobra.Command{
		Use:   "map --scene NAME|DIR|FILE.yaml (--matches DIR | --from-colmap DIR) --out DIR",
		Short: "triangulate a map from mapping poses and matches",
		Long: `Triangulate points from the verified matches between a scene's mapping images and
their known poses, and write them as a kapture reconstruction: points3d.txt and
observations.txt below --out. With --from-colmap the points are those of a COLMAP
model (text or binary) of the same images and keypoints. --colmap writes the map as
a COLMAP model as well.

` + exitHelp,
		Example: `  locbench map --scene demo --matches matches --out map
  locbench map --scene demo --matches matches --out map --colmap colmap_model
  locbench map --scene demo --from-colmap colmap_model --out map_of_colmap`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.build(cmd.Context(), g) },
	}
	cmd.Flags().StringVar(&f.matches, "matches", "", "a folder of verified matches, of locbench match or of a run")
	cmd.Flags().StringVar(&f.from, "from-colmap", "", "a folder with a COLMAP model, in place of --matches")
	cmd.Flags().StringVar(&f.to, "colmap", "", "write a COLMAP model into this folder as well")
	cmd.Flags().StringVar(&f.form, "colmap-format", string(colmap.Binary), "of --colmap: bin or txt")
	f.add(cmd, "", "the folder of the map")
	return cmd
}

func (f *matchFlags) build(ctx context.Context, g *globals) error {
	if (f.from == "") == (f.matches == "") {
		return usagef("want --matches or --from-colmap, and not both")
	}
	form := colmap.Form(f.form)
	if form != colmap.Text && form != colmap.Binary {
		return usagef("want --colmap-format bin or txt, found %q", f.form)
	}
	scene, err := openScene(ctx, g, f.scene)
	if err != nil {
		return err
	}
	if f.from != "" {
		return f.adopt(g, scene, form)
	}
	o := sfm.BuildDefaults()
	o.Jobs = g.jobs
	built, keypoints, err := bench.BuildMap(ctx, scene, bench.MapOptions{LocalFeatures: f.local, Matches: f.matches, Build: o})
	if err != nil {
		return err
	}
	if err := bench.WriteMap(f.out, built.Map, keypoints); err != nil {
		return err
	}
	if f.to != "" {
		if err := bench.WriteColmap(f.to, form, scene, built.Map, keypoints); err != nil {
			return err
		}
	}
	g.println("%s: %d points from %d tracks of %d pairs, %d views, %.2f px", f.out, len(built.Map.Points), built.Tracks, built.Pairs, built.Views, built.RMSEPx)
	return nil
}

// adopt takes the map of a COLMAP model over.
func (f *matchFlags) adopt(g *globals, scene *scenes.Scene, form colmap.Form) error {
	m, keypoints, moved, err := bench.ReadColmapMap(scene, f.from, f.local)
	if err != nil {
		return err
	}
	if moved.Meters > 0.001 || moved.Degrees > 0.01 {
		g.logger().Warn(fmt.Sprintf("poses of the model are up to %.3f m and %.3f° from the scene's: the points belong to the model's", moved.Meters, moved.Degrees))
	}
	if err := bench.WriteMap(f.out, m, keypoints); err != nil {
		return err
	}
	if f.to != "" {
		if err := bench.WriteColmap(f.to, form, scene, m, keypoints); err != nil {
			return err
		}
	}
	g.println("%s: %d points of %s", f.out, len(m.Points), f.from)
	return nil
}
