package reports_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"locbench/bench/record"
	"locbench/reports"
)

// tooWide lists the elements that make the page scroll sideways.
const tooWide = `[...document.querySelectorAll("body *")].filter(e => !e.closest(".scroll") && !e.closest("svg") && e.checkVisibility() &&
	e.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5).slice(0, 5).map(e => e.outerHTML.slice(0, 120))
	.concat(document.documentElement.scrollWidth > document.documentElement.clientWidth ? ["the page scrolls sideways"] : [])`

const openQueries = `document.querySelectorAll("details").forEach(d => { if (!d.closest(".list")) d.open = true; });
	document.querySelectorAll(".list").forEach(l => l.querySelectorAll("details").forEach((d, i) => { d.open = i < 2; }));
	new Promise(done => setTimeout(() => done(document.querySelectorAll(".detail").length), 100))`

func TestBrowser(t *testing.T) {
	b := newBrowser(t)
	pages := map[string][]*record.Run{"one": {small.build(t)}, "several": severalRuns(t)}
	for name, runs := range pages {
		dir := t.TempDir()
		writePage(t, dir, runs)
		for _, view := range []struct {
			width int
			dark  bool
		}{{1280, false}, {1280, true}, {390, false}} {
			label := fmt.Sprintf("%s_%d_dark-%t", name, view.width, view.dark)
			t.Run(label, func(t *testing.T) {
				b.open(t, filepath.Join(dir, "index.html"), view.width, view.dark)
				b.shot(t, label, view.width)
				b.check(t)
				b.shot(t, label+"_open", view.width)
			})
		}
	}
}

// check opens all that can be opened and fails on what a reader would trip over.
func (b *browser) check(t *testing.T) {
	t.Helper()
	var details int
	b.eval(t, openQueries, &details)
	if details < 2 {
		t.Errorf("%d queries show their rows, want 2 a list", details)
	}
	var wide []string
	b.eval(t, tooWide, &wide)
	for _, s := range append(b.complaints(), wide...) {
		t.Error(s)
	}
}

// writePage writes index.html to dir.
func writePage(t testing.TB, dir string, runs []*record.Run) {
	t.Helper()
	if err := record.WriteFile(filepath.Join(dir, "index.html"), build(t, runs...).WriteHTML); err != nil {
		t.Fatal(err)
	}
}

func build(t testing.TB, runs ...*record.Run) *reports.Report {
	t.Helper()
	r, err := reports.Build(runs, reports.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// severalRuns are two runs that compare, and one held against other thresholds.
func severalRuns(t testing.TB) []*record.Run {
	t.Helper()
	second, third := small, small
	second.name, second.seed = "a longer name for the second run", 2
	third.name, third.seed, third.topks = "strict", 3, []int{1, 10}
	runs := []*record.Run{small.build(t), second.build(t), third.build(t)}
	runs[1].Manifest.Methods[2].Parameters["alpha"] = "4"
	runs[2].Manifest.Scene.Thresholds = []record.Threshold{{Meters: 0.1, Degrees: 1}, {Meters: 0.25, Degrees: 2}}
	return runs
}
