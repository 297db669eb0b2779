package kapture

import (
	"bytes"
	"fmt"
	"strings"
)

// scanner walks over the lines of a block of text and splits them into fields.
// It allocates nothing for a line; fields are valid until the next one.
type scanner struct {
	path   string
	rest   []byte
	line   int // 1-based within the block, and within the file once all blocks are known
	fields [][]byte
	bad    problems
}

// next goes to the next line that holds data.
func (s *scanner) next() bool {
	for len(s.rest) > 0 {
		var line []byte
		if i := bytes.IndexByte(s.rest, '\n'); i >= 0 {
			line, s.rest = s.rest[:i], s.rest[i+1:]
		} else {
			line, s.rest = s.rest, nil
		}
		s.line++
		line = trim(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		s.split(line)
		return true
	}
	return false
}

func (s *scanner) split(line []byte) {
	s.fields = s.fields[:0]
	for {
		i := bytes.IndexByte(line, ',')
		if i < 0 {
			s.fields = append(s.fields, trim(line))
			return
		}
		s.fields = append(s.fields, trim(line[:i]))
		line = line[i+1:]
	}
}

func (s *scanner) failf(format string, args ...any) {
	s.bad.addf(s.path, s.line, format, args...)
}

// blank reports whether c is white space or a control character; a value may
// hold blanks inside, never at its ends.
func blank(c byte) bool { return c == ' ' || (c >= '\t' && c <= '\r') }

func trim(b []byte) []byte {
	for len(b) > 0 && blank(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && blank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// versionPrefix begins the first line of a kapture text file.
const versionPrefix = "# kapture format:"

// byteOrderMark begins text files that some editors write.
const byteOrderMark = "\xef\xbb\xbf"

// version returns the version that a file's first line names, "" if it names
// none, and an error if this package cannot read it.
func version(head []byte, path string) (string, error) {
	line, _, _ := bytes.Cut(head, []byte{'\n'})
	v, ok := strings.CutPrefix(string(trim(line)), versionPrefix)
	if !ok {
		return "", nil
	}
	v = strings.TrimSpace(v)
	if v != "1.0" && v != "1.1" {
		return "", &InputError{Path: path, Line: 1, Msg: fmt.Sprintf("want kapture format 1.0 or 1.1, found %s", quote(v))}
	}
	return v, nil
}
