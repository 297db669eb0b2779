package landmarks

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"locbench/kapture"
)

// ReadList reads a list of images, one a line, as it stands beside descriptors
// of them: blank lines and lines that begin with # do not count. Names are
// returned as the ground truth has them: for Oxford and Paris without folders
// and ending, for labelled folders as paths below dir. A name that comes twice
// is a [kapture.InputError].
func ReadList(r io.Reader, path string, labelled bool, dir string) ([]string, error) {
	var names []string
	var bad []error
	lines := map[string]int{}
	in := bufio.NewScanner(r)
	for line := 1; in.Scan(); line++ {
		text := strings.TrimSpace(in.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		name := baseName(text)
		if labelled {
			name = below(text, dir)
		}
		if other, twice := lines[name]; twice {
			bad = append(bad, &kapture.InputError{Path: path, Line: line, Msg: fmt.Sprintf("want each image once, found %s on line %d too", name, other)})
		}
		lines[name] = line
		names = append(names, name)
	}
	if err := in.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, &kapture.InputError{Path: path, Line: len(names) + 1, Msg: "want one name a line: " + err.Error()}
	} else if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return names, kapture.FirstTen(bad)
}

// below returns a path as it is seen from dir, if it lies there.
func below(path, dir string) string {
	if rel, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return filepath.ToSlash(filepath.Clean(path))
}

// RowsOf returns, for each image, its row in a list. Images that are not in
// the list are a [kapture.InputError] for path; other names of the list do not
// matter.
func RowsOf(images, list []string, path string) ([]int, error) {
	rows := make(map[string]int, len(list))
	for i, name := range list {
		rows[name] = i
	}
	out := make([]int, len(images))
	var bad []error
	for i, image := range images {
		row, ok := rows[image]
		if !ok {
			bad = append(bad, &kapture.InputError{Path: path, Msg: fmt.Sprintf("want image %s, found no such line", image)})
		}
		out[i] = row
	}
	return out, kapture.FirstTen(bad)
}
