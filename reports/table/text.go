package table

import (
	"bufio"
	"encoding/csv"
	"io"
	"strings"
	"unicode/utf8"
)

// WriteText prints the table for a terminal: columns in line, groups apart by
// an empty line, the best figures with a star.
func (t *Table) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	starred := t.hasBest()
	cell := func(row, col int) string {
		s := oneLine(t.shown(row, col))
		switch {
		case !starred || !t.Columns[col].Right || col < t.Keys:
		case t.Rows[row][col].Best:
			s += "*"
		default:
			s += " "
		}
		return s
	}
	lines := make([][]string, 0, len(t.Rows)+1)
	lines = append(lines, t.titles(starred))
	for r := range t.Rows {
		line := make([]string, len(t.Columns))
		for c := range t.Columns {
			line[c] = cell(r, c)
		}
		lines = append(lines, line)
	}
	widths := columnWidths(lines)
	b.WriteString(oneLine(t.Title) + "\n\n")
	for i, line := range lines {
		if i > 0 && t.begins(i-1) {
			b.WriteString("\n")
		}
		b.WriteString(t.textLine(line, widths))
		if i == 0 {
			b.WriteString(strings.Repeat("-", sum(widths)+2*(len(widths)-1)) + "\n")
		}
	}
	notes := t.Notes
	if starred {
		notes = append([]string{"* best of its column"}, notes...)
	}
	if len(notes) > 0 {
		b.WriteString("\n")
	}
	for _, n := range notes {
		b.WriteString(oneLine(n) + "\n")
	}
	return b.Flush()
}

// titles are the column heads, with room for a star where the figures have it.
func (t *Table) titles(starred bool) []string {
	titles := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		titles[i] = oneLine(c.Title)
		if starred && c.Right && i >= t.Keys {
			titles[i] += " "
		}
	}
	return titles
}

func (t *Table) textLine(line []string, widths []int) string {
	var b strings.Builder
	for c, s := range line {
		if c > 0 {
			b.WriteString("  ")
		}
		b.WriteString(pad(s, widths[c], t.Columns[c].Right))
	}
	return strings.TrimRight(b.String(), " ") + "\n"
}

func columnWidths(lines [][]string) []int {
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for c, s := range line {
			widths[c] = max(widths[c], utf8.RuneCountInString(s))
		}
	}
	return widths
}

func pad(s string, width int, right bool) string {
	fill := strings.Repeat(" ", width-utf8.RuneCountInString(s))
	if right {
		return fill + s
	}
	return s + fill
}

func sum(widths []int) int {
	n := 0
	for _, w := range widths {
		n += w
	}
	return n
}

// WriteCSV prints the column heads and all rows as CSV, names written out.
// Title, notes and marks are left out.
func (t *Table) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	heads := make([]string, len(t.Columns))
	for i, col := range t.Columns {
		heads[i] = col.Title
	}
	if err := c.Write(heads); err != nil {
		return err
	}
	for _, r := range t.Rows {
		if err := c.Write(texts(r)); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}
