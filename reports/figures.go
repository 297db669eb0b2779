package reports

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot/plotter"

	"locbench/bench/metrics"
	"locbench/bench/record"
	"locbench/kapture/geom"
)

// plotFigure is one figure: panels side by side under one title and over one legend.
type plotFigure struct {
	name    string // base name of its files
	split   string
	method  string // the only one of the figure; "": several or none
	title   string // with the scene
	what    string // without
	caption string // what it shows, for those who do not see it as well
	panels  []panel
	legend  []legendEntry
}

// panel is one pair of axes. The vertical axis is always a percentage from 0.
type panel struct {
	title  string
	xLabel string
	yLabel string    // in percent
	over   span      // logarithmic
	ticks  []float64 // where the horizontal axis is labelled
	bounds []float64 // thresholds of the scene, drawn upright
	curves []curve
}

// curve is one line.
type curve struct {
	mark
	points plotter.XYs
	dots   plotter.XYs // where its marker is set
	step   bool
}

// legendEntry is a line of the legend; newRow sets it under those before it.
type legendEntry struct {
	mark
	label  string
	newRow bool
}

// defaultCurveTopK is the k of the error curves: around where the paper's
// figures of pose approximation level off.
const defaultCurveTopK = 10

// figures draws up all figures of the section, split by split.
func (s *section) figures(curveTopK int) ([]plotFigure, error) {
	var out []plotFigure
	for i, split := range s.splits.list {
		if f, ok := s.errorCurves(split, s.curveTopK(curveTopK)); ok {
			out = append(out, f)
		}
		inSplit := s.summary.where(colSplit, i)
		for m, method := range s.methods.list {
			f, ok, err := s.overTopK(inSplit.where(colMethod, m), s.within())
			if err != nil {
				return nil, err
			}
			if ok {
				f.name, f.split, f.method = "localized_over_k_"+split+"_"+method, split, method
				f.what = "localized queries over k, " + method
				f.caption = "Percent of queries localized within each threshold over the number k of retrieved images, method " + method + ". Thresholds: " + s.thresholdsFrom() + "."
				out = append(out, f)
			}
		}
		f, ok, err := s.overTopK(s.retrieval.where(colSplit, i), s.recalls())
		if err != nil {
			return nil, err
		}
		if ok {
			f.name, f.split = "retrieval_recall_"+split, split
			f.what = "retrieval recall over k"
			f.caption = "Percent of queries with at least one of the k retrieved images near the query's true pose, within each threshold."
			out = append(out, f)
		}
	}
	for i := range out {
		out[i].title = s.heading(out[i].split) + ": " + out[i].what
	}
	return out, nil
}

// curveTopK returns the k of the error curves.
func (s *section) curveTopK(asked int) int {
	if slices.Contains(s.topks, asked) {
		return asked
	}
	best := 0
	for _, k := range s.topks {
		if best == 0 || k <= defaultCurveTopK {
			best = k
		}
	}
	return best
}

// sortedThresholds returns the scene's thresholds, the finest first.
func (s *section) sortedThresholds() []record.Threshold {
	return slices.SortedStableFunc(slices.Values(s.scene.Thresholds), func(a, b record.Threshold) int {
		switch {
		case a.Meters < b.Meters:
			return -1
		case a.Meters > b.Meters:
			return 1
		}
		return 0
	})
}

// errorCurves is the share of localized queries over the position threshold,
// the rotation bound of the coarsest threshold holding throughout.
func (s *section) errorCurves(split string, topk int) (plotFigure, bool) {
	thresholds := s.sortedThresholds()
	errs := s.errorsOf(split, topk)
	if len(thresholds) == 0 || len(errs) == 0 {
		return plotFigure{}, false
	}
	coarsest := thresholds[len(thresholds)-1]
	// From a tenth of the finest threshold: what is below hardly ever matters.
	p := panel{xLabel: "position threshold (m)", yLabel: "localized queries (%)", over: span{thresholds[0].Meters / 10, coarsest.Meters}}
	p.ticks = decadeTicks(p.over)
	for _, t := range thresholds {
		p.bounds = append(p.bounds, t.Meters)
	}
	keys := sortedLines(errs)
	for _, key := range keys {
		c := curve{mark: mark{s.entityIndex(key), key.method}, step: true}
		c.points = cumulative(errs[key].errs, coarsest.Degrees, p.over)
		for _, x := range p.bounds {
			c.dots = append(c.dots, plotter.XY{X: x, Y: share(errs[key].errs, geom.Threshold{Meters: x, Degrees: coarsest.Degrees})})
		}
		p.curves = append(p.curves, c)
	}
	f := plotFigure{name: "localized_over_threshold_" + split, split: split, panels: []panel{p}}
	f.legend = append(s.entityLegend(keys, true), s.methodLegend(keys)...)
	f.what = fmt.Sprintf("localized queries over the position threshold, rotation within %s°, k = %d", shortText(coarsest.Degrees), topk)
	f.caption = fmt.Sprintf("Percent of queries localized within the position threshold on the horizontal axis and %s° of rotation, with the %d best retrieved images. Upright lines: position bounds of the scene's thresholds, %s.",
		shortText(coarsest.Degrees), topk, s.thresholdsFrom())
	return f, true
}

// metricPanel is a metric that gets a panel, under a title.
type metricPanel struct{ metric, title, yLabel string }

func (s *section) within() []metricPanel {
	var out []metricPanel
	for _, t := range s.scene.Thresholds {
		out = append(out, metricPanel{metrics.Within(geom.Threshold(t)), "within " + thresholdText(t), "localized queries (%)"})
	}
	return out
}

func (s *section) recalls() []metricPanel {
	var out []metricPanel
	for _, m := range s.metrics.list {
		if t, ok := recallThreshold(m); ok {
			out = append(out, metricPanel{m, "within " + thresholdText(t), "queries with a hit (%)"})
		}
	}
	return out
}

// overTopK is a figure of metrics over k, a panel each; none where there is one
// k only.
func (s *section) overTopK(f frame, metrics []metricPanel) (plotFigure, bool, error) {
	var fig plotFigure
	keys := map[lineKey]bool{}
	for _, m := range metrics {
		lines, err := s.byTopK(f, m.metric)
		if err != nil {
			return fig, false, err
		}
		if len(lines) == 0 || len(s.topks) < 2 {
			continue
		}
		p := panel{title: m.title, xLabel: "k retrieved images", yLabel: m.yLabel}
		first, last := float64(s.topks[0]), float64(s.topks[len(s.topks)-1])
		p.over = span{first / 1.1, last * 1.1}
		for _, k := range s.topks {
			p.ticks = append(p.ticks, float64(k))
		}
		for _, key := range sortedLines(lines) {
			keys[key] = true
			e := s.entityIndex(key)
			p.curves = append(p.curves, curve{mark: mark{e, e}, points: lines[key], dots: lines[key]})
		}
		fig.panels = append(fig.panels, p)
	}
	fig.legend = s.entityLegend(slices.SortedFunc(maps.Keys(keys), compareLines), false)
	return fig, len(fig.panels) > 0, nil
}

func sortedLines[T any](lines map[lineKey]T) []lineKey {
	return slices.SortedFunc(maps.Keys(lines), compareLines)
}

func compareLines(a, b lineKey) int {
	return slices.Compare([]int{a.feature, a.run, a.method}, []int{b.feature, b.run, b.method})
}

// entityIndex numbers the pairs of run and feature, for colours and markers.
func (s *section) entityIndex(key lineKey) int { return key.feature*len(s.runs) + key.run }

// entityLegend lists the runs' features of some lines. solid: the dash stands
// for something else, so it is left out here.
func (s *section) entityLegend(keys []lineKey, solid bool) []legendEntry {
	var out []legendEntry
	for _, key := range keys {
		m := mark{entity: s.entityIndex(key)}
		if !solid {
			m.dash = m.entity
		}
		e := legendEntry{mark: m, label: s.entity(key.run, key.feature)}
		if !slices.Contains(out, e) {
			out = append(out, e)
		}
	}
	return out
}

// methodLegend lists the methods of some lines, which their dashes stand for.
func (s *section) methodLegend(keys []lineKey) []legendEntry {
	used := map[int]bool{}
	for _, key := range keys {
		used[key.method] = true
	}
	var out []legendEntry
	for _, m := range slices.Sorted(maps.Keys(used)) {
		out = append(out, legendEntry{mark{-1, m}, s.methods.list[m], len(out) == 0})
	}
	return out
}

// decadeTicks returns 1, 2 and 5 times the powers of ten within a range.
func decadeTicks(over span) []float64 {
	var ticks []float64
	for exp := -6; exp <= 6; exp++ {
		for _, m := range []string{"1", "2", "5"} {
			v, err := strconv.ParseFloat(m+"e"+strconv.Itoa(exp), 64)
			if err == nil && v >= over.min && v <= over.max {
				ticks = append(ticks, v)
			}
		}
	}
	return ticks
}

// nameFigures makes the file names safe and different from each other, also on
// a disk that does not tell cases apart.
func nameFigures(results []sectionResults) {
	used := map[string]bool{}
	for _, r := range results {
		for i := range r.figures {
			base := fileName(r.figures[i].name)
			name := base
			for n := 2; used[strings.ToLower(name)]; n++ {
				name = base + "_" + strconv.Itoa(n)
			}
			used[strings.ToLower(name)] = true
			r.figures[i].name = name
		}
	}
}

// fileName replaces what a file name, an address or a shell would trip over.
func fileName(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '+', r == '.':
			return r
		}
		return '-'
	}, s)
}
