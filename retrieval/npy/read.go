package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/bits"
	"os"
	"slices"
	"strings"
	"unsafe"
)

// Real is a type that values are read into and written from.
type Real interface{ float32 | float64 }

// File is an open .npy file, a matrix on the disk. It is safe for concurrent use.
type File struct {
	path   string
	file   *os.File
	header *header
	rows   int
	cols   int
	size   int // bytes a value
	decode func([]byte) float64
	plain  bool // the values are float32 as this machine has them
}

// Open reads the header of a file and checks it against the file's size.
func Open(path string) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	f, err := newFile(path, file)
	if err != nil {
		file.Close() // nothing was written
		return nil, err
	}
	return f, nil
}

func newFile(path string, file *os.File) (*File, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &FormatError{path, 0, "want a file, found " + info.Mode().Type().String()}
	}
	h, err := readHeader(file, info.Size(), path)
	if err != nil {
		return nil, err
	}
	f := &File{path: path, file: file, header: h}
	if err := f.setType(); err != nil {
		return nil, err
	}
	return f, f.setShape(info.Size())
}

// setType finds how a value is read.
func (f *File) setType() error {
	descr := f.header.descr
	var order binary.ByteOrder = binary.LittleEndian
	kind := strings.TrimLeft(descr, "<>|=")
	if strings.HasPrefix(descr, ">") {
		order = binary.BigEndian
	}
	f.decode = decoder(kind, order)
	if f.decode == nil || len(descr)-len(kind) > 1 {
		return &FormatError{f.path, 10, fmt.Sprintf("want values of type float16, float32, float64 or an integer type, found %q", descr)}
	}
	f.size = int(kind[1] - '0')
	f.plain = kind == "f4" && order.Uint16([]byte{1, 0}) == binary.NativeEndian.Uint16([]byte{1, 0})
	return nil
}

// setShape checks that the values end where the file does.
func (f *File) setShape(size int64) error {
	shape := f.header.shape
	if f.header.fortran && len(shape) > 2 {
		return &FormatError{f.path, 10, fmt.Sprintf("want %d dimensions by rows, found fortran_order", len(shape))}
	}
	f.rows, f.cols = 1, 1
	if len(shape) > 0 {
		f.rows = shape[0]
	}
	total, fits := uint64(f.size), true
	times := func(n int) {
		high, low := bits.Mul64(total, uint64(n))
		total, fits = low, fits && high == 0 && low <= math.MaxInt64
	}
	for _, n := range shape[min(1, len(shape)):] {
		times(n)
		f.cols *= n
	}
	times(f.rows)
	found := size - f.header.data
	if !fits || int64(total) != found {
		return &FormatError{f.path, size, fmt.Sprintf("want %s, found %d bytes of values", f.describe(total, fits), found)}
	}
	return nil
}

func (f *File) describe(total uint64, fits bool) string {
	text := "a shape that a file can have"
	if fits {
		text = fmt.Sprintf("%d bytes", total)
	}
	return fmt.Sprintf("%s for the shape %s of %s", text, shapeText(f.header.shape), f.header.descr)
}

func shapeText(shape []int) string {
	parts := make([]string, len(shape))
	for i, n := range shape {
		parts[i] = fmt.Sprint(n)
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// decoder returns what reads a value of kind, NumPy's name without the byte
// order; nil for a type that is not read.
func decoder(kind string, order binary.ByteOrder) func([]byte) float64 {
	switch kind {
	case "f2":
		return func(b []byte) float64 { return half(order.Uint16(b)) }
	case "f4":
		return func(b []byte) float64 { return float64(math.Float32frombits(order.Uint32(b))) }
	case "f8":
		return func(b []byte) float64 { return math.Float64frombits(order.Uint64(b)) }
	case "i1":
		return func(b []byte) float64 { return float64(int8(b[0])) }
	case "i2":
		return func(b []byte) float64 { return float64(int16(order.Uint16(b))) }
	case "i4":
		return func(b []byte) float64 { return float64(int32(order.Uint32(b))) }
	case "i8":
		return func(b []byte) float64 { return float64(int64(order.Uint64(b))) }
	case "u1":
		return func(b []byte) float64 { return float64(b[0]) }
	case "u2":
		return func(b []byte) float64 { return float64(order.Uint16(b)) }
	case "u4":
		return func(b []byte) float64 { return float64(order.Uint32(b)) }
	case "u8":
		return func(b []byte) float64 { return float64(order.Uint64(b)) }
	}
	return nil
}

// half returns the value of a float16 (IEEE 754 binary16).
func half(h uint16) float64 {
	exponent, fraction := int(h>>10&31), float64(h&1023)
	var v float64
	switch exponent {
	case 0:
		v = math.Ldexp(fraction, -24)
	case 31:
		v = math.Inf(1)
		if fraction != 0 {
			return math.NaN()
		}
	default:
		v = math.Ldexp(1024+fraction, exponent-25)
	}
	if h>>15 == 1 {
		return -v
	}
	return v
}

// Path is the name that the file was opened by.
func (f *File) Path() string { return f.path }

// Shape returns the dimensions of the array.
func (f *File) Shape() []int { return slices.Clone(f.header.shape) }

// Rows is the first dimension; 1 for a single value.
func (f *File) Rows() int { return f.rows }

// Cols is the product of the other dimensions: the values of a row.
func (f *File) Cols() int { return f.cols }

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

// chunk bounds the bytes that are converted at a time.
const chunk = 1 << 18

// Read reads rows, from row from on, into dst: as many as it holds. Values are
// converted to T: float64 to the nearest float32, integers to the nearest
// float. It panics if the rows are not in the matrix or dst holds no whole
// number of them. A file that became shorter is a [*FormatError].
func Read[T Real](f *File, from int, dst []T) error {
	if len(dst) == 0 {
		return nil
	}
	n := len(dst) / f.cols
	if n*f.cols != len(dst) || from < 0 || n > f.rows-from {
		panic("npy: rows that are not in the matrix")
	}
	if !f.header.fortran {
		return values(f, int64(from)*int64(f.cols), dst)
	}
	column := make([]T, n)
	for j := range f.cols {
		if err := values(f, int64(j)*int64(f.rows)+int64(from), column); err != nil {
			return err
		}
		for i, v := range column {
			dst[i*f.cols+j] = v
		}
	}
	return nil
}

// values reads the values from the at-th one on, in the order of the file.
func values[T Real](f *File, at int64, dst []T) error {
	if same, ok := any(dst).([]float32); ok && f.plain {
		return f.readAt(at, unsafe.Slice((*byte)(unsafe.Pointer(&same[0])), 4*len(same)))
	}
	buf := make([]byte, min(chunk, len(dst)*f.size))
	for len(dst) > 0 {
		n := min(len(dst), chunk/f.size)
		if err := f.readAt(at, buf[:n*f.size]); err != nil {
			return err
		}
		for i := range dst[:n] {
			dst[i] = T(f.decode(buf[i*f.size:]))
		}
		at, dst = at+int64(n), dst[n:]
	}
	return nil
}

// readAt reads the bytes of values from the at-th one on.
func (f *File) readAt(at int64, buf []byte) error {
	offset := f.header.data + at*int64(f.size)
	n, err := f.file.ReadAt(buf, offset)
	switch {
	case n == len(buf):
		return nil
	case err == io.EOF:
		return &FormatError{f.path, offset + int64(n), fmt.Sprintf("want %d bytes more, found the end of the file", len(buf)-n)}
	}
	return fmt.Errorf("read %s: %w", f.path, err)
}

// ReadAll opens a file and reads all its values, row by row.
func ReadAll[T Real](path string) (rows, cols int, data []T, err error) {
	f, err := Open(path)
	if err != nil {
		return 0, 0, nil, err
	}
	defer f.Close()
	data = make([]T, f.rows*f.cols)
	return f.rows, f.cols, data, Read(f, 0, data)
}
