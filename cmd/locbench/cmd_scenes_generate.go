package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"locbench/scenes"
	"locbench/scenes/synth"
)

// defaultLocalFeatures is the most simulated keypoints an image.
const defaultLocalFeatures = 500

func newScenesGenerate(g *globals) *cobra.Command {
	var size string
	o := synth.Options{Mapping: 40, Queries: 20, LocalFeatures: defaultLocalFeatures}
	cmd := &cobra.Command{
		Use:   "generate DIR",
		Short: "a procedural town with exact poses, to try locbench on and to test with",
		Long: `Make a localization scene: a procedural town, ray-cast to JPEGs with exact poses.
A rig of two cameras maps the streets; single cameras with other lenses take
queries by day and by night. Simulated local features, points and observations
are written beside it. The same seed gives the same bytes, whatever --jobs is.

` + exitHelp,
		Example: "  locbench scenes generate town --mapping 40 --queries 20 --size 320x240",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if o.Width, o.Height, err = parseSize(size); err != nil {
				return err
			}
			return generate(cmd.Context(), g, args[0], o)
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.Mapping, "mapping", o.Mapping, "number of mapping images")
	f.IntVar(&o.Queries, "queries", o.Queries, "number of query images, a third of them by night")
	f.StringVar(&size, "size", "320x240", "WIDTHxHEIGHT of the mapping images in pixels")
	f.Uint64Var(&o.Seed, "seed", o.Seed, "everything random derives from it")
	f.IntVar(&o.LocalFeatures, "local-features", o.LocalFeatures, "most simulated local features an image; 0: none")
	f.BoolVar(&o.Force, "force", false, "replace a scene that was generated there before")
	return cmd
}

func generate(ctx context.Context, g *globals, dir string, o synth.Options) error {
	if err := o.Check(); err != nil {
		return usageError{err}
	}
	o.Jobs = g.jobs
	if p := g.progress(); p != nil {
		p.Start("generate "+dir, o.Mapping+o.Queries)
		defer p.Done()
		o.Progress = func(int, int) { p.Add(1) }
	}
	err := synth.Generate(ctx, dir, o)
	if errors.Is(err, synth.ErrExists) {
		return fmt.Errorf("%w; --force replaces it", err)
	}
	return err
}

// generateKnown makes a known scene of the kind that locbench generates.
func generateKnown(ctx context.Context, g *globals, card *scenes.Card, dir string) error {
	o := synth.Options{Mapping: card.Generate.Mapping, Queries: card.Generate.Queries, Seed: card.Generate.Seed,
		LocalFeatures: defaultLocalFeatures}
	var err error
	if o.Width, o.Height, err = parseSize(card.Generate.Size); err != nil {
		return err
	}
	g.logger().Info("scene "+card.Name+" is not here yet: generating it", "dir", dir, "images", o.Mapping+o.Queries)
	return generate(ctx, g, dir, o)
}

// parseSize reads 320x240.
func parseSize(text string) (width, height int, err error) {
	w, h, ok := strings.Cut(text, "x")
	width, errW := strconv.Atoi(w)
	height, errH := strconv.Atoi(h)
	if !ok || errW != nil || errH != nil {
		return 0, 0, usagef("want --size WIDTHxHEIGHT, such as 320x240, found %q", text)
	}
	return width, height, nil
}
