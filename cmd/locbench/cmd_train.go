package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"locbench/bench/record"
	"locbench/reports"
	"locbench/retrieval/backend"
	"locbench/retrieval/train"
)

// trainFlags are the flags of locbench train.
type trainFlags struct {
	config, out    string
	set            []string
	resume, dryRun bool
}

func newTrain(g *globals) *cobra.Command {
	f := &trainFlags{}
	cmd := &cobra.Command{
		Use:   "train --out DIR [--config C.yaml] [--set KEY=VALUE …] [--resume]",
		Short: "train a retrieval network with the AP loss",
		Long: `Train a retrieval network end to end, so that the average precision of its
rankings itself goes up (Revaud et al., ICCV 2019), or with the tie-aware AP or
triplet losses. Batches may be far larger than the memory for their activations.

The settings are those of the paper where neither --config nor --set says
otherwise. What must be said is the data, and the network:
  data.kind, data.path    folder (a folder a class), csv, landmarks-clean, gldv1,
                          gldv2, retrieval-sfm, or kapture
  model.from              a checkpoint of torchvision, dirtorch or locbench, or
  model.arch              resnet50, …: weights drawn at random
  validation.data.path    images whose mAP decides which network is kept

DIR gets config.yaml (all settings), model.safetensors (the best network, with a
whitening set; what --model takes), last/ (what --resume needs), log.csv and plots.
--dry-run reads the data and prints what the training would take.

` + exitHelp,
		Example: `  locbench train --out small --set data.path=landmarks/train --set validation.data.path=landmarks/val --set model.arch=resnet10_w16 --set augment.size=64 --set sampler.batch=64 --set steps=2
  locbench train --config train.yaml --out trained --set optimizer.learning_rate=5e-5
  locbench train --out trained --resume`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), g) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.config, "config", "", "settings in YAML (with --resume default: those of DIR)")
	fl.StringVar(&f.out, "out", "", "the folder that the training writes to")
	fl.StringArrayVar(&f.set, "set", nil, "one setting, such as loss.bins=20; repeatable")
	fl.BoolVar(&f.resume, "resume", false, "go on from the last checkpoint in --out")
	fl.BoolVar(&f.dryRun, "dry-run", false, "print the plan and the memory it takes, train nothing")
	_ = cmd.MarkFlagRequired("out") // fails only for a flag that does not exist
	return cmd
}

func (f *trainFlags) run(ctx context.Context, g *globals) error {
	config := f.config
	if f.resume && config == "" && len(f.set) == 0 {
		config = train.ConfigFile(f.out)
		if _, err := os.Stat(config); errors.Is(err, fs.ErrNotExist) {
			return usagef("want --out with a training to resume: found no %s", config)
		}
	}
	cfg, err := train.ReadConfig(config, f.set)
	if err != nil {
		return err
	}
	b, err := backend.Open(g.backend)
	if err != nil {
		return err
	}
	defer b.Close()
	b.Jobs = g.jobs
	o := train.Options{Backend: b, Jobs: g.jobs, Log: g.logger()}
	if p := g.progress(); p != nil {
		o.Progress = p
	}
	t, err := train.New(ctx, cfg, f.out, o)
	if err != nil {
		return err
	}
	if f.dryRun {
		return printTraining(g, t)
	}
	p := t.Plan()
	o.Log.Info("train "+t.Config().Model.Arch, "images", p.Images, "classes", p.Classes, "batch", p.Batch, "steps", t.Config().Steps,
		"loss", t.Config().Loss.Name, "backend", b.Name(), "memory", size(p.Total()))
	result, err := t.Run(ctx, f.resume)
	if errors.Is(err, train.ErrStarted) {
		return usageError{err}
	}
	if bad := drawTraining(f.out); err == nil {
		err = bad
	}
	if err != nil {
		return err
	}
	if math.IsNaN(result.BestMAP) {
		g.println("%s: step %d", result.Model, result.BestStep)
	} else {
		g.println("%s: step %d, validation mAP %.2f", result.Model, result.BestStep, result.BestMAP)
	}
	return nil
}

// drawTraining draws the log of a training, if there is one yet.
func drawTraining(dir string) error {
	path := train.LogFile(dir)
	in, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer in.Close()
	rows, err := record.ReadTraining(in, path)
	if err != nil {
		return err
	}
	return reports.WriteTraining(dir, rows)
}

// printTraining says what a training would take.
func printTraining(g *globals, t *train.Trainer) error {
	p, cfg := t.Plan(), t.Config()
	g.println("%s, descriptors of %d values, from %s", cfg.Model.Arch, p.Dim, origin(cfg.Model.From))
	g.println("%d images of %d classes in %s, %d for validation", p.Images, p.Classes, filepath.Clean(cfg.Data.Path), p.Validation)
	g.println("%d steps of %d images, %d batches an epoch, learning rate %.3g, %.3g, %.3g at the start, the middle and the end",
		cfg.Steps, p.Batch, p.StepsPerEpoch, p.Rates[0], p.Rates[1], p.Rates[2])
	tab := tabwriter.NewWriter(g.stdout, 0, 0, 2, ' ', 0)
	for _, row := range []struct {
		bytes int64
		what  string
	}{
		{p.Network, "weights, gradients and moments"},
		{p.Activations, fmt.Sprintf("values and gradients of %d images of %d×%d in work", p.InWork, cfg.Augment.Size, cfg.Augment.Size)},
		{p.Descriptors, fmt.Sprintf("descriptors of a batch of %d, and the loss", cfg.Sampler.Batch)},
		{p.Cache, "decoded images that are kept, at most (cache_mb)"},
		{p.Total(), "in all, by estimate"},
	} {
		fmt.Fprintf(tab, "%s\t%s\n", size(row.bytes), row.what)
	}
	return tab.Flush()
}

func origin(file string) string {
	if file == "" {
		return "weights drawn at random"
	}
	return file
}
