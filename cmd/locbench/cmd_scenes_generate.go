package main

import (
	"cmp"
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

// kinds of what can be generated.
const (
	kindPlace     = "place"
	kindLandmarks = "landmarks"
)

// generateFlags are those of both kinds.
type generateFlags struct {
	kind, size string
	place      synth.Options
	landmarks  synth.LandmarkOptions
}

func newScenesGenerate(g *globals) *cobra.Command {
	fl := generateFlags{kind: kindPlace,
		place:     synth.Options{Mapping: 40, Queries: 20, LocalFeatures: defaultLocalFeatures},
		landmarks: synth.LandmarkOptions{Classes: 400, Views: 12}}
	cmd := &cobra.Command{
		Use:   "generate DIR",
		Short: "a procedural town with exact poses, or landmarks to train on",
		Long: `Make a localization scene: a procedural town, ray-cast to JPEGs with exact poses.
A rig of two cameras maps the streets; single cameras with other lenses take
queries by day and by night. Simulated local features, points and observations
are written beside it.

With --kind landmarks make training data of the same kind of town: house fronts,
churches and monuments, each seen from many places by day and by night. DIR/train
and DIR/val have a folder for each, about every fifth in val. Four landmarks each
share the styles of their houses, and two each are look-alikes.

The same seed gives the same bytes, whatever --jobs is.

` + exitHelp,
		Example: `  locbench scenes generate town --mapping 40 --queries 20 --size 320x240
  locbench scenes generate landmarks --kind landmarks --classes 16 --views 6 --size 64`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return fl.run(cmd, g, args[0]) },
	}
	f := cmd.Flags()
	f.StringVar(&fl.kind, "kind", fl.kind, "what to make: place or landmarks")
	f.IntVar(&fl.place.Mapping, "mapping", fl.place.Mapping, "number of mapping images of a place")
	f.IntVar(&fl.place.Queries, "queries", fl.place.Queries, "number of query images of a place, a third of them by night")
	f.StringVar(&fl.size, "size", "", "WIDTHxHEIGHT of the mapping images (default 320x240), or the edge of landmarks' square images (default 128), in pixels")
	f.Uint64Var(&fl.place.Seed, "seed", fl.place.Seed, "everything random derives from it")
	f.IntVar(&fl.place.LocalFeatures, "local-features", fl.place.LocalFeatures, "most simulated local features an image of a place; 0: none")
	f.IntVar(&fl.landmarks.Classes, "classes", fl.landmarks.Classes, "number of landmarks")
	f.IntVar(&fl.landmarks.Views, "views", fl.landmarks.Views, "images of each landmark, a third of them by night")
	f.BoolVar(&fl.place.Force, "force", false, "replace what was generated there before")
	return cmd
}

// run generates what the flags say.
func (fl *generateFlags) run(cmd *cobra.Command, g *globals, dir string) error {
	others := map[string][]string{kindPlace: {"classes", "views"}, kindLandmarks: {"mapping", "queries", "local-features"}}
	not, ok := others[fl.kind]
	if !ok {
		return usagef("want --kind %s or %s, found %q", kindPlace, kindLandmarks, fl.kind)
	}
	for _, name := range not {
		if cmd.Flags().Changed(name) {
			return usagef("--%s is not for --kind %s", name, fl.kind)
		}
	}
	if fl.kind == kindLandmarks {
		return fl.generateLandmarks(cmd.Context(), g, dir)
	}
	var err error
	if fl.place.Width, fl.place.Height, err = parseSize(cmp.Or(fl.size, "320x240")); err != nil {
		return err
	}
	return generate(cmd.Context(), g, dir, fl.place)
}

func (fl *generateFlags) generateLandmarks(ctx context.Context, g *globals, dir string) error {
	o := fl.landmarks
	o.Seed, o.Force, o.Jobs = fl.place.Seed, fl.place.Force, g.jobs
	var err error
	if o.Size, err = strconv.Atoi(cmp.Or(fl.size, "128")); err != nil {
		return usagef("want --size in pixels for --kind %s, such as 128, found %q", kindLandmarks, fl.size)
	}
	if err := o.Check(); err != nil {
		return usageError{err}
	}
	if p := g.progress(); p != nil {
		p.Start("generate "+dir, o.Classes*o.Views)
		defer p.Done()
		o.Progress = func(int, int) { p.Add(1) }
	}
	return orForce(synth.GenerateLandmarks(ctx, dir, o))
}

// orForce says how to replace what is there.
func orForce(err error) error {
	if errors.Is(err, synth.ErrExists) {
		return fmt.Errorf("%w; --force replaces it", err)
	}
	return err
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
	return orForce(synth.Generate(ctx, dir, o))
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
