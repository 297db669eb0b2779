package colmap

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
	"gonum.org/v1/gonum/num/quat"
	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture"
	"locbench/kapture/geom"
)

// reader reads a binary file and remembers where it is and what went wrong first.
type reader struct {
	in   *bufio.Reader
	path string
	size int64 // of the file
	at   int64
	err  error
	buf  [8]byte
}

func openBinary(path string) (*reader, io.Closer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return &reader{in: bufio.NewReaderSize(f, 1<<20), path: path, size: info.Size()}, f, nil
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = &kapture.InputError{Path: r.path, Byte: r.at, HasByte: true, Msg: fmt.Sprintf(format, args...)}
	}
}

// bytes returns the next n ≤ 8 bytes; zeros after an error.
func (r *reader) bytes(n int, what string) []byte {
	b := r.buf[:n]
	if r.err == nil {
		if _, err := io.ReadFull(r.in, b); err != nil {
			r.fail("want %s, found the end of the file", what)
		}
		r.at += int64(n)
	}
	if r.err != nil {
		clear(b)
	}
	return b
}

func (r *reader) u8(what string) uint8   { return r.bytes(1, what)[0] }
func (r *reader) u32(what string) uint32 { return binary.LittleEndian.Uint32(r.bytes(4, what)) }
func (r *reader) u64(what string) uint64 { return binary.LittleEndian.Uint64(r.bytes(8, what)) }
func (r *reader) f64(what string) float64 {
	return math.Float64frombits(r.u64(what))
}

// count reads how many things of at least least bytes follow, which must fit into
// the rest of the file.
func (r *reader) count(least int64, what string) int {
	n := r.u64("the number of " + what)
	if rest := r.size - r.at; r.err == nil && n > uint64(max(rest, 0)/least) {
		r.fail("want at most %d %s in the %d bytes that are left, found %d", rest/least, what, rest, n)
	}
	if r.err != nil {
		return 0
	}
	return int(n)
}

// text reads up to a zero byte.
func (r *reader) text(what string) string {
	var out []byte
	for r.err == nil {
		b := r.u8(what)
		if b == 0 {
			break
		}
		if out = append(out, b); len(out) > 1<<16 {
			r.fail("want %s that ends with a zero byte, found none in %d bytes", what, len(out))
		}
	}
	return string(out)
}

// end reports what is wrong, or what is left over.
func (r *reader) end() error {
	if r.err == nil && r.at != r.size {
		r.fail("want the end of the file, found %d bytes more", r.size-r.at)
	}
	return r.err
}

func (m *Model) readBinary(dir string) error {
	for part, read := range map[string]func(*reader){"cameras": m.binaryCameras, "images": m.binaryImages, "points3D": m.binaryPoints} {
		r, closer, err := openBinary(file(dir, part, Binary))
		if err != nil {
			return err
		}
		read(r)
		if err := errors.Join(r.end(), closer.Close()); err != nil {
			return err
		}
	}
	return nil
}

func (m *Model) binaryCameras(r *reader) {
	n := r.count(24, "cameras")
	for range n {
		c := Camera{ID: r.u32("a camera's id")}
		model := r.u32("a camera's model")
		c.Width, c.Height = r.u64("a width"), r.u64("a height")
		if r.err == nil && int(model) >= len(modelNames) {
			r.fail("want a camera model from 0 to %d, found %d", len(modelNames)-1, int32(model))
		}
		if r.err != nil {
			return
		}
		c.Model = modelNames[model].name
		for range modelNames[model].params {
			c.Params = append(c.Params, r.f64("a camera's parameters"))
		}
		m.Cameras = append(m.Cameras, c)
	}
}

func (m *Model) binaryImages(r *reader) {
	n := r.count(73, "images")
	m.Images = make([]Image, 0, n)
	for range n {
		im := Image{ID: r.u32("an image's id")}
		var v [7]float64
		for i := range v {
			v[i] = r.f64("an image's pose")
		}
		im.Camera = r.u32("an image's camera")
		im.Name = r.text("an image's name")
		if msg := im.place(v, im.Name); r.err == nil && msg != "" {
			r.fail("%s", msg)
		}
		k := r.count(24, "keypoints")
		im.Keypoints = make([]Keypoint, k)
		for i := range im.Keypoints {
			im.Keypoints[i] = Keypoint{X: r.f64("a keypoint"), Y: r.f64("a keypoint"), Point: r.u64("a keypoint's point")}
		}
		if r.err != nil {
			return
		}
		m.Images = append(m.Images, im)
	}
}

// place sets name and pose; it says what is wrong with them.
func (im *Image) place(v [7]float64, name string) string {
	if err := kapture.CheckPath(name); err != nil {
		return fmt.Sprintf("image %d: %v", im.ID, err)
	}
	im.Name = name
	for _, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Sprintf("image %d: want a finite pose, found %v", im.ID, v)
		}
	}
	im.Pose = geom.Pose{R: quat.Number{Real: v[0], Imag: v[1], Jmag: v[2], Kmag: v[3]}, T: r3.Vec{X: v[4], Y: v[5], Z: v[6]}}
	q, norm := geom.Normalize(im.Pose.R)
	if norm == 0 {
		return fmt.Sprintf("image %d: want a rotation, found the quaternion %v", im.ID, v[:4])
	}
	if math.Abs(norm-1) > 1e-12 { // else the last digits stay as they are
		im.Pose.R = q
	}
	return ""
}

func (m *Model) binaryPoints(r *reader) {
	n := r.count(51, "points")
	m.Points = make([]Point, 0, n)
	for range n {
		p := Point{ID: r.u64("a point's id")}
		p.XYZ = r3.Vec{X: r.f64("a point"), Y: r.f64("a point"), Z: r.f64("a point")}
		p.RGB = [3]uint8{r.u8("a colour"), r.u8("a colour"), r.u8("a colour")}
		p.Error = r.f64("an error")
		k := r.count(8, "views of a point")
		p.Track = make([]Observation, k)
		for i := range p.Track {
			p.Track[i] = Observation{r.u32("a view"), r.u32("a view")}
		}
		if r.err == nil && !(math.Abs(p.XYZ.X)+math.Abs(p.XYZ.Y)+math.Abs(p.XYZ.Z) <= math.MaxFloat64) {
			r.fail("want a finite point %d, found %v", p.ID, p.XYZ)
		}
		if r.err != nil {
			return
		}
		m.Points = append(m.Points, p)
	}
}

func (m *Model) writeBinary(dir string) error {
	return writeAll(dir, Binary, map[string]func(*bufio.Writer){"cameras": func(w *bufio.Writer) {
		put(w, uint64(len(m.Cameras)))
		for _, c := range m.Cameras {
			put(w, c.ID, modelNumber(c.Model), c.Width, c.Height, c.Params)
		}
	}, "images": func(w *bufio.Writer) {
		put(w, uint64(len(m.Images)))
		for i := range m.Images {
			im := &m.Images[i]
			p := im.Pose
			put(w, im.ID, [7]float64{p.R.Real, p.R.Imag, p.R.Jmag, p.R.Kmag, p.T.X, p.T.Y, p.T.Z}, im.Camera)
			w.WriteString(im.Name)
			w.WriteByte(0)
			put(w, uint64(len(im.Keypoints)))
			for _, k := range im.Keypoints { // the bulk of a model: not by reflection
				var b [24]byte
				binary.LittleEndian.PutUint64(b[:], math.Float64bits(k.X))
				binary.LittleEndian.PutUint64(b[8:], math.Float64bits(k.Y))
				binary.LittleEndian.PutUint64(b[16:], k.Point)
				w.Write(b[:])
			}
		}
	}, "points3D": func(w *bufio.Writer) {
		put(w, uint64(len(m.Points)))
		for i := range m.Points {
			p := &m.Points[i]
			put(w, p.ID, p.XYZ, p.RGB, p.Error, uint64(len(p.Track)), p.Track)
		}
	}})
}

// put writes values little-endian; the writer keeps the first error.
func put(w *bufio.Writer, values ...any) {
	for _, v := range values {
		_ = binary.Write(w, binary.LittleEndian, v) // Flush returns it
	}
}

// writeAll writes the files of a model, each whole or not at all.
func writeAll(dir string, form Form, write map[string]func(*bufio.Writer)) error {
	for _, part := range parts {
		path := file(dir, part, form)
		out, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)), renameio.WithPermissions(0o644))
		if err != nil {
			return fmt.Errorf("write COLMAP model: %w", err)
		}
		w := bufio.NewWriterSize(out, 1<<20)
		write[part](w)
		if err = w.Flush(); err == nil {
			err = out.CloseAtomicallyReplace()
		}
		if err != nil {
			return fmt.Errorf("write COLMAP model: %w", errors.Join(err, out.Cleanup()))
		}
	}
	return nil
}
