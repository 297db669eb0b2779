package reports

import (
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

const (
	confidence = 0.95 // of intervals
	// maxComparisons is how many rows a table of comparisons may have before it is
	// cut down to the coarsest threshold, and to the method that localizes best.
	maxComparisons = 60
)

// comparison holds two lines, a feature of a run each, against each other on the
// queries that both have.
type comparison struct {
	a, b      lineKey // one method
	threshold record.Threshold
	queries   int
	shareA    float64 // percent within the threshold
	shareB    float64
	interval  metrics.Interval // of A's less B's, percentage points
	p, holm   float64          // McNemar
	errors    float64          // Wilcoxon's p of the position errors
}

// comparisons returns the table of every split in which there are two lines.
func (s *section) comparisons(curveTopK int) []resultTable {
	var out []resultTable
	topk := s.curveTopK(curveTopK)
	for _, split := range s.splits.list {
		lines := s.errorsOf(split, topk)
		best := s.bestMethod(lines)
		list := s.compared(lines, best)
		if len(list) == 0 {
			continue
		}
		out = append(out, resultTable{s.comparisonTable(split, topk, list, best), split, 0})
	}
	return out
}

// compared holds all pairs of lines of one method against each other; best is
// the method that stays where they are too many. The p-values are corrected for
// all that the table shows.
func (s *section) compared(lines map[lineKey]outcomes, best int) []comparison {
	keys := slices.DeleteFunc(sortedLines(lines), func(k lineKey) bool { return s.oracle(k.run, k.feature) })
	thresholds := s.sortedThresholds()
	pairs := 0
	for i, a := range keys {
		for _, b := range keys[i+1:] {
			if a.method == b.method {
				pairs++
			}
		}
	}
	cut := pairs*len(thresholds) > maxComparisons
	if cut && len(thresholds) > 0 {
		thresholds = thresholds[len(thresholds)-1:]
	}
	var list []comparison
	for i, a := range keys {
		if cut && pairs > maxComparisons && a.method != best {
			continue
		}
		for _, b := range keys[i+1:] {
			if a.method != b.method {
				continue
			}
			for _, t := range thresholds {
				if c := compare(lines[a], lines[b], t); c.queries > 0 {
					c.a, c.b = a, b
					list = append(list, c)
				}
			}
		}
	}
	slices.SortStableFunc(list, func(x, y comparison) int { return x.a.method - y.a.method })
	p := make([]float64, len(list))
	for i, c := range list {
		p[i] = c.p
	}
	for i, v := range metrics.Holm(p) {
		list[i].holm = v
	}
	return list
}

// compare holds two lines against each other at a threshold.
func compare(a, b outcomes, t record.Threshold) comparison {
	c := comparison{threshold: t}
	onlyA, onlyB, inA, inB := 0, 0, 0, 0
	var differences []float64
	for i, query := range a.queries {
		j, ok := b.index[query]
		if !ok {
			continue
		}
		c.queries++
		x, y := a.errs[i], b.errs[j]
		okA, okB := geom.Threshold(t).Within(x), geom.Threshold(t).Within(y)
		inA, inB = inA+count(okA), inB+count(okB)
		onlyA, onlyB = onlyA+count(okA && !okB), onlyB+count(okB && !okA)
		if !(math.IsInf(x.Meters, 1) && math.IsInf(y.Meters, 1)) {
			differences = append(differences, x.Meters-y.Meters)
		}
	}
	n := float64(c.queries)
	c.shareA, c.shareB = 100*float64(inA)/n, 100*float64(inB)/n
	c.interval = metrics.DifferenceInterval(onlyA, onlyB, c.queries, confidence)
	c.p = metrics.McNemar(onlyA, onlyB)
	c.errors, _ = metrics.Wilcoxon(differences)
	return c
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// bestMethod is the one whose lines have most queries within the coarsest
// threshold; of equal ones the first.
func (s *section) bestMethod(lines map[lineKey]outcomes) int {
	thresholds := s.sortedThresholds()
	best, most := -1, -1.0
	for m := range s.methods.list {
		var within, lineCount float64
		for key, o := range lines {
			if key.method == m && len(thresholds) > 0 {
				within += share(o.errs, geom.Threshold(thresholds[len(thresholds)-1]))
				lineCount++
			}
		}
		if lineCount > 0 && within/lineCount > most {
			best, most = m, within/lineCount
		}
	}
	return best
}

// comparisonTable is the table of a split; its notes have a sentence for each
// pair, at the coarsest threshold under the best method.
func (s *section) comparisonTable(split string, topk int, list []comparison, method int) table.Table {
	t := table.Table{Title: s.heading(split) + ": comparisons at k = " + strconv.Itoa(topk), Keys: 4}
	for i, title := range []string{"method", "A", "B", "within", "A %", "B %", "A − B", "95 % interval", "p", "p of all", "p of errors", "queries"} {
		t.Columns = append(t.Columns, table.Column{Title: title, Right: i >= 4})
	}
	thresholds := s.sortedThresholds()
	coarsest := thresholds[len(thresholds)-1]
	for _, c := range list {
		t.Rows = append(t.Rows, s.comparisonRow(c))
		if c.threshold == coarsest && c.a.method == method {
			t.Notes = append(t.Notes, s.sentence(split, topk, c))
		}
	}
	t.Notes = append(t.Notes, "A − B in percentage points, with the percentile bootstrap interval over queries. p: McNemar's exact test; p of all: corrected for all comparisons of the table (Holm); p of errors: Wilcoxon's signed-rank test of the position errors, a failed query's infinite.")
	return t
}

func (s *section) comparisonRow(c comparison) table.Row {
	var row table.Row
	for _, text := range []string{
		s.methods.list[c.a.method], s.entity(c.a.run, c.a.feature), s.entity(c.b.run, c.b.feature), thresholdText(c.threshold),
		percentText(c.shareA), percentText(c.shareB), pointsText(c.shareA - c.shareB), pointsText(100*c.interval.Lo) + " to " + pointsText(100*c.interval.Hi),
		pText(c.p), pText(c.holm), pText(c.errors), strconv.Itoa(c.queries),
	} {
		row = append(row, table.Cell{Text: text})
	}
	return row
}

// significant is the bound on corrected p-values for saying that one is better.
const significant = 0.05

// sentence says in words what a comparison shows.
func (s *section) sentence(split string, topk int, c comparison) string {
	a, b := s.entity(c.a.run, c.a.feature), s.entity(c.b.run, c.b.feature)
	if c.shareB > c.shareA { // the better one first
		a, b = b, a
		c.shareA, c.shareB = c.shareB, c.shareA
		c.interval.Lo, c.interval.Hi = -c.interval.Hi, -c.interval.Lo
	}
	where := "over all queries"
	if split != record.AllSplit {
		where = "on " + split
	}
	verdict := fmt.Sprintf("No difference is shown between %s and %s %s", a, b, where)
	if c.holm < significant {
		verdict = fmt.Sprintf("%s is better than %s %s", a, b, where)
	}
	return fmt.Sprintf("%s (%s, k = %d, within %s): %s %% vs %s %%, %.0f %% interval of the difference %s to %s, %s (%s of all), %d queries.",
		verdict, s.methods.list[c.a.method], topk, thresholdText(c.threshold), percentText(c.shareA), percentText(c.shareB),
		100*confidence, pointsText(100*c.interval.Lo), pointsText(100*c.interval.Hi), pEquation(c.p), pText(c.holm), c.queries)
}

// pointsText gives one decimal with a true minus sign.
func pointsText(v float64) string {
	text := percentText(math.Abs(v))
	if v < 0 && text != "0.0" {
		return "−" + text
	}
	return text
}

// pEquation writes a p-value into a sentence.
func pEquation(p float64) string {
	if text := pText(p); !strings.HasPrefix(text, "<") {
		return "p = " + text
	}
	return "p < 0.0001"
}

// pText gives two significant digits, and no less than 0.0001.
func pText(p float64) string {
	switch {
	case math.IsNaN(p):
		return "–"
	case p < 0.0001:
		return "<0.0001"
	case p > 0.995:
		return "1"
	}
	return strconv.FormatFloat(p, 'g', 2, 64)
}

// outcomes are the pose errors of one line, by query.
type outcomes struct {
	queries []string
	errs    []geom.PoseError
	index   map[string]int
}

// add notes a query, once.
func (o *outcomes) add(query string, e geom.PoseError) {
	if o.index == nil {
		o.index = map[string]int{}
	}
	if _, seen := o.index[query]; seen {
		return
	}
	o.index[query] = len(o.queries)
	o.queries = append(o.queries, query)
	o.errs = append(o.errs, e)
}
