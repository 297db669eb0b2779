package reports

import (
	"fmt"
	"math"

	"locbench/bench/metrics"
	"locbench/kapture/geom"
	"locbench/reports/table"
)

// leastPoints is how many pairs of figures a correlation takes to be shown.
const leastPoints = 5

// place is where a retrieval figure and a localization figure meet.
type place struct{ run, feature, topk int }

// predictionTables tell which retrieval figure predicts localization: how the
// figures over all features and k go together, for every method and split (the
// question of Pion et al., 3DV 2020, section 5).
func (s *section) predictionTables() ([]resultTable, error) {
	var out []resultTable
	for i, split := range s.splits.list {
		retrieval, order, err := s.retrievalFigures(i)
		if err != nil {
			return nil, err
		}
		rows, err := s.widen(s.summary.where(colSplit, i).arrange(colFeature, colMethod, colTopK, colRun))
		if err != nil {
			return nil, err
		}
		t := s.predictionTable(rows, retrieval, order)
		if len(t.Rows) == 0 {
			continue
		}
		t.Title = s.heading(split) + ": which retrieval figure predicts localization"
		t.Notes = []string{fmt.Sprintf("Correlation of a retrieval figure with the percentage localized within the bounds, over all features and k, oracles left out: Pearson's r (linear), Spearman's ρ and Kendall's τ (ranks); from %d pairs of figures on.", leastPoints)}
		out = append(out, resultTable{t, split, 0})
	}
	return out, nil
}

// retrievalFigures gathers a split's figures by metric, and the metrics in their
// order.
func (s *section) retrievalFigures(split int) (map[int]map[place]float64, []int, error) {
	rows, err := s.retrieval.where(colSplit, split).arrange(colMetric, colFeature, colRun, colTopK).figures()
	if err != nil {
		return nil, nil, err
	}
	out := map[int]map[place]float64{}
	var order []int
	for _, r := range rows {
		if out[r.metric] == nil {
			out[r.metric] = map[place]float64{}
			order = append(order, r.metric)
		}
		out[r.metric][place{r.run, r.feature, r.topk}] = r.value
	}
	return out, order, nil
}

func (s *section) predictionTable(rows []wide, retrieval map[int]map[place]float64, order []int) table.Table {
	t := table.Table{Columns: []table.Column{{Title: "method"}, {Title: "retrieval figure"}, {Title: "pairs", Right: true}}, Keys: 2}
	for _, h := range s.scene.Thresholds {
		t.Columns = append(t.Columns, table.Column{Title: "r " + thresholdText(h), Right: true}, table.Column{Title: "ρ", Right: true}, table.Column{Title: "τ", Right: true})
	}
	for m, method := range s.methods.list {
		for _, metric := range order {
			row := table.Row{{Text: method}, {Text: retrievalTitle(s.metrics.list[metric])}}
			most := 0
			var cells table.Row
			for _, h := range s.scene.Thresholds {
				x, y := s.paired(rows, m, metrics.Within(geom.Threshold(h)), retrieval[metric])
				most = max(most, len(x))
				for _, of := range []func(x, y []float64) float64{metrics.Pearson, metrics.Spearman, metrics.Kendall} {
					cells = append(cells, table.Cell{Text: correlationText(x, y, of)})
				}
			}
			if most >= leastPoints {
				t.Rows = append(t.Rows, append(append(row, table.Cell{Text: fmt.Sprint(most)}), cells...))
			}
		}
	}
	return t
}

// paired returns the two figures of every feature, run and k of a method that has
// both.
func (s *section) paired(rows []wide, method int, metric string, retrieval map[place]float64) (x, y []float64) {
	for _, r := range rows {
		v, ok := r.values[metric]
		f, known := retrieval[place{r.run, r.feature, r.topk}]
		if r.method == method && !s.oracle(r.run, r.feature) && ok && known && !math.IsNaN(v) && !math.IsNaN(f) {
			x, y = append(x, f), append(y, v)
		}
	}
	return x, y
}

// correlationText is empty for too few pairs, and where a figure never changes.
func correlationText(x, y []float64, of func(x, y []float64) float64) string {
	if len(x) < leastPoints {
		return noFigure
	}
	if v := of(x, y); !math.IsNaN(v) {
		return decimalText(v, 2)
	}
	return noFigure
}
