package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// FormatError says where a file breaks the format, what was expected and what
// was found.
type FormatError struct {
	Path string
	Byte int64 // offset into the file
	Msg  string
}

func (e *FormatError) Error() string { return fmt.Sprintf("%s: byte %d: %s", e.Path, e.Byte, e.Msg) }

const (
	magic = "\x93NUMPY"
	// maxHeader bounds the header: that of a matrix has some 100 bytes.
	maxHeader = 1 << 20
	maxDims   = 32 // NumPy's own bound
)

// header is what a file says about its values.
type header struct {
	descr   string
	fortran bool
	shape   []int
	data    int64 // offset of the first value
}

// readHeader reads the header of a file of size bytes.
func readHeader(r io.ReaderAt, size int64, path string) (*header, error) {
	var head [12]byte
	n, err := r.ReadAt(head[:], 0)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if n < 10 || string(head[:6]) != magic {
		return nil, &FormatError{path, 0, fmt.Sprintf("want the start of a .npy file, %q, found %q", magic, head[:min(n, 6)])}
	}
	start, length := int64(10), int64(binary.LittleEndian.Uint16(head[8:]))
	switch head[6] {
	case 1:
	case 2, 3:
		start, length = 12, int64(binary.LittleEndian.Uint32(head[8:]))
	default:
		return nil, &FormatError{path, 6, fmt.Sprintf("want version 1, 2 or 3, found %d", head[6])}
	}
	if length > maxHeader || start+length > size {
		return nil, &FormatError{path, 8, fmt.Sprintf("want a header that ends in the file of %d bytes, found one of %d bytes", size, length)}
	}
	text := make([]byte, length)
	if _, err := r.ReadAt(text, start); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	h, at, msg := parseHeader(string(text))
	if msg != "" {
		return nil, &FormatError{path, start + int64(at), msg}
	}
	h.data = start + length
	return h, nil
}

// parseHeader reads the dict of a header. msg says what is wrong at byte at.
func parseHeader(text string) (h *header, at int, msg string) {
	s := &scanner{text: text}
	h = &header{}
	seen := map[string]bool{}
	s.want("{")
	for s.msg == "" && !s.accept("}") {
		key := s.quoted()
		s.want(":")
		switch {
		case s.msg != "":
		case seen[key]:
			s.fail("want each key once, found %q again", key)
		case key == "descr":
			h.descr = s.quoted()
		case key == "fortran_order":
			h.fortran = s.boolean()
		case key == "shape":
			h.shape = s.tuple()
		default:
			s.fail("want the keys descr, fortran_order and shape, found %q", key)
		}
		seen[key] = true
		if s.msg == "" && !s.accept(",") {
			s.want("}")
			break
		}
	}
	if s.msg == "" && len(seen) != 3 {
		s.fail("want the keys descr, fortran_order and shape, found %d of them", len(seen))
	}
	if s.space(); s.msg == "" && s.at != len(s.text) {
		s.fail("want the header to end with its dict, found %q", s.next())
	}
	return h, s.at, s.msg
}

// scanner reads the few Python literals that a header is made of. After the
// first mistake, which it keeps, it reads nothing.
type scanner struct {
	text string
	at   int
	msg  string
}

func (s *scanner) fail(format string, args ...any) {
	if s.msg == "" {
		s.msg = fmt.Sprintf(format, args...)
	}
}

func (s *scanner) space() {
	for s.at < len(s.text) && strings.IndexByte(" \t\r\n\x00", s.text[s.at]) >= 0 {
		s.at++
	}
}

// next is the text that a message shows.
func (s *scanner) next() string { return s.text[s.at:min(s.at+12, len(s.text))] }

func (s *scanner) accept(token string) bool {
	if s.space(); s.msg != "" || !strings.HasPrefix(s.text[s.at:], token) {
		return false
	}
	s.at += len(token)
	return true
}

func (s *scanner) want(token string) {
	if !s.accept(token) {
		s.fail("want %q, found %q", token, s.next())
	}
}

// quoted reads a string; those of a header have no escapes.
func (s *scanner) quoted() string {
	for _, quote := range []string{"'", `"`} {
		if !s.accept(quote) {
			continue
		}
		if value, _, ok := strings.Cut(s.text[s.at:], quote); ok {
			s.at += len(value) + 1
			return value
		}
	}
	s.fail("want a plain string (records and objects are not read), found %q", s.next())
	return ""
}

func (s *scanner) boolean() bool {
	if s.accept("True") {
		return true
	}
	if !s.accept("False") {
		s.fail("want True or False, found %q", s.next())
	}
	return false
}

// tuple reads the dimensions; Python 2 wrote them as 10L.
func (s *scanner) tuple() []int {
	shape := []int{}
	s.want("(")
	for s.msg == "" && !s.accept(")") {
		s.space()
		from := s.at
		for s.at < len(s.text) && s.text[s.at] >= '0' && s.text[s.at] <= '9' {
			s.at++
		}
		n, err := strconv.ParseInt(s.text[from:s.at], 10, 64)
		if err != nil || n > math.MaxInt || len(shape) == maxDims {
			s.at = from
			s.fail("want a dimension, found %q", s.next())
			break
		}
		shape = append(shape, int(n))
		s.accept("L")
		if !s.accept(",") {
			s.want(")")
			break
		}
	}
	return shape
}
