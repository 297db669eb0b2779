package main

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"locbench/bench"
	"locbench/bench/metrics"
	"locbench/bench/record"
	"locbench/kapture/geom"
	"locbench/reports"
	"locbench/retrieval/extract"
	"locbench/scenes"
)

// runFlags are the flags of locbench run.
type runFlags struct {
	scene      string
	features   []string
	model      string
	protocol   string
	maxSize    int
	structure  structureFlags
	oracle     bool
	pairs      []string
	topk       []int
	methods    []string
	alpha      float64
	seed       uint64
	out        string
	force      bool
	dryRun     bool
	minSuccess string
}

func newRun(g *globals) *cobra.Command {
	f := &runFlags{}
	cmd := &cobra.Command{
		Use:   "run --scene NAME|DIR|FILE.yaml",
		Short: "the benchmark: retrieve, localize, evaluate, report",
		Long: `Retrieve the top k mapping images of every query, localize the queries from them
by every method, evaluate the poses, print the table and write the run directory:
pairs, poses, submissions, results as CSV, and the report. A stage that is done is
not done again unless its inputs changed; so an interrupted run goes on where it
stopped.

` + exitHelp,
		Example: `  locbench run --scene demo
  locbench run --scene my_scene/ --features AP-GeM-LM18,NetVLAD --topk 1,5,20 --out runs/mine
  locbench run --scene demo --model model.safetensors --protocol eval --topk 1,5
  locbench run --scene my_scene/ --pairs fire=fire_top50_pairs.txt --methods ewb,csi`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), g) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.scene, "scene", "", "a known scene, a scene directory or a scene file")
	fl.StringSliceVar(&f.features, "features", nil, "global feature types to compare (default: all that the scene has)")
	fl.StringVar(&f.model, "model", "", "a network's checkpoint: its feature, named as the file, is extracted first where it is missing")
	fl.StringVar(&f.protocol, "protocol", "", "settings of --model: "+strings.Join(extract.Protocols(), ", ")+" (default: original size, no whitening)")
	fl.IntVar(&f.maxSize, "max-size", 0, "of --model: shrink images to that longer side in pixels (default: as the protocol says)")
	f.structure.add(cmd, "the scene's own, or one that is triangulated")
	fl.BoolVar(&f.oracle, "oracle", false, "add retrieval that knows the truth, by pose and by co-visibility: the upper bound")
	fl.StringArrayVar(&f.pairs, "pairs", nil, "NAME=FILE: a kapture pairs file in place of global features; repeatable")
	fl.IntSliceVar(&f.topk, "topk", nil, "numbers of retrieved images (default 1,2,3,4,5,10,20,50, as far as there are mapping images)")
	fl.StringSliceVar(&f.methods, "methods", nil, "localization methods (default "+strings.Join(bench.Methods, ",")+")")
	fl.Float64Var(&f.alpha, "csi-alpha", bench.DefaultCSIAlpha, "exponent of the weights of CSI")
	fl.Uint64Var(&f.seed, "seed", 0, "everything random derives from it")
	fl.StringVar(&f.out, "out", "", "the run directory (default runs/<scene>)")
	fl.BoolVar(&f.force, "force", false, "do finished stages again")
	fl.BoolVar(&f.dryRun, "dry-run", false, "print the plan and stop: stages, what is done already, an estimate of time and disk")
	fl.StringVar(&f.minSuccess, "min-success", "", "gate, such as 0.25m_2deg=90: exit code 4 unless the best row localizes that many percent of all queries")
	_ = cmd.MarkFlagRequired("scene") // fails only for a flag that does not exist
	return cmd
}

func (f *runFlags) run(ctx context.Context, g *globals) error {
	scene, err := openScene(ctx, g, f.scene)
	if err != nil {
		return err
	}
	gate, err := parseGate(f.minSuccess, scene.Thresholds)
	if err != nil {
		return err
	}
	if f.out == "" {
		f.out = filepath.Join("runs", scene.Name)
	}
	pairs, err := parsePairs(f.pairs)
	if err != nil {
		return err
	}
	o := bench.Options{
		Out: f.out, Features: f.features, Model: f.model, Protocol: f.protocol, MaxSize: f.maxSize, Oracle: f.oracle,
		Pairs: pairs, TopK: f.topk, Methods: f.methods, CSIAlpha: f.alpha,
		Seed: f.seed, Backend: g.backend, Jobs: g.jobs, Force: f.force,
		Args: g.args, Version: version, Log: g.logger(), Progress: g.progress(),
	}
	f.structure.fill(&o)
	plan, err := bench.NewPlan(scene, o)
	if err != nil {
		return err
	}
	if f.dryRun {
		return printPlan(ctx, g, plan)
	}
	if _, err := plan.Run(ctx); err != nil {
		return err
	}
	return finishRun(ctx, g, f.out, gate)
}

// finishRun makes the report as `locbench report` does, from the files of the
// run directory, and holds the figures against the gate.
func finishRun(ctx context.Context, g *globals, out string, gate *gate) error {
	run, err := record.ReadRun(out)
	if err != nil {
		return err
	}
	rep, err := writeReport(ctx, g, []*record.Run{run}, filepath.Join(out, "report"), reports.Options{Thumbnails: thumbnails(defaultThumbnails)})
	if err != nil {
		return err
	}
	if err := rep.WriteText(g.stdout); err != nil {
		return err
	}
	return gate.check(run.Summary)
}

// openScene opens a scene; one that locbench generates is made first.
func openScene(ctx context.Context, g *globals, ref string) (*scenes.Scene, error) {
	o := scenes.Options{DataRoot: g.dataRoot}
	scene, err := scenes.Open(ref, o)
	if missing, ok := errors.AsType[*scenes.NotInstalledError](err); ok {
		card, findErr := scenes.Find(missing.Name)
		if findErr != nil || card.Generate == nil {
			return nil, err
		}
		if err := generateKnown(ctx, g, card, missing.Looked); err != nil {
			return nil, err
		}
		return scenes.Open(ref, o)
	}
	return scene, err
}

// parsePairs reads NAME=FILE.
func parsePairs(args []string) ([]bench.PairsFile, error) {
	var out []bench.PairsFile
	for _, a := range args {
		name, file, ok := strings.Cut(a, "=")
		if !ok {
			file = a
			name = strings.TrimSuffix(filepath.Base(a), filepath.Ext(a))
		}
		if file == "" {
			return nil, usagef("want --pairs NAME=FILE, found %q", a)
		}
		out = append(out, bench.PairsFile{Name: name, File: file})
	}
	return out, nil
}

// gate is the least percentage of queries that the best row must localize.
type gate struct {
	threshold geom.Threshold
	percent   float64
}

// parseGate reads 0.25m_2deg=90; the threshold must be one of the scene's.
func parseGate(text string, thresholds []geom.Threshold) (*gate, error) {
	if text == "" {
		return nil, nil
	}
	t, percent, ok := strings.Cut(text, "=")
	value, err := strconv.ParseFloat(percent, 64)
	if !ok || err != nil || !(value >= 0 && value <= 100) {
		return nil, usagef("want --min-success such as 0.25m_2deg=90, found %q", text)
	}
	threshold, err := geom.ParseThreshold(t)
	if err != nil {
		return nil, usageError{err}
	}
	if !slices.Contains(thresholds, threshold) {
		return nil, usagef("want --min-success at a threshold of the scene (%s), found %s", joinStrings(thresholds), t)
	}
	return &gate{threshold, value}, nil
}

// check fails if no row of all queries reaches the gate. A nil gate is met.
func (g *gate) check(rows []record.Summary) error {
	if g == nil {
		return nil
	}
	best := 0.0
	for _, r := range rows {
		if r.Split == record.AllSplit && r.Metric == metrics.Within(g.threshold) {
			best = max(best, r.Value)
		}
	}
	if best < g.percent {
		return gateError{"gate not met: want " + strconv.FormatFloat(g.percent, 'g', -1, 64) + " % of all queries within " +
			g.threshold.String() + ", the best row has " + strconv.FormatFloat(best, 'f', 2, 64) + " %"}
	}
	return nil
}
