package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"locbench/bench/metrics"
	"locbench/kapture/geom"
	"locbench/reports/published"
	"locbench/reports/table"
)

// tasks are the names that published tables have for methods; bdi, csi and
// local-sfm+ are in none.
var tasks = map[string]string{"ewb": "EWB", "local-sfm": "local_sfm", "global-map": "global_sfm"}

// noLocal stands for the local features of a method that uses none.
const noLocal = "–"

// publishedKey is a row of the table beside published figures.
type publishedKey struct {
	method, topk int // indices
	local        string
	feature      string
	run          int // −1: published only
}

// publishedRow holds the figures of a row by threshold; NaN and nil: none.
type publishedRow struct {
	publishedKey
	ours   []float64
	theirs []*published.Row
}

// publishedTables sets published figures beside those of the runs, for every
// split, and returns why there are none.
func (s *section) publishedTables() ([]resultTable, string, error) {
	if s.scene.Published == nil {
		return nil, "no tables are known that were published of this scene", nil
	}
	var out []resultTable
	for i, split := range s.splits.list {
		rows, err := s.widen(s.summary.where(colSplit, i).arrange(colFeature, colMethod, colTopK, colRun))
		if err != nil {
			return nil, "", err
		}
		theirs := s.publishedOf(split)
		if len(theirs) == 0 {
			continue
		}
		t, agreement := s.publishedTable(s.beside(rows, theirs))
		t.Title = s.heading(split) + ": beside published figures"
		t.Notes = s.publishedNotes(theirs, agreement)
		out = append(out, resultTable{t, split, 0})
	}
	if out == nil {
		return nil, "the published tables have none of the splits, methods and k of this run", nil
	}
	return out, "", nil
}

// publishedOf returns the published figures of a split for the methods and k of
// the runs.
func (s *section) publishedOf(split string) []published.Row {
	name := cmp.Or(s.scene.Published.Splits[split], split)
	var out []published.Row
	for _, r := range published.All() {
		if r.Dataset != s.scene.Published.Dataset || r.Split != name || !slices.Contains(s.topks, r.TopK) || s.methodOf(r.Task) < 0 || s.thresholdOf(r) < 0 {
			continue
		}
		out = append(out, r)
	}
	return out
}

func (s *section) methodOf(task string) int {
	return slices.IndexFunc(s.methods.list, func(m string) bool { return tasks[m] == task })
}

func (s *section) thresholdOf(r published.Row) int {
	for i, t := range s.scene.Thresholds {
		if metrics.Within(geom.Threshold(t)) == metrics.WithinPrefix+r.Threshold {
			return i
		}
	}
	return -1
}

// beside joins the runs' rows with the published ones: by method, k, local
// features and feature. Tables of local features that no run used stand by
// themselves where the runs' have none.
func (s *section) beside(rows []wide, theirs []published.Row) []publishedRow {
	index := map[publishedKey]int{}
	var out []publishedRow
	at := func(k publishedKey) *publishedRow {
		i, ok := index[k]
		if !ok {
			i = len(out)
			index[k] = i
			out = append(out, publishedRow{k, nans(len(s.scene.Thresholds)), make([]*published.Row, len(s.scene.Thresholds))})
		}
		return &out[i]
	}
	used := map[publishedKey][]int{} // runs with a row, by the rest of the key
	locals := map[string]bool{}
	for _, w := range rows {
		method := s.methods.list[w.method]
		if tasks[method] == "" {
			continue
		}
		k := publishedKey{w.method, w.topk, s.localOf(w.run, method), s.features.list[w.feature], w.run}
		row := at(k)
		for i, t := range s.scene.Thresholds {
			row.ours[i] = valueOr(w.values, metrics.Within(geom.Threshold(t)), math.NaN())
		}
		k.run = -1
		used[k] = append(used[k], w.run)
		locals[k.local] = true
	}
	any := slices.ContainsFunc(theirs, func(r published.Row) bool { return r.Task != "EWB" && locals[r.LocalFeature] })
	for i := range theirs {
		r := &theirs[i]
		k := publishedKey{s.methodOf(r.Task), slices.Index(s.topks, r.TopK), r.LocalFeature, r.GlobalFeature, -1}
		if r.Task == "EWB" { // the tables repeat it for each local feature
			k.local = noLocal
		} else if any && !locals[k.local] {
			continue
		}
		runs := used[k]
		if len(runs) == 0 {
			runs = []int{-1}
		}
		for _, run := range runs {
			k.run = run
			at(k).theirs[s.thresholdOf(*r)] = r
		}
	}
	s.arrangePublished(out)
	return out
}

func nans(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = math.NaN()
	}
	return out
}

// localOf names the local features that a method of a run used.
func (s *section) localOf(run int, method string) string {
	if method == "ewb" {
		return noLocal
	}
	return cmp.Or(s.runs[run].Manifest.LocalFeatures, noLocal)
}

// arrangePublished sorts by method, k and local features; in the order of the
// runs' features, others after them by name.
func (s *section) arrangePublished(rows []publishedRow) {
	place := func(feature string) int {
		if i, ok := s.features.index[feature]; ok {
			return i
		}
		return len(s.features.list)
	}
	slices.SortStableFunc(rows, func(a, b publishedRow) int {
		return cmp.Or(a.method-b.method, a.topk-b.topk, strings.Compare(a.local, b.local),
			place(a.feature)-place(b.feature), strings.Compare(a.feature, b.feature), a.run-b.run)
	})
}

// agreement counts the figures of pose approximation that both have: without
// randomness and local features, they must be the same.
type agreement struct {
	figures, differ int
	largest         float64 // percentage points
}

// publishedTable writes run, published figure and difference at every threshold.
func (s *section) publishedTable(rows []publishedRow) (table.Table, agreement) {
	t := table.Table{Columns: []table.Column{{Title: "method"}, {Title: "k", Right: true}, {Title: "local features"}, {Title: "feature"}}}
	if len(s.runs) > 1 {
		t.Columns = append(t.Columns, table.Column{Title: "run"})
	}
	t.Keys = len(t.Columns)
	for _, h := range s.scene.Thresholds {
		t.Columns = append(t.Columns, table.Column{Title: thresholdText(h), Right: true}, table.Column{Title: "published", Right: true}, table.Column{Title: "difference", Right: true})
	}
	var agree agreement
	for _, r := range rows {
		row := table.Row{{Text: s.methods.list[r.method]}, {Text: strconv.Itoa(s.topks[r.topk])}, {Text: r.local}, {Text: r.feature}}
		if len(s.runs) > 1 {
			run := "–"
			if r.run >= 0 {
				run = s.runs[r.run].Label
			}
			row = append(row, table.Cell{Text: run})
		}
		for i := range r.ours {
			ours, theirs, difference := r.cells(i)
			row = append(row, table.Cell{Text: ours}, table.Cell{Text: theirs}, table.Cell{Text: difference})
			if s.methods.list[r.method] == "ewb" && difference != noFigure {
				agree.figures++
				if d := math.Abs(r.difference(i)); d > 0 {
					agree.differ++
					agree.largest = max(agree.largest, d)
				}
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t, agree
}

const noFigure = "–"

// cells are the run's figure, rounded as the published one, that, and the
// difference.
func (r *publishedRow) cells(i int) (ours, theirs, difference string) {
	ours, theirs, difference = noFigure, noFigure, noFigure
	p := r.theirs[i]
	if p != nil {
		theirs = p.Value.Text
	}
	switch {
	case math.IsNaN(r.ours[i]):
	case p == nil:
		ours = percentText(r.ours[i])
	default:
		ours = strconv.FormatFloat(p.Value.Like(r.ours[i]), 'f', p.Value.Decimals, 64)
		difference = signed(r.difference(i), p.Value.Decimals)
	}
	return ours, theirs, difference
}

// difference is the run's figure less the published one, both rounded alike.
func (r *publishedRow) difference(i int) float64 {
	v := r.theirs[i].Value
	scale := math.Pow(10, float64(v.Decimals))
	return math.Round((v.Like(r.ours[i])-v.Number)*scale) / scale
}

// signed writes a difference with its sign; none of zero.
func signed(d float64, decimals int) string {
	text := strconv.FormatFloat(math.Abs(d), 'f', decimals, 64)
	switch {
	case d > 0:
		return "+" + text
	case d < 0:
		return "−" + text
	}
	return text
}

// publishedNotes say where the figures are from, how they were rounded, and
// whether those that must agree do.
func (s *section) publishedNotes(theirs []published.Row, a agreement) []string {
	var sources names
	twice := false
	for _, r := range theirs {
		sources.id(r.Source)
		twice = twice || r.Value.Decimals < 2
	}
	notes := []string{"Published: " + strings.Join(sources.list, ", ") + ". Rows without a figure of this run are features that it does not have."}
	if twice {
		notes = append(notes, "Rounded as the evaluation server does: half up to two decimals, then to one.")
	}
	switch {
	case a.figures == 0:
	case a.differ == 0:
		notes = append(notes, fmt.Sprintf("Pose approximation (ewb) has no randomness and no local features: all %d figures agree to the last digit.", a.figures))
	default:
		notes = append(notes, fmt.Sprintf("Pose approximation (ewb) has no randomness and no local features, and yet %d of %d figures DISAGREE, by up to %s points: the descriptors, the poses or the queries are not those of the tables.",
			a.differ, a.figures, shortText(a.largest)))
	}
	return notes
}
