package table_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"locbench/reports/table"
)

var update = flag.Bool("update", false, "write the golden files anew")

func sample() *table.Table {
	row := func(best bool, texts ...string) table.Row {
		var r table.Row
		for _, s := range texts {
			r = append(r, table.Cell{Text: s})
		}
		r[len(r)-1].Best = best
		return r
	}
	return &table.Table{
		Title:   "100 % of #1 & <co> | a_b",
		Notes:   []string{"A note with ∞, é, 東 and\na line end."},
		Columns: []table.Column{{Title: "feature"}, {Title: "k", Right: true}, {Title: "(0.25 m, 2°)", Right: true}},
		Keys:    2,
		Rows: []table.Row{
			row(false, `x_y\z`, "1", "9.5"), row(true, `x_y\z`, "20", "57.5"),
			row(false, "~$^{}\"", "1", "∞"), row(false, "~$^{}\"", "1", "0.0"), row(true, "a, b", "1", "57.5"),
		},
	}
}

func TestFormats(t *testing.T) {
	tab := sample()
	formats := map[string]func() (string, error){}
	for name, write := range map[string]func(*table.Table, *bytes.Buffer) error{
		"txt": func(t *table.Table, b *bytes.Buffer) error { return t.WriteText(b) },
		"md":  func(t *table.Table, b *bytes.Buffer) error { return t.WriteMarkdown(b) },
		"tex": func(t *table.Table, b *bytes.Buffer) error { return t.WriteLaTeX(b) },
		"csv": func(t *table.Table, b *bytes.Buffer) error { return t.WriteCSV(b) },
	} {
		formats[name] = func() (string, error) {
			var b bytes.Buffer
			err := write(tab, &b)
			return b.String(), err
		}
	}
	for name, format := range formats {
		t.Run(name, func(t *testing.T) {
			got, err := format()
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", "sample."+name)
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("%s (-want +got):\n%s", path, d)
			}
		})
	}
}

func TestCSVReadsBack(t *testing.T) {
	var b bytes.Buffer
	if err := sample().WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`x_y\z`, "20", "57.5"} // the name is written out
	if d := cmp.Diff(want, rows[2]); d != "" {
		t.Errorf("second row (-want +got):\n%s", d)
	}
}

func TestSpan(t *testing.T) {
	tab := sample()
	var got [][2]int
	for r := range tab.Rows {
		got = append(got, [2]int{tab.Span(r, 0), tab.Span(r, 1)})
	}
	// The k of rows 3 and 4 repeats within one feature; that of row 5 is another's.
	want := [][2]int{{2, 1}, {0, 1}, {2, 2}, {0, 0}, {1, 1}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("spans (-want +got):\n%s", d)
	}
}

// plain has no best figure and no note; its groups change at every second row,
// and one row says the same as the row above.
func plain() *table.Table {
	tab := &table.Table{Title: "plain", Columns: []table.Column{{Title: "a"}, {Title: "b"}, {Title: "note"}, {Title: "n", Right: true}}, Keys: 2}
	for _, texts := range [][4]string{{"x", "1", "left", "5"}, {"y", "1", "left", "5"}, {"y", "1", "left", "5"}, {"z", "1", "", "10"}} {
		var r table.Row
		for _, s := range texts {
			r = append(r, table.Cell{Text: s})
		}
		tab.Rows = append(tab.Rows, r)
	}
	return tab
}

func TestPlainText(t *testing.T) {
	tab := plain()
	var b bytes.Buffer
	if err := tab.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	want := "plain\n\na  b  note   n\n--------------\nx  1  left   5\n\ny  1  left   5\n      left   5\n\nz  1        10\n"
	if b.String() != want {
		t.Errorf("want\n%sfound\n%s", want, b.String())
	}
	for r := range tab.Rows {
		if n := tab.Span(r, 3); n != 1 {
			t.Errorf("row %d: a figure is no name, want a span of 1, found %d", r, n)
		}
	}
}

// TestStarsOfFigures wants a star or its room at figures only.
func TestStarsOfFigures(t *testing.T) {
	tab := plain()
	tab.Rows[3][3].Best = true
	var b bytes.Buffer
	if err := tab.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	want := "plain\n\na  b  note   n\n---------------\nx  1  left   5\n\ny  1  left   5\n      left   5\n\nz  1        10*\n\n* best of its column\n"
	if b.String() != want {
		t.Errorf("want\n%sfound\n%s", want, b.String())
	}
}

// fullDisk fails after some bytes.
type fullDisk struct{ room int }

func (d *fullDisk) Write(p []byte) (int, error) {
	if len(p) > d.room {
		return 0, syscall.ENOSPC
	}
	d.room -= len(p)
	return len(p), nil
}

func TestFullDisk(t *testing.T) {
	tab := plain()
	tab.Rows = slices.Repeat(tab.Rows, 5000) // more than any buffer
	for name, write := range map[string]func(io.Writer) error{
		"text": tab.WriteText, "Markdown": tab.WriteMarkdown, "LaTeX": tab.WriteLaTeX, "CSV": tab.WriteCSV,
	} {
		for _, room := range []int{0, 20_000} {
			if err := write(&fullDisk{room}); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("%s, room for %d bytes: want ENOSPC, found %v", name, room, err)
			}
		}
	}
}

func TestEscapeLaTeX(t *testing.T) {
	cases := map[string]string{
		`50% & a_b`:    `50\% \& a\_b`,
		`\input{x}`:    `\textbackslash{}input\{x\}`,
		"a\nb":         "a b",
		"2° ≤ ∞":       `2$^\circ$ $\leq$ $\infty$`,
		"käse 東":       `käse [U+6771]`,
		"\x01\x1f\x7f": `[U+0001][U+001F][U+007F]`,
		"\u0080¿ÀſƀA":  `[U+0080][U+00BF]Àſ[U+0180]A`,
		"<\"|\">~^$":   `\textless{}{\ttfamily\char34}\textbar{}{\ttfamily\char34}\textgreater{}\textasciitilde{}\textasciicircum{}\$`,
	}
	for in, want := range cases {
		if got := table.EscapeLaTeX(in); got != want {
			t.Errorf("EscapeLaTeX(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestEmpty(t *testing.T) {
	tab := &table.Table{Title: "none", Columns: []table.Column{{Title: "a"}}, Keys: 1}
	var b bytes.Buffer
	for _, write := range []func() error{
		func() error { return tab.WriteText(&b) }, func() error { return tab.WriteMarkdown(&b) },
		func() error { return tab.WriteLaTeX(&b) }, func() error { return tab.WriteCSV(&b) },
	} {
		if err := write(); err != nil {
			t.Error(err)
		}
	}
	if !strings.Contains(b.String(), "none") {
		t.Error("a table without rows does not print its title")
	}
}
