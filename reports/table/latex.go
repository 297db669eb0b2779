package table

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// latexRunes are the characters that LaTeX reads as commands, or that its
// default fonts do not have.
var latexRunes = map[rune]string{
	'\\': `\textbackslash{}`, '{': `\{`, '}': `\}`, '$': `\$`, '&': `\&`, '#': `\#`, '%': `\%`, '_': `\_`,
	'^': `\textasciicircum{}`, '~': `\textasciitilde{}`, '<': `\textless{}`, '>': `\textgreater{}`, '|': `\textbar{}`,
	'"': `{\ttfamily\char34}`, '°': `$^\circ$`, '∞': `$\infty$`, '≤': `$\leq$`, '≥': `$\geq$`, '×': `$\times$`, '·': `$\cdot$`,
	'–': `--`, '—': `---`, '…': `\ldots{}`, '’': `'`, '‘': "`", '“': "``", '”': `''`, '\u00a0': `~`, '−': `$-$`, 'ρ': `$\rho$`, 'τ': `$\tau$`,
}

// EscapeLaTeX returns s so that LaTeX, with no package, prints it as it is, on
// one line. A character outside Latin that it has no command for is printed as
// its code point, since pdflatex would stop at it.
func EscapeLaTeX(s string) string {
	var b strings.Builder
	for _, r := range oneLine(s) {
		switch escaped, ok := latexRunes[r]; {
		case ok:
			b.WriteString(escaped)
		case r < ' ' || r == 0x7f || r > 0x17f || (r > 0x7f && r < 0xc0):
			fmt.Fprintf(&b, `[U+%04X]`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// LaTeXHead and LaTeXTail enclose tables into a document that pdflatex
// compiles. A paper copies the tables from between them, and the longtable line.
const (
	LaTeXHead = `\documentclass[10pt]{article}
\usepackage[margin=2cm]{geometry}
\usepackage{longtable}
\setlength{\tabcolsep}{4pt}
\begin{document}
\small
`
	LaTeXTail = `\end{document}
`
)

// WriteLaTeX prints the table as a longtable with rules above, below and under
// the head only; groups are set apart by space.
func (t *Table) WriteLaTeX(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "\\begin{longtable}{@{}%s@{}}\n\\caption{%s}\\\\\n\\hline\n", t.latexColumns(), EscapeLaTeX(t.Title))
	heads := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		heads[i] = EscapeLaTeX(c.Title)
	}
	head := strings.Join(heads, " & ")
	fmt.Fprintf(b, "%s \\\\\n\\hline\n\\endfirsthead\n\\hline\n%s \\\\\n\\hline\n\\endhead\n\\hline\n\\endfoot\n", head, head)
	for r := range t.Rows {
		if t.begins(r) {
			b.WriteString("\\noalign{\\vskip 3pt}\n")
		}
		for c := range t.Columns {
			if c > 0 {
				b.WriteString(" & ")
			}
			b.WriteString(t.latexCell(r, c))
		}
		b.WriteString(" \\\\\n")
	}
	b.WriteString("\\end{longtable}\n")
	for _, n := range t.Notes {
		fmt.Fprintf(b, "\\noindent{\\small %s}\\par\n", EscapeLaTeX(n))
	}
	return b.Flush()
}

func (t *Table) latexColumns() string {
	var b strings.Builder
	for _, c := range t.Columns {
		if c.Right {
			b.WriteByte('r')
		} else {
			b.WriteByte('l')
		}
	}
	return b.String()
}

func (t *Table) latexCell(row, col int) string {
	s := EscapeLaTeX(t.shown(row, col))
	if t.Rows[row][col].Best && s != "" {
		return `\textbf{` + s + `}`
	}
	return s
}
