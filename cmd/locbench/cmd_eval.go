package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"locbench/bench/record"
	"locbench/retrieval"
	"locbench/retrieval/landmarks"
	"locbench/retrieval/npy"
)

// evalFlags are the flags of locbench eval.
type evalFlags struct {
	dataset, gnd, data string

	queries, database     string
	queryList, dbList     string
	scores, ranks         string
	distractors           []string
	aqe, adba             string
	whiten                whitenFlags
	queryExpand, dbExpand retrieval.Expansion
	network               networkFlags

	json      string
	perQuery  bool
	published bool
}

func newEval(g *globals) *cobra.Command {
	f := &evalFlags{}
	cmd := &cobra.Command{
		Use:   "eval --dataset NAME",
		Short: "mAP on oxford5k, paris6k, roxford5k, rparis6k or a labelled folder",
		Long: `Evaluate a ranking of landmark images: mAP and mP@k as the revisited benchmark
defines them (easy, medium, hard; junk removed; AP by the trapezoid rule; queries
without positives left out), or as the original Oxford and Paris do. In a
labelled folder of folders every image is a query, itself left out, and images of
the same folder are relevant; AP is then the finite sum, and equal scores count as
one.

The ground truth is --gnd FILE (the .pkl of the revisited benchmark, or the same
as .json), or lies in --data DIR: gnd_NAME.pkl or .json, or the original good, ok
and junk files. The ranking comes from a network, --model FILE, which describes the
images of --data DIR, or from descriptors, both ranked by dot product on the
processor, or from a file of scores or ranks, all as .npy. The rows of descriptors
are in the order of the ground truth, or in that of a list of images: FILE.txt
beside FILE.npy, --query-list, --db-list. Query images are to be cropped to their
box. Distractors are read in blocks: a million of them need no memory.

With --model, query images are cropped to their box before anything else, and
images of the database are not. --protocol and the flags after it are those of
locbench extract; --whiten names a PCA set of the checkpoint. --save DIR keeps the
descriptors as query.npy and db.npy, and what an interrupted evaluation has of
them: those that are there are not computed again. An image that cannot be read
does not stop the others: it is reported, and the exit code is 3.

` + exitHelp,
		Example: `  locbench eval --dataset roxford5k --gnd gnd_roxford5k.json --scores scores.npy --published
  locbench eval --dataset roxford5k --gnd gnd_roxford5k.json --query-descriptors queries.npy --db-descriptors images.npy --json roxford5k.json
  locbench eval --dataset roxford5k --gnd gnd_roxford5k.json --query-descriptors queries.npy --db-descriptors images.npy --distractors r1m.npy --aqe 2,3
  locbench eval --dataset folder --data photos --db-descriptors photos.npy --adba 2,3 --per-query
  locbench eval --dataset roxford5k --data roxford5k/ --model model.safetensors --protocol eval --save descriptors/`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), g, cmd) },
	}
	f.add(cmd)
	_ = cmd.MarkFlagRequired("dataset") // fails only for a flag that does not exist
	return cmd
}

func (f *evalFlags) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.dataset, "dataset", "", strings.Join(landmarks.Names(), ", "))
	fl.StringVar(&f.gnd, "gnd", "", "ground truth, .pkl or .json")
	fl.StringVar(&f.data, "data", "", "folder of images and ground truth")
	fl.StringVar(&f.queries, "query-descriptors", "", ".npy, a row for each query")
	fl.StringVar(&f.database, "db-descriptors", "", ".npy, a row for each image of the database")
	fl.StringVar(&f.queryList, "query-list", "", "names of the rows of --query-descriptors (default: FILE.txt beside FILE.npy, if there)")
	fl.StringVar(&f.dbList, "db-list", "", "names of the rows of --db-descriptors (likewise)")
	fl.StringVar(&f.scores, "scores", "", ".npy, queries × database")
	fl.StringVar(&f.ranks, "ranks", "", ".npy, database × queries: images from 0, best first")
	fl.StringArrayVar(&f.distractors, "distractors", nil, ".npy, descriptors of more images, none of them relevant; repeatable")
	fl.StringVar(&f.aqe, "aqe", "", "K,ALPHA of query expansion")
	fl.StringVar(&f.adba, "adba", "", "K,ALPHA of database expansion")
	f.whiten.add(cmd, "whiten")
	fl.Lookup("whiten").Usage += "; with --model, a PCA set of its checkpoint, or none"
	f.network.add(cmd)
	fl.BoolVar(&f.published, "published", false, "set the mAP beside those that others have published")
	fl.StringVar(&f.json, "json", "", "write the figures to this file")
	fl.BoolVar(&f.perQuery, "per-query", false, "print the average precision of every query too")
}

// check refuses flags that do not go together.
func (f *evalFlags) check(cmd *cobra.Command) (err error) {
	if !slices.Contains(landmarks.Names(), f.dataset) {
		return usagef("want --dataset %s, found %q", strings.Join(landmarks.Names(), ", "), f.dataset)
	}
	given := 0
	for _, flag := range []string{f.network.model, f.database, f.scores, f.ranks} {
		if flag != "" {
			given++
		}
	}
	folder := f.dataset == landmarks.Folder
	switch {
	case given != 1:
		return usagef("want one of --model, --db-descriptors, --scores and --ranks, found %d", given)
	case folder && (f.data == "" || f.gnd != ""):
		return usagef("want --data DIR, the folder of folders, for --dataset folder, and no --gnd")
	case folder && f.queries != "":
		return usagef("want no --query-descriptors for --dataset folder: its images are the queries")
	case f.network.model != "" && f.data == "":
		return usagef("want --data DIR, the folder of the images, for --model")
	case !folder && f.network.model == "" && (f.data == "") == (f.gnd == ""):
		return usagef("want either --gnd FILE or --data DIR for --dataset %s", f.dataset)
	case !folder && (f.database == "") != (f.queries == ""):
		return usagef("want --query-descriptors and --db-descriptors together")
	case f.database == "" && (f.queryList != "" || f.dbList != ""):
		return usagef("want --db-descriptors for --query-list and --db-list")
	case f.database+f.network.model == "" && (f.aqe != "" || f.adba != "" || f.whiten.file != "" || len(f.distractors) > 0):
		return usagef("want descriptors for --aqe, --adba, --whiten and --distractors: scores and ranks are taken as they are")
	case f.adba != "" && len(f.distractors) > 0:
		return usagef("want --adba without --distractors: the distractors, which are not held in memory, would stay as they are")
	}
	if err := f.network.check(cmd, f.whiten); err != nil {
		return err
	}
	if f.queryExpand, err = parseExpansion("aqe", f.aqe); err != nil {
		return err
	}
	f.dbExpand, err = parseExpansion("adba", f.adba)
	return err
}

// parseExpansion reads K,ALPHA.
func parseExpansion(flag, text string) (e retrieval.Expansion, err error) {
	if text == "" {
		return e, nil
	}
	k, alpha, ok := strings.Cut(text, ",")
	if ok {
		if e.K, err = strconv.Atoi(k); err == nil {
			e.Alpha, err = strconv.ParseFloat(alpha, 64)
		}
	}
	if !ok || err != nil || e.K < 0 || !(e.Alpha >= 0) || e.K > 1<<20 {
		return e, usagef("want --%s K,ALPHA such as 10,3, found %q", flag, text)
	}
	return e, nil
}

func (f *evalFlags) run(ctx context.Context, g *globals, cmd *cobra.Command) error {
	if err := f.check(cmd); err != nil {
		return err
	}
	d, err := f.openDataset()
	if err != nil {
		return err
	}
	places, err := f.places(ctx, g, d)
	if err != nil {
		return err
	}
	e := evaluate(d, places)
	e.notes = f.notes()
	if f.json != "" {
		if err := record.WriteFile(f.json, e.writeJSON); err != nil {
			return fmt.Errorf("write %s: %w", f.json, err)
		}
	}
	if err := e.table().WriteText(g.stdout); err != nil {
		return err
	}
	if f.published {
		t := e.publishedTable()
		if t == nil {
			g.logger().Warn("no figures are known that were published of " + d.Name)
		} else {
			g.println("")
			if err := t.WriteText(g.stdout); err != nil {
				return err
			}
		}
	}
	if !f.perQuery {
		return nil
	}
	g.println("")
	return e.queryTable().WriteText(g.stdout)
}

// places ranks by what the flags name.
func (f *evalFlags) places(ctx context.Context, g *globals, d *landmarks.Dataset) ([][]landmarks.Place, error) {
	switch {
	case f.network.model != "":
		return f.describe(ctx, g, d)
	case f.database != "":
		return f.search(ctx, g, d)
	}
	path, from := f.scores, d.FromScores
	if f.ranks != "" {
		path, from = f.ranks, d.FromRanks
	}
	file, err := npy.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return from(ctx, file)
}

// notes say how the ranking was made.
func (f *evalFlags) notes() []string {
	var notes []string
	for _, n := range []struct{ what, how string }{
		{"network", f.network.note}, {"whitening", f.whitenNote()}, {"database expansion (K,ALPHA)", f.adba}, {"query expansion (K,ALPHA)", f.aqe},
		{"distractors", strings.Join(f.distractors, ", ")},
	} {
		if n.how != "" {
			notes = append(notes, n.what+": "+n.how)
		}
	}
	return notes
}
