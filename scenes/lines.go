package scenes

import (
	"bytes"
	"os"
)

// lineIndex holds, by text file, the numbers of the lines that hold data, so
// that the i-th entry of a table can be named by its line. Tables in memory keep
// no line numbers: a file is read for them when there is something to say.
type lineIndex map[string][]int

// at returns the 1-based line of the i-th entry (from 0) of a kapture text
// file, 0 if the file cannot be read or has fewer.
func (l lineIndex) at(path string, i int) int {
	lines, ok := l[path]
	if !ok {
		lines = dataLines(path)
		l[path] = lines
	}
	if i < 0 || i >= len(lines) {
		return 0
	}
	return lines[i]
}

func dataLines(path string) []int {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var lines []int
	n := 0
	for line := range bytes.Lines(text) {
		n++
		line = bytes.TrimSpace(line)
		if len(line) > 0 && line[0] != '#' {
			lines = append(lines, n)
		}
	}
	return lines
}
