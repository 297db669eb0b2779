package main

import (
	"cmp"
	"math"
	"path"
	"slices"
	"strings"

	"locbench/bench/metrics"
	"locbench/reports/published"
	"locbench/reports/table"
)

// publishedMAP is a model's published mAP by setup.
type publishedMAP struct {
	model, source string
	values        map[string]published.Value
}

// publishedTable sets the mAP of every setup beside those that others have
// published of the data set, best first by the last setup; nil: none are known.
func (e *evaluation) publishedTable() *table.Table {
	models := publishedOf(e.dataset.Name)
	if len(models) == 0 {
		return nil
	}
	t := &table.Table{Title: e.dataset.Name + ": mAP beside published figures; percent", Columns: []table.Column{{Title: "model"}}, Keys: 1}
	last := ""
	for _, s := range e.dataset.Setups {
		t.Columns = append(t.Columns, table.Column{Title: s.Name, Right: true})
		last = s.Name
	}
	t.Columns = append(t.Columns, table.Column{Title: "source"})
	slices.SortStableFunc(models, func(a, b publishedMAP) int { return -cmp.Compare(a.values[last].Number, b.values[last].Number) })
	row := table.Row{{Text: "this ranking"}}
	for _, f := range e.setups {
		row = append(row, table.Cell{Text: shownFigure(100 * metrics.Mean(f.aps))})
	}
	t.Rows = append(t.Rows, append(row, table.Cell{Text: ""}))
	for _, m := range models {
		row := table.Row{{Text: m.model}}
		for _, s := range e.dataset.Setups {
			text := shownFigure(math.NaN())
			if v, ok := m.values[s.Name]; ok {
				text = v.Text
			}
			row = append(row, table.Cell{Text: text})
		}
		t.Rows = append(t.Rows, append(row, table.Cell{Text: m.source}))
	}
	t.Notes = []string{"Published with other image sizes, scales and whitenings, which a protocol of --protocol may or may not be: see the sources."}
	return t
}

// publishedOf gathers the figures of a data set by source and model. The original
// setup of Oxford and Paris is called classic there.
func publishedOf(dataset string) []publishedMAP {
	var out []publishedMAP
	for _, r := range published.All() {
		if r.Dataset != dataset || r.Task != "retrieval_mAP" {
			continue
		}
		source, _, _ := strings.Cut(r.Source, "#")
		source = path.Dir(source)
		i := slices.IndexFunc(out, func(m publishedMAP) bool { return m.model == r.GlobalFeature && m.source == source })
		if i < 0 {
			i = len(out)
			out = append(out, publishedMAP{r.GlobalFeature, source, map[string]published.Value{}})
		}
		setup := r.Threshold
		if setup == "classic" {
			setup = "all"
		}
		if old, ok := out[i].values[setup]; !ok || r.Value.Decimals > old.Decimals {
			out[i].values[setup] = r.Value
		}
	}
	return out
}
