package reports

import (
	"fmt"
	"strconv"

	"locbench/bench/record"
	"locbench/reports/table"
)

// causeTitles are the columns of the table of failures.
var causeTitles = map[record.Cause]string{
	record.NotTried: "skipped", record.RetrievalMissed: "retrieval missed", record.TooFewMatches: "too few matches",
	record.TooFewInliers: "too few inliers", record.WrongPose: "wrong pose",
}

// failureTables say why queries of a split failed, for every line at one k: the
// same as that of the error curves.
func (s *section) failureTables(curveTopK int) []resultTable {
	topk := s.curveTopK(curveTopK)
	var out []resultTable
	for _, split := range s.splits.list {
		counts, queries := s.failuresOf(split, topk)
		if len(counts) == 0 {
			continue
		}
		t := table.Table{Title: fmt.Sprintf("%s: why queries failed, k = %d", s.heading(split), topk), Columns: []table.Column{{Title: "feature"}}}
		if len(s.runs) > 1 {
			t.Columns = append(t.Columns, table.Column{Title: "run"})
		}
		t.Columns = append(t.Columns, table.Column{Title: "method"})
		t.Keys = len(t.Columns)
		t.Columns = append(t.Columns, table.Column{Title: "failed", Right: true})
		used := usedCauses(counts)
		for _, c := range used {
			t.Columns = append(t.Columns, table.Column{Title: causeTitles[c], Right: true})
		}
		for _, line := range sortedLines(counts) {
			row := table.Row{{Text: s.features.list[line.feature]}}
			if len(s.runs) > 1 {
				row = append(row, table.Cell{Text: s.runs[line.run].Label})
			}
			row = append(row, table.Cell{Text: s.methods.list[line.method]})
			all := 0
			for _, n := range counts[line] {
				all += n
			}
			row = append(row, table.Cell{Text: strconv.Itoa(all) + "/" + strconv.Itoa(queries[line])})
			for _, c := range used {
				row = append(row, table.Cell{Text: strconv.Itoa(counts[line][c])})
			}
			t.Rows = append(t.Rows, row)
		}
		t.Notes = []string{"Queries outside the coarsest threshold or without a pose, by the first cause that holds: none of the k retrieved images shows what the query shows; fewer than 4 2D-3D matches; too few of them agree; the pose is wrong. Query by query: results/failures.csv."}
		out = append(out, resultTable{t, split, 0})
	}
	return out
}

// failuresOf counts the causes by line, and the queries of a line.
func (s *section) failuresOf(split string, topk int) (map[lineKey]map[record.Cause]int, map[lineKey]int) {
	counts, queries := map[lineKey]map[record.Cause]int{}, map[lineKey]int{}
	for i, run := range s.runs {
		if run.Failures == nil {
			continue
		}
		for _, q := range run.Queries {
			if q.TopK == topk && s.groups[split].Holds(q.Split) {
				line := lineKey{i, s.features.id(q.Feature), s.methods.id(q.Method)}
				if counts[line] == nil {
					counts[line] = map[record.Cause]int{}
				}
				queries[line]++
			}
		}
		for _, f := range run.Failures {
			if f.TopK == topk && s.groups[split].Holds(f.Split) {
				line := lineKey{i, s.features.id(f.Feature), s.methods.id(f.Method)}
				if counts[line] != nil {
					counts[line][f.Cause]++
				}
			}
		}
	}
	return counts, queries
}

// usedCauses are those that occur, in their order.
func usedCauses(counts map[lineKey]map[record.Cause]int) []record.Cause {
	var out []record.Cause
	for _, c := range record.Causes {
		for _, line := range counts {
			if line[c] > 0 {
				out = append(out, c)
				break
			}
		}
	}
	return out
}
