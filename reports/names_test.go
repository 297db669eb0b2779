package reports_test

import (
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"locbench/bench/record"
	"locbench/reports"
)

// TestOddNames gives features, methods and runs names that mean something else
// to HTML, CSS selectors, addresses, CSV or JSON: filters, tables, lists and
// addresses must take them for names.
func TestOddNames(t *testing.T) {
	f := tiny
	f.features = []string{`a,b;c`, `x & <y> "z"'`, "日本 · ü", "two  spaces ", "#k=5&method=csi", `</script><img src=x onerror=alert(1)>`, "100%25+"}
	for i, name := range f.features { // pairs are files of that name
		f.features[i] = strings.ReplaceAll(name, "/", "∕")
	}
	f.methods = []string{"ewb", `m"1, <i>`}
	labels := []string{`one, "two"`, "<b>ü</b> · #"}
	second := f
	second.seed = 8
	runs := []*record.Run{f.build(t), second.build(t)}
	f.writeViews(t, runs[0])
	dir := t.TempDir()
	writeDir(t, dir, reports.Options{Labels: labels, Thumbnails: pictures(100)}, runs...)
	b := newBrowser(t)
	path := filepath.Join(dir, "index.html")
	b.open(t, path, 1280, false)
	keys := map[string]string{} // head of a table's column → what its names must be
	choice := map[string][]string{"feature": f.features, "method": f.methods, "run": labels}
	for key, names := range choice {
		for _, name := range names {
			b.choose(t, ".filters", key, name)
			keys[key] = name
			b.onlyRows(t, keys, choice)
			if rows := b.rows(t); len(rows) != f.queries || slices.ContainsFunc(rows, func(r []string) bool { return r[4] == "no row" }) {
				t.Errorf("%s %q: the list shows %q", key, name, rows)
			}
		}
	}
	var hash string
	b.eval(t, "location.hash", &hash)
	b.openAt(t, path, hash)
	b.onlyRows(t, keys, choice)
	for key, name := range keys {
		if want := key + "=" + url.QueryEscape(name); !strings.Contains(strings.ReplaceAll(hash, "%20", "+"), want) {
			t.Errorf("the address %s lacks %s", hash, want)
		}
	}
	b.check(t)
}

// onlyRows fails unless the first table has rows, and only those of the names.
func (b *browser) onlyRows(t *testing.T, names map[string]string, all map[string][]string) {
	t.Helper()
	var table struct{ Heads, Cells []string }
	b.eval(t, `(() => { const t = document.querySelector(".block table"); return {Heads: [...t.tHead.rows[0].cells].map(c => c.textContent), Cells: [...t.tBodies[0].querySelectorAll("th")].map(c => c.textContent)}; })()`, &table)
	for key, name := range names {
		if !slices.Contains(table.Heads, key) || !slices.Contains(table.Cells, name) {
			t.Errorf("no row of %s %q: %q", key, name, table)
		}
		for _, other := range all[key] {
			if other != name && slices.Contains(table.Cells, other) {
				t.Errorf("a row of %s %q besides %q", key, other, name)
			}
		}
	}
}
