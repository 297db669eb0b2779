package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"locbench/bench"
	"locbench/bench/metrics"
	"locbench/bench/record"
)

// localizeFlags are the flags of locbench localize.
type localizeFlags struct {
	scene, pairs, method, feature, out string
	matches                            string
	structure                          structureFlags
	topk                               int
	alpha                              float64
	seed                               uint64
}

func newLocalize(g *globals) *cobra.Command {
	f := &localizeFlags{}
	cmd := &cobra.Command{
		Use:   "localize --scene NAME|DIR|FILE.yaml --pairs FILE --method M --out DIR",
		Short: "poses of the query images by one method",
		Long: `Localize the queries of a scene by one method, from the retrieved images in a pairs
file. --out becomes a kapture dataset of the queries that were localized, with
submission.txt (for the evaluation server), queries.csv (a line a query: status,
errors where the truth is known, inliers) and, for methods on local features,
diagnostics.csv.

The methods are ` + strings.Join(bench.Methods, ", ") + `.
bdi needs descriptors: --feature names them. local-sfm, local-sfm+ and global-map
need local features and verified matches: --matches, of locbench match or of a run;
without it the pairs are matched into --out. global-map needs a map as well: the
scene's own, or --map, of locbench map or of a run.

` + exitHelp,
		Example: `  locbench localize --scene demo --pairs pairs.txt --method ewb --topk 3 --out poses
  locbench localize --scene demo --pairs pairs.txt --method global-map --map map --out localized`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), g) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.scene, "scene", "", "a known scene, a scene directory or a scene file")
	fl.StringVar(&f.pairs, "pairs", "", "a kapture pairs file: query, mapping image, score")
	fl.StringVar(&f.method, "method", "", "how to localize")
	fl.StringVar(&f.out, "out", "", "the folder of the poses")
	fl.IntVar(&f.topk, "topk", 0, "how many of the retrieved images to use (default: all in the file)")
	fl.StringVar(&f.feature, "feature", "", "global feature of the pairs, for bdi")
	fl.StringVar(&f.matches, "matches", "", "a folder of verified matches (default: the pairs are matched)")
	f.structure.add(cmd, "the scene's own")
	fl.Float64Var(&f.alpha, "csi-alpha", bench.DefaultCSIAlpha, "exponent of the weights of CSI")
	fl.Uint64Var(&f.seed, "seed", 0, "everything random derives from it")
	for _, name := range []string{"scene", "pairs", "method", "out"} {
		_ = cmd.MarkFlagRequired(name) // fails only for a flag that does not exist
	}
	return cmd
}

func (f *localizeFlags) run(ctx context.Context, g *globals) error {
	scene, err := openScene(ctx, g, f.scene)
	if err != nil {
		return err
	}
	o := bench.LocalizeOptions{Method: f.method, Pairs: f.pairs, TopK: f.topk, Matches: f.matches,
		Options: bench.Options{Out: f.out, CSIAlpha: f.alpha, Seed: f.seed,
			Backend: g.backend, Jobs: g.jobs, Log: g.logger(), Progress: g.progress()}}
	f.structure.fill(&o.Options)
	if f.feature != "" {
		o.Features = []string{f.feature}
	}
	done, err := bench.LocalizeQueries(ctx, scene, o)
	if err != nil {
		return err
	}
	g.println("%s: %d of %d queries localized by %s, top %d", f.out, done.Localized, done.Queries, f.method, done.TopK)
	f.figures(g, done.Summary)
	return nil
}

// figures prints a line a split whose ground truth is known.
func (f *localizeFlags) figures(g *globals, rows []record.Summary) {
	var splits []string
	figures := map[string][]string{}
	for _, r := range rows {
		if t, ok := strings.CutPrefix(r.Metric, metrics.WithinPrefix); ok {
			if figures[r.Split] == nil {
				splits = append(splits, r.Split)
			}
			figures[r.Split] = append(figures[r.Split], fmt.Sprintf("%.1f %% within %s", r.Value, strings.ReplaceAll(t, "_", " ")))
		}
	}
	for _, s := range splits {
		g.println("  %s: %s", s, strings.Join(figures[s], ", "))
	}
}
