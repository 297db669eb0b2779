package reports

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"locbench/bench/metrics"
	"locbench/bench/record"
	"locbench/kapture/geom"
	"locbench/reports/table"
)

// retrievalTables returns the retrieval table of every split: for each metric
// a row a feature, and a column a k.
func (s *section) retrievalTables() ([]resultTable, error) {
	var out []resultTable
	for i, split := range s.splits.list {
		rows, err := s.retrieval.where(colSplit, i).arrange(colMetric, colFeature, colRun, colTopK).figures()
		if err != nil {
			return nil, err
		}
		if len(rows) > 0 {
			t := s.retrievalTable(split, rows)
			out = append(out, resultTable{t, split, len(t.Columns) - t.Keys})
		}
	}
	return out, nil
}

// retrievalTable makes the table from sorted rows. The best of a column is the
// best of its metric.
func (s *section) retrievalTable(split string, rows []figure) table.Table {
	var t table.Table
	columns := s.topkColumns(rows)
	for len(rows) > 0 {
		metric := rows[0].metric
		n := 1
		for n < len(rows) && rows[n].metric == metric {
			n++
		}
		lines := widenByTopK(rows[:n])
		part := s.keyed(lines, false)
		s.fill(&part, lines, columns)
		for _, r := range part.Rows {
			t.Rows = append(t.Rows, append(table.Row{{Text: retrievalTitle(s.metrics.list[metric])}}, r...))
		}
		t.Columns, t.Keys = part.Columns, part.Keys
		rows = rows[n:]
	}
	t.Columns = append([]table.Column{{Title: "figure"}}, t.Columns...)
	t.Keys++
	t.Title = s.heading(split) + ": retrieval"
	t.Notes = s.retrievalNotes(t.Rows)
	for _, run := range s.runs {
		t.Notes = append(t.Notes, s.topkNotes(run)...)
	}
	return t
}

// topkColumns are the columns of the ks that occur.
func (s *section) topkColumns(rows []figure) []measure {
	ks := map[int]bool{}
	for _, r := range rows {
		ks[r.topk] = true
	}
	var columns []measure
	for i, k := range s.topks {
		if ks[i] {
			value := func(r wide) float64 { return valueOr(r.values, strconv.Itoa(i), math.NaN()) }
			columns = append(columns, measure{title: "k=" + strconv.Itoa(k), value: value, text: func(r wide) string { return percentText(value(r)) }})
		}
	}
	return columns
}

// widenByTopK gathers sorted rows of one metric into one a feature and run, by
// the index of k.
func widenByTopK(rows []figure) []wide {
	var lines []wide
	for _, r := range rows {
		key := wide{run: r.run, feature: r.feature}
		if n := len(lines); n == 0 || !lines[n-1].sameRow(key) {
			key.values = map[string]float64{}
			lines = append(lines, key)
		}
		lines[len(lines)-1].values[strconv.Itoa(r.topk)] = r.value
	}
	return lines
}

// recallThreshold reads the threshold from a metric's name.
func recallThreshold(metric string) (record.Threshold, bool) {
	t, err := geom.ParseThreshold(strings.TrimPrefix(metric, recallPrefix))
	return record.Threshold(t), err == nil && strings.HasPrefix(metric, recallPrefix)
}

const recallPrefix = "recall_"

// retrievalTitle says what a metric is: R@k or P@k and what makes an image
// relevant, or the metric's name if it is another kind.
func retrievalTitle(metric string) string {
	name, kind := metric, ""
	if rest, ok := strings.CutPrefix(metric, metrics.RecallPrefix); ok {
		name, kind = rest, "R@k "
	} else if rest, ok := strings.CutPrefix(metric, metrics.PrecisionPrefix); ok {
		name, kind = rest, "P@k "
	}
	switch least, isIoU := strings.CutPrefix(name, "iou"); {
	case metric == metrics.MeanIoU:
		return "mean IoU"
	case kind == "":
		return metric
	case isIoU:
		return kind + "IoU ≥ " + least
	}
	if t, err := geom.ParseThreshold(name); err == nil {
		return kind + thresholdText(record.Threshold(t))
	}
	return metric
}

// retrievalNotes say what the figures of a table are.
func (s *section) retrievalNotes(rows []table.Row) []string {
	has := func(part string) bool {
		return slices.ContainsFunc(rows, func(r table.Row) bool { return strings.Contains(r[0].Text, part) })
	}
	notes := []string{"R@k: percent of queries with at least one relevant image among the first k. P@k: mean percent of the first k that are relevant. Relevant: within the bounds of the query's true pose."}
	if has("IoU") {
		notes = append(notes, "IoU: 3D points that query and retrieved image both see, of those that one of them sees (Pion et al., 3DV 2020).")
	}
	return notes
}
