package scenes

import "locbench/kapture"

// lineIndex holds, by text file, the numbers of the lines that hold data, so
// that each file is read for them once, when there is something to say.
type lineIndex map[string][]int

// at returns the 1-based line of the i-th entry (from 0) of a kapture text
// file, 0 if the file cannot be read or has fewer.
func (l lineIndex) at(path string, i int) int {
	lines, ok := l[path]
	if !ok {
		lines = kapture.DataLines(path)
		l[path] = lines
	}
	if i < 0 || i >= len(lines) {
		return 0
	}
	return lines[i]
}
