package main

import (
	"context"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"locbench/bench/record"
	"locbench/reports"
)

func newReport(g *globals) *cobra.Command {
	var out, format string
	var o reports.Options
	var pictures int
	cmd := &cobra.Command{
		Use:   "report RUN...",
		Short: "tables and plots from one or several runs",
		Long: `Rebuild the report of a run directory from its results files, or set several runs
side by side in one report.

--published sets the figures of the scene, split, method, local features and k that
others have published beside the run's, rounded alike, with the difference. For
scenes whose ground truth is not public, write what the evaluation server says into
results/server.csv of the run, with the columns of summary.csv.

The page shows each query beside its retrieved images, matches and a map. Small
pictures are made from the scene's images, as far as they are where the run found
them: at most as many as --thumbnails says, those of a query together, spread
over all queries.

` + exitHelp,
		Example: `  locbench report runs/demo
  locbench report runs/demo runs/other --out runs/both
  locbench report --published runs/demo
  locbench report --format markdown runs/demo`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, dirs []string) error {
			runs, err := readRuns(dirs)
			if err != nil {
				return err
			}
			if out == "" {
				out = "report"
				if len(dirs) == 1 {
					out = filepath.Join(dirs[0], "report")
				}
			}
			if pictures < 0 {
				return usagef("want --thumbnails of at least 0, found %d", pictures)
			}
			o.Thumbnails = thumbnails(pictures)
			print, ok := reportFormats[format]
			if !ok {
				return usagef("want --format of %s, found %q", strings.Join(slices.Sorted(maps.Keys(reportFormats)), ", "), format)
			}
			rep, err := writeReport(cmd.Context(), g, runs, out, o)
			if err != nil {
				return err
			}
			return print(rep, g.stdout)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "how the tables are printed: text, csv, latex, markdown")
	cmd.Flags().BoolVar(&o.Published, "published", false, "set the figures beside those that others have published of the scene")
	cmd.Flags().IntVar(&pictures, "thumbnails", defaultThumbnails, "most images of the scene that the page shows a small picture of; 0: none")
	cmd.Flags().StringVar(&out, "out", "", "where the report goes (default RUN/report; report for several runs)")
	return cmd
}

func readRuns(dirs []string) ([]*record.Run, error) {
	var runs []*record.Run
	for _, dir := range dirs {
		r, err := record.ReadRun(dir)
		if err != nil {
			return nil, err
		}
		runs = append(runs, r)
	}
	return runs, nil
}

// reportFormats are the ways to print tables.
var reportFormats = map[string]func(*reports.Report, io.Writer) error{
	"text": (*reports.Report).WriteText, "csv": (*reports.Report).WriteCSV, "markdown": (*reports.Report).WriteMarkdown, "latex": (*reports.Report).WriteLaTeX,
}

// writeReport makes the report of runs and writes its folder.
func writeReport(ctx context.Context, g *globals, runs []*record.Run, out string, o reports.Options) (*reports.Report, error) {
	rep, err := reports.Build(runs, o)
	if err != nil {
		return nil, err
	}
	for _, w := range rep.Warnings {
		g.logger().Warn(w)
	}
	if err := rep.WriteDir(ctx, out); err != nil {
		return nil, err
	}
	g.logger().Info("report written", "page", filepath.Join(out, "index.html"))
	return rep, nil
}
