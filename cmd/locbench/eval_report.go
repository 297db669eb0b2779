package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"

	"locbench/bench/metrics"
	"locbench/reports/table"
	"locbench/retrieval/landmarks"
)

// evaluation is the figures of a data set.
type evaluation struct {
	dataset *landmarks.Dataset
	notes   []string
	setups  []setupFigures // in the order of the data set's
}

// setupFigures are the figures of one setup.
type setupFigures struct {
	aps        []float64 // by query, in [0, 1]; NaN without positives
	precisions [][]float64
	hits       [][]float64
}

// evalKs are the k of mP@k and top@k.
func evalKs() []int { return []int{1, 5, 10} }

func evaluate(d *landmarks.Dataset, places [][]landmarks.Place) *evaluation {
	e := &evaluation{dataset: d}
	for _, setup := range d.Setups {
		f := setupFigures{precisions: make([][]float64, len(evalKs())), hits: make([][]float64, len(evalKs()))}
		for q := range d.Queries {
			query := &d.Queries[q]
			junk, _ := query.Pick(places[q], setup.Junk...)
			ranks, atLeast := query.Pick(places[q], setup.Positive...)
			ranks = metrics.WithoutJunk(ranks, junk)
			if d.Labelled {
				f.aps = append(f.aps, metrics.StepAP(metrics.WithoutJunk(atLeast, junk)))
			} else {
				f.aps = append(f.aps, metrics.TrapezoidAP(ranks))
			}
			for i, k := range evalKs() {
				f.precisions[i] = append(f.precisions[i], metrics.PrecisionAt(ranks, k))
				f.hits[i] = append(f.hits[i], metrics.HitAt(ranks, k))
			}
		}
		e.setups = append(e.setups, f)
	}
	return e
}

// figures are the means of a setup in percent, by name, in the order of the table.
func (e *evaluation) figures(f setupFigures) (names []string, values []float64) {
	names, values = []string{"mAP"}, []float64{100 * metrics.Mean(f.aps)}
	for i, k := range evalKs() {
		names, values = append(names, "mP@"+strconv.Itoa(k)), append(values, 100*metrics.Mean(f.precisions[i]))
	}
	for i, k := range evalKs() {
		if e.dataset.Labelled {
			names, values = append(names, "top@"+strconv.Itoa(k)), append(values, 100*metrics.Mean(f.hits[i]))
		}
	}
	return names, values
}

// writeJSON writes the figures in percent and the APs in [0, 1]; null where
// there are no positives.
func (e *evaluation) writeJSON(w io.Writer) error {
	out := map[string]any{"dataset": e.dataset.Name, "images": len(e.dataset.Images), "queries": queryNames(e.dataset), "notes": append([]string{}, e.notes...)}
	for i, f := range e.setups {
		setup := map[string]any{"APs": orNull(f.aps)}
		names, values := e.figures(f)
		for j, v := range orNull(values) {
			setup[names[j]] = v
		}
		out[e.dataset.Setups[i].Name] = setup
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(out)
}

// orNull makes NaN what JSON has for it.
func orNull(values []float64) []*float64 {
	out := make([]*float64, len(values))
	for i := range values {
		if !math.IsNaN(values[i]) {
			out[i] = &values[i]
		}
	}
	return out
}

// table shows the figures in percent.
func (e *evaluation) table() *table.Table {
	d := e.dataset
	t := &table.Table{
		Title:   fmt.Sprintf("%s: %d queries, %d images; percent", d.Name, len(d.Queries), len(d.Images)),
		Columns: []table.Column{{Title: "setup"}, {Title: "queries", Right: true}},
		Keys:    1,
		Notes:   e.notes,
	}
	for i, f := range e.setups {
		names, values := e.figures(f)
		if i == 0 {
			for _, name := range names {
				t.Columns = append(t.Columns, table.Column{Title: name, Right: true})
			}
		}
		row := table.Row{{Text: d.Setups[i].Name}, {Text: strconv.Itoa(defined(f.aps))}}
		for _, v := range values {
			row = append(row, table.Cell{Text: shownFigure(v)})
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// queryTable shows the AP of every query in percent.
func (e *evaluation) queryTable() *table.Table {
	t := &table.Table{Title: "average precision by query; percent", Columns: []table.Column{{Title: "query"}}, Keys: 1}
	for _, s := range e.dataset.Setups {
		t.Columns = append(t.Columns, table.Column{Title: s.Name, Right: true})
	}
	for q, query := range e.dataset.Queries {
		// Queries may repeat a name, and a name that repeats is left blank.
		row := table.Row{{Text: fmt.Sprintf("%d %s", q, query.Name)}}
		for _, f := range e.setups {
			row = append(row, table.Cell{Text: shownFigure(100 * f.aps[q])})
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func shownFigure(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// defined counts the queries that have positives.
func defined(aps []float64) int {
	n := 0
	for _, ap := range aps {
		if !math.IsNaN(ap) {
			n++
		}
	}
	return n
}
