package reports_test

import (
	"fmt"
	"math"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"locbench/bench/record"
)

// choose sets a control of a form, as a reader does.
func choose(form, field, value string) string {
	return fmt.Sprintf(`(() => { const f = document.querySelector(%q).elements[%q]; f.value = %q; f.dispatchEvent(new Event("input", {bubbles: true})); return f.value; })()`, form, field, value)
}

// queryRows are the lines of the list of queries: name, split, errors, verdict.
const queryRows = `[...document.querySelectorAll(".list > li")].map(li => [...li.querySelectorAll("summary span")].map(s => s.textContent))`

// choose sets a control and fails if it does not take the value.
func (b *browser) choose(t *testing.T, form, field, value string) {
	t.Helper()
	var got string
	if b.eval(t, choose(form, field, value), &got); got != value {
		t.Fatalf("%s of %s is %q after choosing %q", field, form, got, value)
	}
}

func (b *browser) rows(t *testing.T) [][]string {
	t.Helper()
	var rows [][]string
	b.eval(t, queryRows, &rows)
	return rows
}

// openOne opens the page of one run in a new browser.
func openOne(t *testing.T, runs ...*record.Run) (b *browser, path string) {
	t.Helper()
	b = newBrowser(t)
	dir := t.TempDir()
	writePage(t, dir, runs)
	path = filepath.Join(dir, "index.html")
	b.open(t, path, 1280, false)
	return b, path
}

// TestQueryFilters uses the controls of the list of queries.
func TestQueryFilters(t *testing.T) {
	b, _ := openOne(t, small.build(t))
	const form = ".queries form"
	b.choose(t, form, "find", "<SCRIPT>")
	if rows := b.rows(t); len(rows) != 7 { // every sixth of 40 names, from the second one
		t.Errorf("%d queries have <script> in their name, want 7: %v", len(rows), rows)
	}
	b.choose(t, form, "find", "")
	if rows := b.rows(t); len(rows) != small.queries {
		t.Errorf("%d queries without a filter, want %d", len(rows), small.queries)
	}
	b.choose(t, form, "k", "3") // some fail there
	counts := map[string]int{}
	for status, verdicts := range map[string][]string{
		"failed": {"failed"}, "skipped": nil, "outside": {"outside"}, "(0.25 m, 2°)": {"(0.25 m, 2°)"},
		"(0.5 m, 5°)": {"(0.25 m, 2°)", "(0.5 m, 5°)"}, "localized": {"(0.25 m, 2°)", "(0.5 m, 5°)", "(5 m, 10°)", "outside"},
	} {
		b.choose(t, form, "status", status)
		rows := b.rows(t)
		counts[status] = len(rows)
		for _, r := range rows {
			if !slices.Contains(verdicts, r[4]) {
				t.Errorf("status %q shows query %s, which is %q", status, r[0], r[4])
			}
		}
	}
	if counts["localized"]+counts["failed"] != small.queries || counts["failed"] == 0 || counts["outside"] == 0 || counts["(0.5 m, 5°)"] <= counts["(0.25 m, 2°)"] {
		t.Errorf("queries by status: %v", counts)
	}
	b.choose(t, form, "status", "localized")
	b.choose(t, form, "sort", "t")
	last := ""
	for _, r := range b.rows(t) {
		if last != "" && metres(t, r[2]) > metres(t, last) {
			t.Errorf("position error %s comes after %s, want the largest first", r[2], last)
		}
		last = r[2]
	}
}

func metres(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(strings.TrimSuffix(text, " m"), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// tableRows are the texts of the first table's rows; a cell that stands for
// several rows counts in the first.
const tableRows = `[...document.querySelector(".block table").tBodies[0].rows].map(r => [...r.cells].map(c => c.textContent))`

// TestPageFilters uses the filters of the whole page, and the address that
// keeps them.
func TestPageFilters(t *testing.T) {
	b, path := openOne(t, small.build(t))
	feature := small.features[1]
	b.choose(t, ".filters", "feature", feature)
	b.choose(t, ".filters", "method", "bdi")
	b.choose(t, ".filters", "split", "night")
	shown := func() {
		t.Helper()
		var texts []string
		b.eval(t, `[...document.querySelectorAll(".block:not([hidden]) table")].filter(t => t.checkVisibility()).map(t =>
			[...t.tHead.rows[0].cells].some(h => h.textContent === "A") ? "comparison" : [...t.tBodies[0].querySelectorAll("th:not(.n)")].map(c => c.textContent).join(" | "))`, &texts)
		if !slices.Contains(texts, feature+" | bdi") {
			t.Errorf("no table names %s and bdi alone: %q", feature, texts)
		}
		for _, text := range texts {
			if strings.Contains(text, small.features[0]) {
				t.Errorf("a table shows %s: %q", small.features[0], text)
			}
		}
		var splits []string
		b.eval(t, `[...document.querySelectorAll(".block")].filter(d => d.checkVisibility()).map(d => d.dataset.split)`, &splits)
		if len(splits) == 0 || slices.ContainsFunc(splits, func(s string) bool { return s != "night" }) {
			t.Errorf("blocks of %q are shown, want night alone", splits)
		}
		for _, r := range b.rows(t) {
			if r[1] != "night" {
				t.Errorf("query %s of %s is shown", r[0], r[1])
			}
		}
	}
	shown()
	var hash string
	b.eval(t, "location.hash", &hash)
	b.openAt(t, path, hash)
	shown()
	var own []bool
	b.eval(t, `["feature", "method", "k"].map(n => document.querySelector(".queries form").elements[n].checkVisibility())`, &own)
	if !slices.Equal(own, []bool{false, false, true}) {
		t.Errorf("the list's own feature, method, k are visible: %v, want k alone", own)
	}
	var left string
	b.eval(t, `(document.querySelector(".filters button").click(), location.hash)`, &left)
	if rows := b.rows(t); left != "" || len(rows) != small.queries {
		t.Errorf("after clearing the filters: %d queries, address %q; want %d and none", len(rows), left, small.queries)
	}
	for _, s := range b.complaints() {
		t.Error(s)
	}
}

// TestSort sorts a table by its columns and finds its own order again.
func TestSort(t *testing.T) {
	b, _ := openOne(t, small.build(t))
	var before, after [][]string
	b.eval(t, tableRows, &before)
	click := func(column int) (rows [][]string, order string) {
		t.Helper()
		head := fmt.Sprintf(`document.querySelector(".block table").tHead.rows[0].cells[%d]`, column)
		b.eval(t, "("+head+`.querySelector("button").click(), `+head+`.getAttribute("aria-sort") || "none")`, &order)
		b.eval(t, tableRows, &rows)
		return rows, order
	}
	for i, want := range []string{"ascending", "descending"} {
		rows, order := click(3)
		if order != want {
			t.Errorf("aria-sort is %q after %d clicks, want %q", order, i+1, want)
		}
		for j, r := range rows {
			if len(r) != len(before[0]) {
				t.Fatalf("row %d has %d cells when sorted, want %d: names are written out", j, len(r), len(before[0]))
			}
			if j > 0 && number(t, r[3]) != number(t, rows[j-1][3]) && number(t, r[3]) < number(t, rows[j-1][3]) != (want == "descending") {
				t.Errorf("%s: %s comes after %s", want, r[3], rows[j-1][3])
			}
		}
	}
	if rows, order := click(2); order != "ascending" || rows[0][2] != "1" || rows[len(rows)-1][2] != "50" {
		t.Errorf("by k, %s: from %s to %s, want 1 to 50", order, rows[0][2], rows[len(rows)-1][2])
	}
	click(2)
	after, order := click(2)
	if order != "none" || !slices.EqualFunc(before, after, slices.Equal) {
		t.Errorf("the third click leaves the order %q and other rows than at first", order)
	}
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestQueryRows holds the errors and verdicts that the page shows against the
// rows of the run: four digits of errors, exact verdicts.
func TestQueryRows(t *testing.T) {
	run := small.build(t)
	edge := &run.Queries[0] // rounded, it would be within the finest threshold
	edge.TErrM, edge.RErrDeg = 0.2500001, 1.5
	run.Queries[1].TErrM, run.Queries[1].RErrDeg = 0.25, 2
	run.Queries[2].TErrM, run.Queries[2].RErrDeg = 0, 1e-9
	run.Queries[3].TErrM, run.Queries[3].RErrDeg = 123456.7, 179.96
	b, _ := openOne(t, run)
	want := map[string]record.Query{}
	for _, q := range run.Queries[:small.queries] { // of the first feature, method and k
		want[q.Query] = q
	}
	b.choose(t, ".queries form", "method", run.Queries[0].Method)
	b.choose(t, ".queries form", "k", strconv.Itoa(run.Queries[0].TopK))
	rows := b.rows(t)
	if len(rows) != small.queries {
		t.Fatalf("%d rows, want %d", len(rows), small.queries)
	}
	for _, r := range rows {
		q := want[r[0]]
		if q.Status != record.Localized {
			if r[2] != "" || r[3] != "" || r[4] != string(q.Status) {
				t.Errorf("%s, which is %s, shows %q", q.Query, q.Status, r[2:])
			}
			continue
		}
		m, deg := metres(t, r[2]), number(t, strings.TrimSuffix(r[3], "°"))
		if math.Abs(m-q.TErrM) > 0.0005+1e-4*q.TErrM*5 || math.Abs(deg-q.RErrDeg) > 0.005+1e-4*q.RErrDeg*5 {
			t.Errorf("%s shows %s, %s; want %g m, %g°", q.Query, r[2], r[3], q.TErrM, q.RErrDeg)
		}
		verdict := "outside"
		for _, th := range slices.Backward(thresholds) {
			if q.TErrM <= th.Meters && q.RErrDeg <= th.Degrees {
				verdict = fmt.Sprintf("(%g m, %g°)", th.Meters, th.Degrees)
			}
		}
		if r[4] != verdict {
			t.Errorf("%s is %q at %g m, %g°, want %q", q.Query, r[4], q.TErrM, q.RErrDeg, verdict)
		}
	}
}

// TestCauses filters by why queries failed, and reads it in a query's table.
func TestCauses(t *testing.T) {
	run := small.build(t)
	want := 0
	for i, q := range run.Queries[:small.queries] { // of the first feature, method and k
		if q.Status != record.Localized || q.TErrM > 5 {
			cause := []record.Cause{record.RetrievalMissed, record.WrongPose}[i%2]
			if cause == record.RetrievalMissed {
				want++
			}
			run.Failures = append(run.Failures, record.Failure{Split: q.Split, Query: q.Query, Feature: q.Feature, Method: q.Method, TopK: q.TopK, Cause: cause, Relevant: -1})
		}
	}
	if want == 0 {
		t.Fatal("no query failed: the test looks at nothing")
	}
	b, _ := openOne(t, run)
	b.choose(t, ".queries form", "k", "1")
	b.choose(t, ".queries form", "status", "why: retrieval missed")
	if rows := b.rows(t); len(rows) != want {
		t.Errorf("%d queries, want %d: %v", len(rows), want, rows)
	}
	var text string
	b.eval(t, `document.querySelector(".list details").open = true; new Promise(done => setTimeout(() => done(document.querySelector(".detail td").textContent), 100))`, &text)
	if !strings.Contains(text, "retrieval missed") {
		t.Errorf("the query's table says %q at k = 1", text)
	}
}

// TestLinkToQuery opens the address of a query far down in the list.
func TestLinkToQuery(t *testing.T) {
	f := tiny
	f.queries, f.features, f.methods, f.topks = 350, f.features[:1], f.methods[:1], f.topks[:1]
	b, path := openOne(t, f.build(t))
	const last = "query/night/käse 東京00339.jpg"
	b.openAt(t, path, "#data-1.open="+url.QueryEscape(last))
	var open []string
	b.eval(t, `[...document.querySelectorAll(".list details[open] .name")].map(n => n.textContent)`, &open)
	if !slices.Equal(open, []string{last}) {
		t.Errorf("open: %q, want %q", open, last)
	}
}
