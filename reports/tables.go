package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"locbench/bench/metrics"
	"locbench/bench/record"
	"locbench/kapture/geom"
	"locbench/reports/table"
)

// resultTable is a table with what a page needs to place it.
type resultTable struct {
	table.Table
	split    string
	percents int // how many columns after the keys are percentages
}

// wide is a row of figures with one name, by metric.
type wide struct {
	run, feature, method, topk int
	values                     map[string]float64
}

// widen gathers the tidy rows of a frame, which must be sorted, into wide ones.
func (s *section) widen(f frame) ([]wide, error) {
	rows, err := f.figures()
	if err != nil {
		return nil, err
	}
	var out []wide
	for _, r := range rows {
		key := wide{run: r.run, feature: r.feature, method: r.method, topk: r.topk}
		if n := len(out); n == 0 || !out[n-1].sameRow(key) {
			key.values = map[string]float64{}
			out = append(out, key)
		}
		out[len(out)-1].values[s.metrics.list[r.metric]] = r.value
	}
	return out, nil
}

func (w wide) sameRow(o wide) bool {
	return w.run == o.run && w.feature == o.feature && w.method == o.method && w.topk == o.topk
}

// measure is a column of figures.
type measure struct {
	title string
	text  func(wide) string
	value func(wide) float64 // nil: no best one
	less  bool               // the smallest is the best
}

// tables returns the localization table of every split, in the splits' order.
func (s *section) tables() ([]resultTable, error) {
	var out []resultTable
	for i, split := range s.splits.list {
		rows, err := s.widen(s.summary.where(colSplit, i).arrange(colFeature, colMethod, colTopK, colRun))
		if err != nil {
			return nil, err
		}
		if len(rows) == 0 {
			continue
		}
		t := s.keyed(rows, true)
		s.fill(&t, rows, s.measures(rows))
		t.Title = s.heading(split)
		t.Notes = s.notes(split, rows)
		percents := 0
		if s.accuracy(rows) {
			percents = len(s.scene.Thresholds)
		}
		out = append(out, resultTable{t, split, percents})
	}
	return out, nil
}

// keyed returns a table with the names of the rows.
func (s *section) keyed(rows []wide, methods bool) table.Table {
	t := table.Table{Columns: []table.Column{{Title: "feature"}}}
	if methods {
		t.Columns = append(t.Columns, table.Column{Title: "method"}, table.Column{Title: "k", Right: true})
	}
	if len(s.runs) > 1 {
		t.Columns = append(t.Columns, table.Column{Title: "run"})
	}
	t.Keys = len(t.Columns)
	for _, r := range rows {
		row := table.Row{{Text: s.features.list[r.feature]}}
		if methods {
			row = append(row, table.Cell{Text: s.methods.list[r.method]}, table.Cell{Text: strconv.Itoa(s.topks[r.topk])})
		}
		if len(s.runs) > 1 {
			row = append(row, table.Cell{Text: s.runs[r.run].Label})
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// fill appends the columns of figures.
func (s *section) fill(t *table.Table, rows []wide, columns []measure) {
	for _, m := range columns {
		t.Columns = append(t.Columns, table.Column{Title: m.title, Right: true})
		col := make([]table.Cell, len(rows))
		for i, r := range rows {
			col[i].Text = m.text(r)
		}
		if m.value != nil {
			s.markBest(col, rows, m)
		}
		for i := range rows {
			t.Rows[i] = append(t.Rows[i], col[i])
		}
	}
}

// markBest marks the best figure and all that print like it, unless all do. What
// knows the truth does not compete.
func (s *section) markBest(col []table.Cell, rows []wide, m measure) {
	best := -1
	for i, r := range rows {
		v := m.value(r)
		if math.IsNaN(v) || s.oracle(r.run, r.feature) {
			continue
		}
		if best < 0 || (v > m.value(rows[best])) != m.less && v != m.value(rows[best]) {
			best = i
		}
	}
	if best < 0 || !slices.ContainsFunc(col, func(c table.Cell) bool { return c.Text != col[best].Text }) {
		return
	}
	for i := range col {
		col[i].Best = col[i].Text == col[best].Text && !s.oracle(rows[i].run, rows[i].feature)
	}
}

// measures are the columns that the rows have figures for: the thresholds of
// the manifest, the medians, how many were localized.
func (s *section) measures(rows []wide) []measure {
	figure := func(title, metric string, less bool, text func(float64) string) measure {
		value := func(r wide) float64 { return valueOr(r.values, metric, math.NaN()) }
		return measure{title: title, value: value, less: less, text: func(r wide) string { return text(value(r)) }}
	}
	var out []measure
	if s.accuracy(rows) {
		for _, t := range s.scene.Thresholds {
			out = append(out, figure(thresholdText(t), metrics.Within(geom.Threshold(t)), false, percentText))
		}
	}
	if hasMetric(rows, metrics.MedianMeters) {
		out = append(out,
			figure("median m", metrics.MedianMeters, true, func(v float64) string { return decimalText(v, 3) }),
			figure("median °", metrics.MedianDegrees, true, func(v float64) string { return decimalText(v, 2) }))
	}
	return append(out, measure{title: "localized", text: func(r wide) string {
		return shortText(r.values[metrics.Localized]) + "/" + shortText(r.values[metrics.Queries])
	}})
}

func valueOr(values map[string]float64, name string, other float64) float64 {
	if v, ok := values[name]; ok {
		return v
	}
	return other
}

// accuracy reports whether the rows have percentages within the thresholds.
func (s *section) accuracy(rows []wide) bool {
	return slices.ContainsFunc(s.scene.Thresholds, func(t record.Threshold) bool { return hasMetric(rows, metrics.Within(geom.Threshold(t))) })
}

func hasMetric(rows []wide, metric string) bool {
	return slices.ContainsFunc(rows, func(r wide) bool { _, ok := r.values[metric]; return ok })
}

// notes says what the figures of a localization table are.
func (s *section) notes(split string, rows []wide) []string {
	var notes []string
	if hasMetric(rows, metrics.MedianMeters) {
		notes = append(notes,
			"Columns (m, °): percent of queries within both bounds; a query that was not localized counts as outside. Medians: over all queries, a failed one as infinite.",
			"Thresholds: "+s.thresholdsFrom()+".")
	} else if s.accuracy(rows) {
		notes = append(notes, "Columns (m, °): percent of queries within both bounds, as the evaluation server said (results/server.csv).")
	} else {
		notes = append(notes, "No ground truth here: accuracy is for the evaluation server to tell.")
	}
	for _, run := range s.runs {
		if c := run.Manifest.Counts; c.QueriesWithTruth > 0 && c.QueriesWithTruth < c.Queries {
			notes = append(notes, s.prefix(run)+fmt.Sprintf("%d of %d queries have ground truth; percentages and medians are over those.", c.QueriesWithTruth, c.Queries))
		}
		notes = append(notes, s.topkNotes(run)...)
		notes = append(notes, s.featureNotes(run)...)
	}
	return notes
}

// featureNotes say which network made a feature, and by which protocol: the
// same network gives other figures under another one.
func (s *section) featureNotes(run labelled) []string {
	var notes []string
	for _, f := range run.Manifest.Features {
		if f.Settings != "" {
			notes = append(notes, s.prefix(run)+"Feature "+f.Name+": "+f.Settings+".")
		}
	}
	return notes
}

// thresholdsFrom says where the thresholds come from.
func (s *section) thresholdsFrom() string {
	return cmp.Or(s.scene.ThresholdsFrom, "from the run's manifest, which does not say whence")
}

// topkNotes gathers the notes of the manifest on k; those with the same words
// are said once.
func (s *section) topkNotes(run labelled) []string {
	var texts names
	ks := map[string][]string{}
	for _, k := range run.Manifest.TopK {
		if k.Note != "" {
			texts.id(k.Note)
			ks[k.Note] = append(ks[k.Note], strconv.Itoa(k.K))
		}
	}
	var notes []string
	for _, text := range texts.list {
		notes = append(notes, s.prefix(run)+"k = "+strings.Join(ks[text], ", ")+": "+text+".")
	}
	return notes
}

// prefix names the run where there are several.
func (s *section) prefix(run labelled) string {
	if len(s.runs) < 2 {
		return ""
	}
	return run.Label + ": "
}
