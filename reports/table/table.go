// Package table prints one table as plain text, Markdown, LaTeX or CSV.
package table

import (
	"slices"
	"strings"
)

// Table is a table of ready text. Its first Keys columns name the row; a name
// that repeats the row above is left blank where a person reads it (text,
// Markdown, LaTeX) and written out in CSV.
type Table struct {
	Title   string
	Notes   []string // sentences below the table
	Columns []Column
	Keys    int
	Rows    []Row
}

// Column is the head of a column.
type Column struct {
	Title string
	Right bool // numbers, aligned at their right end
}

// Row is a line of the table, a cell for each column.
type Row []Cell

// Cell is one entry. Best marks the best figure of its column: bold, or a star
// in plain text.
type Cell struct {
	Text string
	Best bool
}

// Span returns how many rows the cell at row and col stands for: 1 and more
// where a name begins, 0 where it repeats the row above. Names are nested: a
// name begins anew wherever one to its left does. Columns that are not keys
// always give 1.
func (t *Table) Span(row, col int) int {
	if col >= t.Keys {
		return 1
	}
	if t.repeats(row, col) {
		return 0
	}
	n := 1
	for row+n < len(t.Rows) && t.repeats(row+n, col) {
		n++
	}
	return n
}

// repeats reports whether the names of row, up to col, are those of the row above.
func (t *Table) repeats(row, col int) bool {
	return row > 0 && slices.Equal(texts(t.Rows[row-1][:col+1]), texts(t.Rows[row][:col+1]))
}

// begins reports whether a new group starts at row: one of the names changes,
// the last one aside, which changes in every row.
func (t *Table) begins(row int) bool {
	return row > 0 && t.Keys > 1 && !t.repeats(row, t.Keys-2)
}

func texts(cells []Cell) []string {
	out := make([]string, len(cells))
	for i, c := range cells {
		out[i] = c.Text
	}
	return out
}

// shown returns the text at row and col as a person sees it, blank if repeated.
func (t *Table) shown(row, col int) string {
	if col < t.Keys && t.repeats(row, col) {
		return ""
	}
	return t.Rows[row][col].Text
}

// hasBest reports whether any cell is marked.
func (t *Table) hasBest() bool {
	for _, r := range t.Rows {
		if slices.ContainsFunc(r, func(c Cell) bool { return c.Best }) {
			return true
		}
	}
	return false
}

// oneLine keeps a text from breaking a format that ends its rows at line ends.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
