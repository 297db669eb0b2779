package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"locbench/bench"
	"locbench/kapture"
	"locbench/localize/match"
	"locbench/localize/sfm"
)

// matchFlags are the flags of locbench match and locbench map.
type matchFlags struct {
	scene, pairs, matches, local, out string
	verify                            bool
	ratio, distance                   float64
	seed                              uint64
}

// add defines the flags of both; input is the one that names what they read.
func (f *matchFlags) add(cmd *cobra.Command, input, out string) {
	fl := cmd.Flags()
	fl.StringVar(&f.scene, "scene", "", "a known scene, a scene directory or a scene file")
	fl.StringVar(&f.out, "out", "", out)
	fl.StringVar(&f.local, "local-features", "", "type of keypoints (default: the only one)")
	for _, name := range []string{"scene", input, "out"} {
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
		Use:   "map --scene NAME|DIR|FILE.yaml --matches DIR --out DIR",
		Short: "triangulate a map from mapping poses and matches",
		Long: `Triangulate points from the verified matches between a scene's mapping images and
their known poses, and write them as a kapture reconstruction: points3d.txt and
observations.txt below --out.

` + exitHelp,
		Example: "  locbench map --scene demo --matches matches --out map",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.build(cmd.Context(), g) },
	}
	cmd.Flags().StringVar(&f.matches, "matches", "", "a folder of verified matches, of locbench match or of a run")
	f.add(cmd, "matches", "the folder of the map")
	return cmd
}

func (f *matchFlags) build(ctx context.Context, g *globals) error {
	scene, err := openScene(ctx, g, f.scene)
	if err != nil {
		return err
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
	g.println("%s: %d points from %d tracks of %d pairs, %d views, %.2f px", f.out, len(built.Map.Points), built.Tracks, built.Pairs, built.Views, built.RMSEPx)
	return nil
}
