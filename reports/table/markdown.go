package table

import (
	"bufio"
	"io"
	"strings"
)

// markdownEscapes keeps a text from being read as Markdown or HTML.
var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "|", `\|`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "~", `\~`, "#", `\#`, "$", `\$`,
	"<", "&lt;", ">", "&gt;", "&", "&amp;",
)

// EscapeMarkdown returns s so that Markdown shows it as it is, on one line.
func EscapeMarkdown(s string) string { return markdownEscapes.Replace(oneLine(s)) }

// WriteMarkdown prints the title as a heading of the third level, the table in
// GitHub's form with its columns in line, and the notes.
func (t *Table) WriteMarkdown(w io.Writer) error {
	lines := make([][]string, 0, len(t.Rows)+1)
	heads := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		heads[i] = EscapeMarkdown(c.Title)
	}
	lines = append(lines, heads)
	for r := range t.Rows {
		line := make([]string, len(t.Columns))
		for c := range t.Columns {
			line[c] = EscapeMarkdown(t.shown(r, c))
			if t.Rows[r][c].Best {
				line[c] = "**" + line[c] + "**"
			}
		}
		lines = append(lines, line)
	}
	widths := columnWidths(lines)
	b := bufio.NewWriter(w)
	b.WriteString("### " + EscapeMarkdown(t.Title) + "\n\n")
	for i, line := range lines {
		for c, s := range line {
			b.WriteString("| " + pad(s, max(widths[c], 3), t.Columns[c].Right) + " ")
		}
		b.WriteString("|\n")
		if i == 0 {
			b.WriteString(t.markdownRule(widths))
		}
	}
	for _, n := range t.Notes {
		b.WriteString("\n" + EscapeMarkdown(n) + "\n")
	}
	return b.Flush()
}

func (t *Table) markdownRule(widths []int) string {
	var b strings.Builder
	for c, col := range t.Columns {
		rule := strings.Repeat("-", max(widths[c], 3)+1)
		if col.Right {
			b.WriteString("| " + rule[1:] + ":")
		} else {
			b.WriteString("| " + rule[1:] + " ")
		}
	}
	return b.String() + "|\n"
}
