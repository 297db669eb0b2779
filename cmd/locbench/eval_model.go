package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"locbench/bench"
	"locbench/kapture"
	"locbench/retrieval/backend"
	"locbench/retrieval/extract"
	"locbench/retrieval/landmarks"
)

// networkFlags are the flags of locbench eval for a network.
type networkFlags struct {
	model, save string
	set         settingsFlags

	settings extract.Settings
	note     string // what the network is, once it is open
}

func (f *networkFlags) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.model, "model", "", "the network's checkpoint, which describes the images of --data")
	fl.StringVar(&f.save, "save", "", "keep the descriptors of --model in this folder")
	f.set.addImages(cmd)
}

// check refuses flags of a network where there is none, and makes the settings.
func (f *networkFlags) check(cmd *cobra.Command, whiten whitenFlags) (err error) {
	if f.model == "" {
		for _, name := range []string{"save", "protocol", "scales", "pool", "gemp", "max-size", "exif"} {
			if cmd.Flags().Changed(name) {
				return usagef("want --model FILE for --%s", name)
			}
		}
		return nil
	}
	set := &f.set.set
	set.Whiten, set.WhitenPower, set.WhitenDim, set.WhitenMult = whiten.file, whiten.Power, whiten.Dim, whiten.Mult
	f.settings, err = f.set.settings(cmd)
	return err
}

// whitenNote describes the whitening of rows that are there; that of a network
// is among its settings.
func (f *evalFlags) whitenNote() string {
	if f.network.model != "" {
		return ""
	}
	return f.whiten.String()
}

// describe ranks by the descriptors of a network.
func (f *evalFlags) describe(ctx context.Context, g *globals, d *landmarks.Dataset) ([][]landmarks.Place, error) {
	queries, database, err := f.images(d)
	if err != nil {
		return nil, err
	}
	dir := f.network.save
	if dir == "" {
		if dir, err = os.MkdirTemp("", "locbench-eval-"); err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
	}
	if err := f.network.extract(ctx, g, dir, queries, database); err != nil {
		return nil, err
	}
	r := &rowFiles{}
	defer r.close()
	s := landmarks.Search{QueryExpansion: f.queryExpand, DatabaseExpansion: f.dbExpand, Jobs: g.jobs}
	if s.Database, err = r.open(filepath.Join(dir, databaseFile)); err != nil {
		return nil, err
	}
	if s.Queries = s.Database; !d.Labelled {
		if s.Queries, err = r.open(filepath.Join(dir, queryFile)); err != nil {
			return nil, err
		}
	}
	return f.rank(ctx, g, d, r, s)
}

// The files of --save.
const (
	queryFile    = "query.npy"
	databaseFile = "db.npy"
)

// images are those to describe, in the order of the data set: none as queries
// of a labelled folder, whose queries are the database. All that are missing
// are named.
func (f *evalFlags) images(d *landmarks.Dataset) (queries, database []extract.Image, err error) {
	if d.Labelled {
		for _, name := range d.Images {
			file := filepath.Join(f.data, filepath.FromSlash(name))
			database = append(database, extract.Image{Name: filepath.ToSlash(file), File: file})
		}
		return nil, database, extract.CheckFiles(database)
	}
	files, err := landmarks.Files(f.data)
	if err != nil {
		return nil, nil, err
	}
	var bad []error
	missing := map[string]bool{}
	find := func(name string, crop image.Rectangle) extract.Image {
		file, ok := files[name]
		if !ok && !missing[name] {
			bad = append(bad, &kapture.InputError{Path: f.data, Msg: "want the image " + name + ", found no such file"})
			missing[name] = true
		}
		return extract.Image{Name: filepath.ToSlash(file), File: file, Crop: crop}
	}
	for _, q := range d.Queries {
		var crop image.Rectangle
		if q.Box != nil {
			if crop = q.Box.Rect(); crop.Empty() {
				bad = append(bad, &kapture.InputError{Path: f.data, Msg: fmt.Sprintf("want a box of at least a pixel for query %s, found %v", q.Name, *q.Box)})
			}
		}
		queries = append(queries, find(q.Name, crop))
	}
	for _, name := range d.Images {
		database = append(database, find(name, image.Rectangle{}))
	}
	if err := errors.Join(bad...); err != nil {
		return nil, nil, err
	}
	return queries, database, extract.CheckFiles(slices.Concat(queries, database))
}

// extract writes the descriptors into the folder.
func (f *networkFlags) extract(ctx context.Context, g *globals, dir string, queries, database []extract.Image) error {
	b, err := backend.Open(g.backend)
	if err != nil {
		return err
	}
	defer b.Close()
	b.Jobs = g.jobs
	e, err := extract.Open(f.model, b, f.settings)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f.note = e.Metadata().String()
	log := g.logger()
	log.Info("eval: "+f.note, "queries", len(queries), "images", len(database), "backend", b.Name())
	var bad []error
	for _, part := range []struct {
		name, file string
		images     []extract.Image
	}{{"describe queries", queryFile, queries}, {"describe images", databaseFile, database}} {
		if len(part.images) == 0 {
			continue
		}
		o := extract.RunOptions{Jobs: g.jobs, Log: log}
		if p := g.progress(); p != nil {
			o.Progress = named{p, part.name}
		}
		result, err := e.ToMatrix(ctx, part.images, filepath.Join(dir, part.file), o)
		if err != nil {
			return err
		}
		log.Info(part.name, "extracted", result.Extracted, "skipped", result.Kept, "bad", len(result.Bad))
		bad = append(bad, result.Err())
	}
	return errors.Join(bad...)
}

// named is a progress under another name.
type named struct {
	bench.Progress
	name string
}

// Start implements extract.Progress.
func (p named) Start(_ string, total int) { p.Progress.Start(p.name, total) }
