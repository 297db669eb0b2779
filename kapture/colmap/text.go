package colmap

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture"
)

// lines reads a text file, of which the first fault counts.
type lines struct {
	in     *bufio.Reader
	path   string
	line   int
	fields []string
	err    error
}

func (l *lines) fail(format string, args ...any) {
	if l.err == nil {
		l.err = &kapture.InputError{Path: l.path, Line: l.line, Msg: fmt.Sprintf(format, args...)}
	}
}

// read returns the next line without its end, "" and false at the end.
func (l *lines) read() (string, bool) {
	if l.err != nil {
		return "", false
	}
	text, err := l.in.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		l.err = err
		return "", false
	}
	if text == "" {
		return "", false
	}
	l.line++
	return strings.TrimRight(text, "\r\n"), true
}

// next goes to the next line that is neither empty nor a comment.
func (l *lines) next() bool {
	for {
		text, ok := l.read()
		if !ok {
			return false
		}
		if text = strings.TrimSpace(text); text != "" && text[0] != '#' {
			l.fields = strings.Fields(text)
			return true
		}
	}
}

// floats parses fields from i on, n of them; n < 0: all.
func (l *lines) floats(i, n int) []float64 {
	if n < 0 {
		n = len(l.fields) - i
	}
	out := make([]float64, 0, max(n, 0))
	for k := range n {
		v, err := strconv.ParseFloat(l.fields[i+k], 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			l.fail("want a finite number as field %d, found %q", i+k+1, l.fields[i+k])
		}
		out = append(out, v)
	}
	return out
}

func (l *lines) uint(i, bits int) uint64 {
	v, err := strconv.ParseUint(l.fields[i], 10, bits)
	if err != nil {
		l.fail("want a whole number from 0 up as field %d, found %q", i+1, l.fields[i])
	}
	return v
}

// want reports whether there are as many fields.
func (l *lines) want(least int, what string) bool {
	if len(l.fields) < least {
		l.fail("want %s, found %d fields", what, len(l.fields))
	}
	return l.err == nil
}

func (m *Model) readText(dir string) error {
	for _, part := range parts {
		path := file(dir, part, Text)
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		l := &lines{in: bufio.NewReaderSize(f, 1<<20), path: path}
		switch part {
		case "cameras":
			m.textCameras(l)
		case "images":
			m.textImages(l)
		default:
			m.textPoints(l)
		}
		if err := errors.Join(l.err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

func (m *Model) textCameras(l *lines) {
	for l.next() && l.want(5, "CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]") {
		m.Cameras = append(m.Cameras, Camera{ID: uint32(l.uint(0, 32)), Model: l.fields[1], Width: l.uint(2, 64), Height: l.uint(3, 64), Params: l.floats(4, -1)})
	}
}

// textImages reads two lines an image; the second one, the keypoints, may be
// empty. A name may have blanks in it.
func (m *Model) textImages(l *lines) {
	const head = "IMAGE_ID, QW, QX, QY, QZ, TX, TY, TZ, CAMERA_ID, NAME"
	for {
		text, ok := l.read()
		if !ok {
			return
		}
		if text = strings.TrimSpace(text); text == "" || text[0] == '#' {
			continue
		}
		rest := text
		l.fields = l.fields[:0]
		for len(l.fields) < 9 && rest != "" {
			field, more, _ := strings.Cut(rest, " ")
			l.fields, rest = append(l.fields, field), strings.TrimLeft(more, " ")
		}
		if len(l.fields) < 9 || rest == "" {
			l.fail("want %s, found %d fields", head, len(l.fields))
			return
		}
		im := Image{ID: uint32(l.uint(0, 32)), Camera: uint32(l.uint(8, 32))}
		if msg := im.place([7]float64(l.floats(1, 7)), rest); msg != "" {
			l.fail("%s", msg)
		}
		points, _ := l.read()
		l.fields = strings.Fields(points)
		if len(l.fields)%3 != 0 {
			l.fail("want three numbers a keypoint of image %d, found %d fields", im.ID, len(l.fields))
		}
		if l.err != nil {
			return
		}
		im.Keypoints = make([]Keypoint, 0, len(l.fields)/3)
		for i := 0; i < len(l.fields); i += 3 {
			xy := l.floats(i, 2)
			k := Keypoint{X: xy[0], Y: xy[1], Point: NoPoint}
			if l.fields[i+2] != "-1" {
				k.Point = l.uint(i+2, 64)
			}
			im.Keypoints = append(im.Keypoints, k)
		}
		m.Images = append(m.Images, im)
	}
}

func (m *Model) textPoints(l *lines) {
	for l.next() && l.want(8, "POINT3D_ID, X, Y, Z, R, G, B, ERROR, TRACK[]") {
		if len(l.fields)%2 != 0 {
			l.fail("want two numbers a view of a point, found %d fields", len(l.fields))
			return
		}
		x := l.floats(1, 3)
		p := Point{ID: l.uint(0, 64), XYZ: r3.Vec{X: x[0], Y: x[1], Z: x[2]}, Error: l.floats(7, 1)[0],
			RGB: [3]uint8{uint8(l.uint(4, 8)), uint8(l.uint(5, 8)), uint8(l.uint(6, 8))}}
		for i := 8; i < len(l.fields); i += 2 {
			p.Track = append(p.Track, Observation{uint32(l.uint(i, 32)), uint32(l.uint(i+1, 32))})
		}
		m.Points = append(m.Points, p)
	}
}

// number writes a float as COLMAP does: 17 significant digits at most.
func number(v float64) string { return strconv.FormatFloat(v, 'g', 17, 64) }

func (m *Model) writeText(dir string) error {
	return writeAll(dir, Text, map[string]func(*bufio.Writer){"cameras": m.printCameras, "images": m.printImages, "points3D": m.printPoints})
}

func (m *Model) printCameras(w *bufio.Writer) {
	fmt.Fprintf(w, "# Camera list with one line of data per camera:\n#   CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]\n# Number of cameras: %d\n", len(m.Cameras))
	for _, c := range m.Cameras {
		fmt.Fprintf(w, "%d %s %d %d", c.ID, c.Model, c.Width, c.Height)
		for _, p := range c.Params {
			w.WriteString(" " + number(p))
		}
		w.WriteByte('\n')
	}
}

func (m *Model) printImages(w *bufio.Writer) {
	fmt.Fprintf(w, "# Image list with two lines of data per image:\n#   IMAGE_ID, QW, QX, QY, QZ, TX, TY, TZ, CAMERA_ID, NAME\n#   POINTS2D[] as (X, Y, POINT3D_ID)\n# Number of images: %d, mean observations per image: %s\n",
		len(m.Images), number(mean(m.views(), len(m.Images))))
	for i := range m.Images {
		im := &m.Images[i]
		fmt.Fprint(w, im.ID)
		p := im.Pose
		for _, v := range [7]float64{p.R.Real, p.R.Imag, p.R.Jmag, p.R.Kmag, p.T.X, p.T.Y, p.T.Z} {
			w.WriteString(" " + number(v))
		}
		fmt.Fprintf(w, " %d %s\n", im.Camera, im.Name)
		for j, k := range im.Keypoints {
			if j > 0 {
				w.WriteByte(' ')
			}
			point := "-1"
			if k.Point != NoPoint {
				point = strconv.FormatUint(k.Point, 10)
			}
			w.WriteString(number(k.X) + " " + number(k.Y) + " " + point)
		}
		w.WriteByte('\n')
	}
}

func (m *Model) printPoints(w *bufio.Writer) {
	fmt.Fprintf(w, "# 3D point list with one line of data per point:\n#   POINT3D_ID, X, Y, Z, R, G, B, ERROR, TRACK[] as (IMAGE_ID, POINT2D_IDX)\n# Number of points: %d, mean track length: %s\n",
		len(m.Points), number(mean(m.views(), len(m.Points))))
	for i := range m.Points {
		p := &m.Points[i]
		fmt.Fprintf(w, "%d %s %s %s %d %d %d %s", p.ID, number(p.XYZ.X), number(p.XYZ.Y), number(p.XYZ.Z), p.RGB[0], p.RGB[1], p.RGB[2], number(p.Error))
		for _, o := range p.Track {
			fmt.Fprintf(w, " %d %d", o.Image, o.Keypoint)
		}
		w.WriteByte('\n')
	}
}

// views counts the views of all points.
func (m *Model) views() int {
	n := 0
	for i := range m.Points {
		n += len(m.Points[i].Track)
	}
	return n
}

func mean(sum, n int) float64 { return float64(sum) / float64(max(n, 1)) }
