package trainset

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"locbench/kapture"
)

// table reads a CSV file with a header. Its separator is the first of comma,
// semicolon and tab in the header.
type table struct {
	path    string
	file    *os.File
	rows    *csv.Reader
	columns map[string]int // by lower-case name
	row     []string
}

func openTable(path string) (*table, error) {
	if err := kapture.CheckFile(path); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	in := bufio.NewReaderSize(f, 1<<20)
	t := &table{path: path, file: f, columns: map[string]int{}}
	if mark, _ := in.Peek(3); string(mark) == "\ufeff" {
		in.Discard(3)
	}
	head, _ := in.Peek(4096)
	t.rows = csv.NewReader(in)
	if i := strings.IndexAny(string(head), ",;\t\n"); i >= 0 && head[i] != '\n' {
		t.rows.Comma = rune(head[i])
	}
	t.rows.ReuseRecord = true
	header, err := t.rows.Read()
	if err != nil {
		f.Close()
		return nil, t.wrong(err)
	}
	for i, name := range header {
		t.columns[strings.ToLower(strings.TrimSpace(name))] = i
	}
	return t, nil
}

func (t *table) close() { t.file.Close() }

// next reads a row; it returns false at the end.
func (t *table) next() (bool, error) {
	var err error
	t.row, err = t.rows.Read()
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	return err == nil, t.wrong(err)
}

// wrong makes an input error of what the CSV reader says.
func (t *table) wrong(err error) error {
	if bad, ok := errors.AsType[*csv.ParseError](err); ok {
		return &kapture.InputError{Path: t.path, Line: bad.Line, Msg: "want a row of the table: " + bad.Err.Error()}
	}
	if errors.Is(err, io.EOF) {
		return &kapture.InputError{Path: t.path, Msg: "want a table with a header, found an empty file"}
	}
	return err
}

func (t *table) line() int {
	line, _ := t.rows.FieldPos(0)
	return line
}

// column returns the number of the first of the names that the header has, or
// an error that says what it has.
func (t *table) column(names ...string) (int, error) {
	for _, name := range names {
		if i, ok := t.columns[name]; ok {
			return i, nil
		}
	}
	header := make([]string, len(t.columns))
	for name, i := range t.columns {
		if i < len(header) {
			header[i] = name
		}
	}
	return 0, &kapture.InputError{Path: t.path, Line: 1, Msg: "want a column " + strings.Join(names, " or ") + ", found " + strings.Join(header, ", ")}
}

// openCSV reads a table of images: a column image (or file, path, name), a
// column label (or class, landmark_id), and, if all four are there, columns x0,
// y0, x1, y1 (or xmin, ymin, xmax, ymax; or left, top, right, bottom): a box in
// pixels, where empty fields mean the whole image. With a column split, the rows of
// other splits than the source's do not count. Other columns do not matter.
// Paths are relative to the folder of images.
func openCSV(ctx context.Context, s Source) (*Set, error) {
	t, err := openTable(s.Path)
	if err != nil {
		return nil, err
	}
	defer t.close()
	image, errImage := t.column("image", "file", "path", "name")
	label, errLabel := t.column("label", "class", "landmark_id")
	if err := errors.Join(errImage, errLabel); err != nil {
		return nil, err
	}
	split, hasSplit := t.columns["split"]
	sides, boxed := t.boxColumns()
	g := newGathering(s, s.Path, s.below(filepath.Dir(s.Path)))
	for {
		ok, err := t.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			return g.set(ctx)
		}
		name, class, line := strings.TrimSpace(t.row[image]), strings.TrimSpace(t.row[label]), t.line()
		switch {
		case hasSplit && strings.TrimSpace(t.row[split]) != s.Split:
		case name == "":
			g.fail(line, "want an image, found none")
		case class == "":
			g.fail(line, "want the label of %s, found none", name)
		default:
			g.add(strings.Clone(name), class, line)
			if boxed {
				g.boxOf(line, t.row[sides[0]], t.row[sides[1]], t.row[sides[2]], t.row[sides[3]])
			}
		}
	}
}

// boxColumns returns the columns of left, top, right and bottom.
func (t *table) boxColumns() (sides [4]int, ok bool) {
	for _, names := range [][4]string{{"x0", "y0", "x1", "y1"}, {"xmin", "ymin", "xmax", "ymax"}, {"left", "top", "right", "bottom"}} {
		found := 0
		for i, name := range names {
			if c, ok := t.columns[name]; ok {
				sides[i] = c
				found++
			}
		}
		if found == 4 {
			return sides, true
		}
	}
	return sides, false
}

// boxOf gives the last image the box of four fields: left, top, right, bottom
// in pixels. Four empty ones are the whole image.
func (g *gathering) boxOf(line int, fields ...string) {
	if strings.TrimSpace(strings.Join(fields, "")) == "" {
		return
	}
	var v [4]float32
	for i, f := range fields {
		x, err := strconv.ParseFloat(strings.TrimSpace(f), 32)
		if err != nil || math.IsNaN(x) {
			g.fail(line, "want a box of four numbers, found %q", f)
			return
		}
		v[i] = float32(x)
	}
	b := Box{Left: v[0], Top: v[1], Right: v[2], Bottom: v[3]}
	if !b.valid() {
		g.fail(line, "want a box of left < right and top < bottom, found %v", v)
		return
	}
	g.addBox(b)
}
