package kapture

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"gonum.org/v1/gonum/num/quat"
	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
)

// rowKey is what makes a line of a table unique.
type rowKey struct {
	timestamp int64
	a, b      string
}

// codec reads and writes one kind of table.
type codec[T any] struct {
	file    string // inside the dataset
	columns string // the comment line that names them
	min     int    // fields of a line
	open    bool   // a line may have more than min fields
	unique  string // what key returns, in words
	key     func(T) rowKey
	image   func(T) string // the image a row names, which may have no other row; nil if none
	equal   func(a, b T) bool
	parse   func(r *row) T
	format  func(w *rowWriter, v T)
}

// row is a line of a table being read. Its methods return a field's value; the
// first bad field of a line is reported and makes the line worthless.
type row struct {
	*scanner
	strings map[string]string // names that repeat from line to line, kept once
	norms   normWarning
	failed  bool
}

func (r *row) fail(format string, args ...any) {
	if !r.failed {
		r.failf(format, args...)
	}
	r.failed = true
}

// text returns a field as text. Equal texts share their memory.
func (r *row) text(i int) string {
	b := r.fields[i]
	if s, ok := r.strings[string(b)]; ok {
		return s
	}
	s := string(b)
	r.strings[s] = s
	return s
}

// id is text that may not be empty.
func (r *row) id(i int, what string) string {
	if len(r.fields[i]) == 0 {
		r.fail("want %s, found an empty field", what)
	}
	return r.text(i)
}

// filePath returns a field that names a file inside the dataset.
func (r *row) filePath(i int) string {
	p := string(r.fields[i])
	if why := badPath(p); why != "" {
		r.fail("%s%s", wantPath, why)
	}
	return p
}

func (r *row) int(i int, what string) int64 {
	v, ok := parseInt(r.fields[i])
	if !ok {
		r.fail("want an integer as %s, found %s", what, quote(string(r.fields[i])))
	}
	return v
}

func (r *row) float(i int, what string) float64 {
	v, ok := parseFloat(r.fields[i])
	if !ok {
		r.fail("want a number as %s, found %s", what, quote(string(r.fields[i])))
	}
	return v
}

// finite is float without infinities and NaN.
func (r *row) finite(i int, what string) float64 {
	v := r.float(i, what)
	if v-v != 0 {
		r.fail("want a finite number as %s, found %s", what, quote(string(r.fields[i])))
	}
	return v
}

// pose reads qw, qx, qy, qz, tx, ty, tz from the field at i on; rotation and
// translation may each be missing, all their fields empty.
func (r *row) pose(i int) PartialPose {
	p := PartialPose{Pose: geom.Identity()}
	if r.present(i, 4, "qw, qx, qy, qz") {
		p.HasRotation = true
		q := quat.Number{Real: r.finite(i, "qw"), Imag: r.finite(i+1, "qx"), Jmag: r.finite(i+2, "qy"), Kmag: r.finite(i+3, "qz")}
		unit, norm, ok := unitQuaternion(q)
		if !ok {
			r.fail("want a rotation, found a quaternion of norm %v", norm)
		}
		r.norms.note(norm, r.line)
		p.R = unit
	}
	if r.present(i+4, 3, "tx, ty, tz") {
		p.HasTranslation = true
		p.T = r3.Vec{X: r.finite(i+4, "tx"), Y: r.finite(i+5, "ty"), Z: r.finite(i+6, "tz")}
	}
	return p
}

// present reports whether n fields from i on hold values, and fails if only
// some of them do.
func (r *row) present(i, n int, what string) bool {
	filled := 0
	for _, f := range r.fields[i : i+n] {
		if len(f) > 0 {
			filled++
		}
	}
	if filled != 0 && filled != n {
		r.fail("want all of %s or none, found %d of %d", what, filled, n)
	}
	return filled == n
}

// read reads the whole table. Bad lines are left out and reported to bad.
func (c codec[T]) read(br *blockReader, size int64, names map[string]string, bad *problems) (rows []T, warning string, err error) {
	rows = []T{}
	r := &row{scanner: &scanner{path: br.path}, strings: names}
	seen := uniqueness[T]{codec: &c, rows: map[rowKey]int{}, images: map[string]int{}}
	buf := make([]byte, blockLen(size))
	for {
		block, err := br.next(buf)
		if err != nil {
			return nil, "", err
		}
		if len(block) == 0 {
			break
		}
		r.rest = block
		for r.next() {
			v, ok := c.row(r)
			if !ok {
				continue
			}
			if what, first := seen.add(v, r.line); what != "" {
				r.failf("want each %s once, found the one of line %d again", what, first)
				continue
			}
			rows = append(rows, v)
		}
		buf = block[:cap(block)]
	}
	bad.merge(&r.bad)
	return rows, r.norms.message(br.path), nil
}

// uniqueness remembers where rows were.
type uniqueness[T any] struct {
	codec  *codec[T]
	rows   map[rowKey]int
	images map[string]int
}

// add notes a row. If it repeats another one, what they share and the place of
// the other are returned.
func (u *uniqueness[T]) add(v T, place int) (what string, first int) {
	key := u.codec.key(v)
	if first, ok := u.rows[key]; ok {
		return u.codec.unique, first
	}
	u.rows[key] = place
	if u.codec.image == nil {
		return "", 0
	}
	image := u.codec.image(v)
	if first, ok := u.images[image]; ok {
		return "image", first
	}
	u.images[image] = place
	return "", 0
}

func (c codec[T]) row(r *row) (v T, ok bool) {
	r.failed = false
	if n := len(r.fields); n < c.min || n > c.min && !c.open {
		atLeast := ""
		if c.open {
			atLeast = "at least "
		}
		r.fail("want %s%d fields (%s), found %d", atLeast, c.min, c.columns, n)
		return v, false
	}
	v = c.parse(r)
	return v, !r.failed
}

// write writes the whole table as kapture 1.1 text.
func (c codec[T]) write(out io.Writer, rows []T) error {
	w := newRowWriter(out, c.columns)
	for _, v := range rows {
		c.format(w, v)
		w.end()
	}
	return w.flush()
}

// rowWriter writes lines of fields. The first value that the format cannot
// hold, or the first error of the writer below, is kept and returned by flush.
type rowWriter struct {
	out  *bufio.Writer
	line []byte
	err  error
}

func newRowWriter(out io.Writer, columns string) *rowWriter {
	w := &rowWriter{out: bufio.NewWriter(out)}
	_, w.err = w.out.WriteString(versionPrefix + " 1.1\n# " + columns + "\n")
	return w
}

func (w *rowWriter) sep() {
	if len(w.line) > 0 {
		w.line = append(w.line, ", "...)
	}
}

// text writes a value, which must survive being read: no comma, no line break,
// no blank at its ends, and at the start of a line no # and not nothing.
func (w *rowWriter) text(s string) {
	first := len(w.line) == 0
	w.sep()
	w.line = append(w.line, s...)
	bad := strings.ContainsAny(s, ",\n") || len(trim([]byte(s))) != len(s)
	if first {
		bad = bad || s == "" || s[0] == '#'
	}
	if bad && w.err == nil {
		w.err = fmt.Errorf("want text that a kapture file can hold, found %s", quote(s))
	}
}

func (w *rowWriter) filePath(s string) {
	if why := badPath(s); why != "" && w.err == nil {
		w.err = fmt.Errorf("%s%s", wantPath, why)
	}
	w.text(s)
}

func (w *rowWriter) int(v int64) {
	w.sep()
	w.line = fmt.Appendf(w.line, "%d", v)
}

func (w *rowWriter) float(v float64) {
	w.sep()
	w.line = appendFloat(w.line, v)
}

func (w *rowWriter) finite(v float64) {
	if v-v != 0 && w.err == nil {
		w.err = fmt.Errorf("want a finite number, found %v", v)
	}
	w.float(v)
}

func (w *rowWriter) finite32(v float32) {
	if v-v != 0 && w.err == nil {
		w.err = fmt.Errorf("want a finite number, found %v", v)
	}
	w.sep()
	w.line = appendFloat32(w.line, v)
}

func (w *rowWriter) pose(p PartialPose) {
	q, norm, ok := unitQuaternion(p.R)
	if p.HasRotation && !ok && w.err == nil {
		w.err = fmt.Errorf("want a rotation, found a quaternion of norm %v", norm)
	}
	w.part(p.HasRotation, q.Real, q.Imag, q.Jmag, q.Kmag)
	w.part(p.HasTranslation, p.T.X, p.T.Y, p.T.Z)
}

func (w *rowWriter) part(has bool, values ...float64) {
	for _, v := range values {
		if has {
			w.finite(v)
		} else {
			w.sep()
		}
	}
}

// end ends the line.
func (w *rowWriter) end() {
	w.line = append(w.line, '\n')
	if w.err == nil {
		_, w.err = w.out.Write(w.line)
	}
	w.line = w.line[:0]
}

func (w *rowWriter) flush() error {
	if w.err != nil {
		return w.err
	}
	return w.out.Flush()
}
