package reports

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"

	"locbench/bench/record"
	"locbench/reports/table"
)

// Options say how a report is made. The zero value is a useful one.
type Options struct {
	// Labels name the runs, one each; nil: the last parts of their directories.
	Labels []string
	// CurveTopK is the k of the plots over the position threshold. 0, or a k
	// that did not run: the largest one up to 10.
	CurveTopK int
	// Published sets the figures beside those that others have published.
	Published bool
	// Thumbnails are pictures of the images; only WriteDir makes them.
	Thumbnails Thumbnails
}

// Report holds the tables and figures of one or several runs.
type Report struct {
	// Warnings say what a reader must know before comparing: runs that are kept
	// apart, and differences between those that are not. The page shows them.
	Warnings []string

	sections   []*section
	results    []sectionResults
	thumbnails Thumbnails
}

// sectionResults are the finished tables and figures of a section.
type sectionResults struct {
	tables, published, comparisons, failures, retrieval, predictions []resultTable

	figures []plotFigure
}

// Build makes a report of runs. It fails without a run, and on labels that are
// not one for each.
func Build(runs []*record.Run, o Options) (*Report, error) {
	if len(runs) == 0 {
		return nil, errors.New("a report needs at least one run")
	}
	if o.Labels != nil && len(o.Labels) != len(runs) {
		return nil, fmt.Errorf("want a label for each of %d runs, found %d", len(runs), len(o.Labels))
	}
	r := &Report{sections: sections(label(runs, o.Labels)), thumbnails: o.Thumbnails}
	r.Warnings = apart(r.sections)
	for _, s := range r.sections {
		r.Warnings = append(r.Warnings, s.warnings()...)
		results, err := s.results(o, &r.Warnings)
		if err != nil {
			return nil, fmt.Errorf("report of %s: %w", s.scene.Name, err)
		}
		r.results = append(r.results, results)
	}
	nameFigures(r.results)
	return r, nil
}

// results makes the tables and figures; warnings takes what else a reader must know.
func (s *section) results(o Options, warnings *[]string) (sectionResults, error) {
	var out sectionResults
	var err error
	if out.tables, err = s.tables(); err != nil {
		return out, err
	}
	if out.retrieval, err = s.retrievalTables(); err != nil {
		return out, err
	}
	if o.Published {
		var why string
		if out.published, why, err = s.publishedTables(); err != nil {
			return out, err
		}
		if why != "" {
			*warnings = append(*warnings, s.scene.Name+": "+why)
		}
	}
	out.comparisons = s.comparisons(o.CurveTopK)
	out.failures = s.failureTables(o.CurveTopK)
	if out.predictions, err = s.predictionTables(); err != nil {
		return out, err
	}
	out.figures, err = s.figures(o.CurveTopK)
	return out, err
}

// label names the runs: as asked, or by the last part of their directory.
// Equal names are numbered.
func label(runs []*record.Run, labels []string) []labelled {
	out := make([]labelled, len(runs))
	uses := map[string]int{}
	for i, run := range runs {
		name := filepath.Base(run.Dir)
		if labels != nil {
			name = cmp.Or(labels[i], name)
		}
		uses[name]++
		if n := uses[name]; n > 1 {
			name += " (" + strconv.Itoa(n) + ")"
		}
		out[i] = labelled{name, run}
	}
	return out
}

// apart warns of runs of one scene that are in different sections.
func apart(list []*section) []string {
	var out []string
	for i, a := range list {
		for _, b := range list[i+1:] {
			if a.scene.Name == b.scene.Name {
				out = append(out, fmt.Sprintf("%s: runs %s and %s are held against different thresholds and stand in separate tables",
					a.scene.Name, a.runs[0].Label, b.runs[0].Label))
			}
		}
	}
	return out
}

// WriteText prints the tables of results for a terminal: those of failures and of
// correlations are in the other forms.
func (r *Report) WriteText(w io.Writer) error {
	return r.writeTables(w, (*table.Table).WriteText, sectionResults.figuresOnly)
}

// WriteCSV prints all tables as CSV, an empty line between them. For other
// programs the tidy summary.csv of a run is the better file.
func (r *Report) WriteCSV(w io.Writer) error {
	return r.writeTables(w, (*table.Table).WriteCSV, sectionResults.all)
}

// WriteMarkdown prints all tables as Markdown.
func (r *Report) WriteMarkdown(w io.Writer) error {
	return r.writeTables(w, (*table.Table).WriteMarkdown, sectionResults.all)
}

// WriteLaTeX prints all tables as a document that pdflatex compiles.
func (r *Report) WriteLaTeX(w io.Writer) error {
	if _, err := io.WriteString(w, table.LaTeXHead); err != nil {
		return err
	}
	if err := r.writeTables(w, (*table.Table).WriteLaTeX, sectionResults.all); err != nil {
		return err
	}
	_, err := io.WriteString(w, table.LaTeXTail)
	return err
}

// figuresOnly are the tables of results.
func (r sectionResults) figuresOnly() [][]resultTable {
	return [][]resultTable{r.tables, r.published, r.comparisons, r.retrieval}
}

// all are the tables in the order of the page.
func (r sectionResults) all() [][]resultTable {
	return [][]resultTable{r.tables, r.published, r.comparisons, r.failures, r.retrieval, r.predictions}
}

func (r *Report) writeTables(w io.Writer, write func(*table.Table, io.Writer) error, which func(sectionResults) [][]resultTable) error {
	first := true
	for _, s := range r.results {
		for _, list := range which(s) {
			for i := range list {
				if !first {
					if _, err := io.WriteString(w, "\n"); err != nil {
						return err
					}
				}
				first = false
				if err := write(&list[i].Table, w); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
