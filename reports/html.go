package reports

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"image/color"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gonum.org/v1/plot/vg"

	"locbench/bench/record"
)

//go:embed page
var pageFiles embed.FS

// pageScripts are the parts of the page's script, in their order.
var pageScripts = []string{"filters.js", "tables.js", "map.js", "view.js", "queries.js", "start.js"}

// page is what the template shows.
type page struct {
	Title    string
	Warnings []string
	Filters  []pageFilter
	Sections []pageSection
	CSS      template.CSS
	JS       template.JS
}

// pageFilter is a choice that holds for the whole page: of a split, a run, a
// feature, a method, a k. Key is also the title of the tables' columns.
type pageFilter struct {
	Title, Key string
	Values     []string
}

type pageSection struct {
	ID             string
	Heading        string
	Scene          record.Scene
	Thresholds     []string
	ThresholdsFrom string
	Runs           []labelled
	Results        []pageTable
	Published      []pageTable
	Comparisons    []pageTable
	Failures       []pageTable
	Retrieval      []pageTable
	Predictions    []pageTable
	Plots          []pagePlots
	Features       []string
	Methods        []string
	TopKs          []int
	// QueryThresholds are the scene's, the finest first, as the query rows name them.
	QueryThresholds []string
	Causes          []string    // of failed queries
	Script          template.JS // JSON of the query rows
}

// pageTable is a table in the page; only the first split's is open at first.
type pageTable struct {
	ID      string
	Title   string
	Split   string
	Notes   []string
	Columns []pageColumn
	Rows    [][]pageCell
	Open    bool
}

type pageColumn struct {
	Title string
	Right bool
}

type pageCell struct {
	Text    string
	Head    bool // names the row
	Long    bool // may break into lines
	Span    int  // rows
	Right   bool
	Best    bool
	Percent string // draws a bar this long; "" for none
}

// pagePlots are the figures of one split.
type pagePlots struct {
	Title   string
	Split   string
	Open    bool
	Figures []pageFigure
}

type pageFigure struct {
	Title   string
	Caption string
	Name    string
	Method  string // "": not of one method
	Panels  []pagePanel
	Legend  [][]pageLegend // rows
}

type pagePanel struct {
	Title string
	SVG   template.HTML
}

type pageLegend struct {
	Label  string
	Sample template.HTML
}

// WriteHTML writes the page: one file that needs no other, tables, plots and
// the rows of all queries in it. The pairs files of the runs are read for the
// images that each query retrieved; a run without them shows none. Maps and
// pictures are in files beside the page that [Report.WriteDir] writes.
func (r *Report) WriteHTML(w io.Writer) error { return r.writePage(w, nil) }

// writePage writes the page with the views of each section; nil: without.
func (r *Report) writePage(w io.Writer, views []*viewIndex) error {
	p, err := r.page(views)
	if err != nil {
		return fmt.Errorf("report page: %w", err)
	}
	t, err := template.New("page").Funcs(template.FuncMap{"seconds": secondsText, "rate": rateText, "bytes": bytesText}).Parse(pageFile("page.tmpl"))
	if err != nil {
		return fmt.Errorf("report page: %w", err)
	}
	return t.Execute(w, p)
}

func (r *Report) page(views []*viewIndex) (*page, error) {
	p := &page{Warnings: r.Warnings, Filters: r.filters(), CSS: template.CSS(pageFile("page.css"))}
	for _, name := range pageScripts {
		p.JS += template.JS(pageFile(name))
	}
	for i, s := range r.sections {
		var view *viewIndex
		if views != nil {
			view = views[i]
		}
		ps, err := s.page(strconv.Itoa(i+1), r.results[i], view)
		if err != nil {
			return nil, err
		}
		p.Sections = append(p.Sections, ps)
	}
	var titles names
	for _, s := range p.Sections {
		titles.id(s.Heading)
	}
	p.Title = strings.Join(titles.list, ", ")
	return p, nil
}

// pageFile returns an embedded part of the page.
func pageFile(name string) string {
	text, err := pageFiles.ReadFile("page/" + name)
	if err != nil {
		panic("reports: no embedded page/" + name)
	}
	return string(text)
}

// filters lists what any of the scenes has.
func (r *Report) filters() []pageFilter {
	var splits, runs, features, methods names
	var topks []int
	for _, s := range r.sections {
		for _, n := range s.splits.list {
			splits.id(n)
		}
		for _, run := range s.runs {
			runs.id(run.Label)
		}
		for _, n := range s.features.list {
			features.id(n)
		}
		for _, n := range s.methods.list {
			methods.id(n)
		}
		topks = append(topks, s.topks...)
	}
	slices.Sort(topks)
	var ks names
	for _, k := range topks {
		ks.id(strconv.Itoa(k))
	}
	return []pageFilter{{"Split", "split", splits.list}, {"Run", "run", runs.list}, {"Feature", "feature", features.list}, {"Method", "method", methods.list}, {"k", "k", ks.list}}
}

func (s *section) page(id string, results sectionResults, views *viewIndex) (pageSection, error) {
	ps := pageSection{
		ID: id, Heading: cmp.Or(s.scene.Title, s.scene.Name), Scene: s.scene, ThresholdsFrom: s.thresholdsFrom(), Runs: s.runs,
		Features: s.features.list, Methods: s.methods.list, TopKs: s.topks,
		Results: pageTables("results-"+id, results.tables), Published: pageTables("published-"+id, results.published), Comparisons: pageTables("comparisons-"+id, results.comparisons),
		Failures:  pageTables("failures-"+id, results.failures),
		Retrieval: pageTables("retrieval-"+id, results.retrieval), Predictions: pageTables("predictions-"+id, results.predictions),
	}
	for _, t := range s.scene.Thresholds {
		ps.Thresholds = append(ps.Thresholds, thresholdText(t))
	}
	for _, t := range s.sortedThresholds() {
		ps.QueryThresholds = append(ps.QueryThresholds, thresholdText(t))
	}
	for _, f := range results.figures {
		pf, err := f.page()
		if err != nil {
			return ps, err
		}
		title := splitTitle(f.split)
		if n := len(ps.Plots); n == 0 || ps.Plots[n-1].Title != title {
			ps.Plots = append(ps.Plots, pagePlots{Title: title, Split: f.split, Open: n == 0})
		}
		last := &ps.Plots[len(ps.Plots)-1]
		last.Figures = append(last.Figures, pf)
	}
	data, err := s.queryData()
	if err != nil {
		return ps, err
	}
	ps.Causes = data.Causes
	script, err := data.script(views)
	ps.Script = template.JS(script)
	return ps, err
}

// splitTitle names a split within its scene's section.
func splitTitle(split string) string {
	if split == record.AllSplit {
		return "All queries"
	}
	return split
}

func pageTables(id string, tables []resultTable) []pageTable {
	var out []pageTable
	for i := range tables {
		t := &tables[i]
		pt := pageTable{ID: id + "-" + strconv.Itoa(i+1), Title: splitTitle(t.split), Split: t.split, Notes: t.Notes, Open: i == 0}
		for _, c := range t.Columns {
			// On a phone a head may break after the comma, but not within "0.25 m".
			pt.Columns = append(pt.Columns, pageColumn{strings.ReplaceAll(c.Title, " m,", "\u00a0m,"), c.Right})
		}
		for r := range t.Rows {
			pt.Rows = append(pt.Rows, t.pageRow(r))
		}
		out = append(out, pt)
	}
	return out
}

// longName is the length from which on the name of a row may break into lines.
const longName = 20

func (t *resultTable) pageRow(r int) []pageCell {
	var row []pageCell
	for c, cell := range t.Rows[r] {
		span := t.Span(r, c)
		if span == 0 {
			continue
		}
		pc := pageCell{Text: cell.Text, Head: c < t.Keys, Long: utf8.RuneCountInString(cell.Text) > longName, Span: span, Right: t.Columns[c].Right, Best: cell.Best}
		if _, err := strconv.ParseFloat(cell.Text, 64); err == nil && c >= t.Keys && c < t.Keys+t.percents {
			pc.Percent = cell.Text
		}
		row = append(row, pc)
	}
	return row
}

func (f plotFigure) page() (pageFigure, error) {
	pf := pageFigure{Title: f.what, Caption: f.caption, Name: f.name, Method: f.method}
	var width vg.Length = pagePanelWidth
	if len(f.panels) > 1 {
		width = pageSmallPanelWidth
	}
	for _, p := range f.panels {
		svg, err := p.svg(width)
		if err != nil {
			return pf, err
		}
		alt := strings.TrimSuffix(f.what+", "+p.title, ", ") + ". The table above has the numbers."
		pf.Panels = append(pf.Panels, pagePanel{p.title, inlineSVG(svg, alt)})
	}
	for _, e := range f.legend {
		svg, err := e.svgSample()
		if err != nil {
			return pf, err
		}
		if len(pf.Legend) == 0 || e.newRow {
			pf.Legend = append(pf.Legend, nil)
		}
		last := &pf.Legend[len(pf.Legend)-1]
		*last = append(*last, pageLegend{e.label, inlineSVG(svg, "")})
	}
	return pf, nil
}

// inlineSVG makes a drawing of gonum's part of the page: sized by it, in its
// font and in its colours, which follow the reader's light or dark theme. alt
// is its text alternative; none: it is decoration.
func inlineSVG(svg []byte, alt string) template.HTML {
	head, body, _ := bytes.Cut(svg, []byte(">\n<g "))
	_, box, _ := bytes.Cut(head, []byte(`viewBox="`))
	box, _, _ = bytes.Cut(box, []byte(`"`))
	role := `aria-hidden="true"`
	if alt != "" {
		role = `role="img" aria-label="` + template.HTMLEscapeString(alt) + `"`
	}
	return template.HTML(`<svg viewBox="` + string(box) + `" ` + role + `><g ` + themed.Replace(string(body)))
}

// themed replaces what gonum fixes by what the page's style sheet sets.
var themed = strings.NewReplacer(themeReplacements()...)

func themeReplacements() []string {
	out := []string{
		"font-family:Liberation Sans;font-variant:normal;font-weight:normal;font-style:normal;", "",
		"\n", " ",
	}
	variable := func(c color.NRGBA, name string) {
		hex := fmt.Sprintf("#%02X%02X%02X", c.R, c.G, c.B)
		out = append(out, "fill:"+hex, "fill:var(--"+name+")", "stroke:"+hex, "stroke:var(--"+name+")")
	}
	variable(inkColor, "plot-ink")
	variable(gridColor, "plot-grid")
	variable(boundColor, "plot-bound")
	for i, c := range palette {
		variable(c, "line-"+strconv.Itoa(i+1))
	}
	return out
}
