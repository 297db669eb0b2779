package kapture

import (
	"bytes"
	"os"
)

// DataLines returns the 1-based numbers of the lines of a kapture text file
// that hold data, so that the i-th entry of a table can be named by its line:
// tables in memory keep no line numbers, and the file is read again when there
// is something to say. It returns nil for a file that cannot be read.
func DataLines(path string) []int {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	text = bytes.TrimPrefix(text, []byte(byteOrderMark))
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
