package npy

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
)

// Writer writes a matrix, rows at a time. The file appears under its name when
// the last row is written and the writer closed, and not before.
type Writer[T Real] struct {
	pending *renameio.PendingFile
	out     *bufio.Writer
	left    int // values to come
	buf     []byte
}

// Create begins a file of a rows × cols matrix of T, little-endian, by rows.
func Create[T Real](path string, rows, cols int) (*Writer[T], error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, fmt.Errorf("write %s: is a directory", path)
	}
	pending, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)), renameio.WithPermissions(0o666))
	if err != nil {
		return nil, err
	}
	w := &Writer[T]{pending: pending, out: bufio.NewWriterSize(pending, chunk), left: rows * cols}
	descr := "<f8"
	if _, ok := any(T(0)).(float32); ok {
		descr = "<f4"
	}
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%d, %d), }", descr, rows, cols)
	const align = 64 // of the first value, as NumPy has it
	pad := align - (10+len(dict)+1)%align
	dict += strings.Repeat(" ", pad%align) + "\n"
	w.out.WriteString(magic + "\x01\x00") // a bufio.Writer keeps its error to the end
	w.out.Write(binary.LittleEndian.AppendUint16(nil, uint16(len(dict))))
	w.out.WriteString(dict)
	return w, nil
}

// Write appends values. It panics if they are more than the matrix has.
func (w *Writer[T]) Write(values []T) error {
	if w.left -= len(values); w.left < 0 {
		panic("npy: more values than the matrix has")
	}
	for part := range slices.Chunk(values, chunk/8) {
		bytes, err := binary.Append(w.buf[:0], binary.LittleEndian, part)
		if err != nil {
			return err
		}
		w.buf = bytes
		if _, err := w.out.Write(bytes); err != nil {
			return err
		}
	}
	return nil
}

// Close puts the file in its place if all values were written, and else leaves
// nothing; to close it again does nothing.
func (w *Writer[T]) Close() error {
	defer w.pending.Cleanup()
	if w.left > 0 {
		return fmt.Errorf("write %s: %d values are missing", w.pending.Name(), w.left)
	}
	if err := w.out.Flush(); err != nil {
		return err
	}
	return w.pending.CloseAtomicallyReplace()
}

// Abort removes what was written, unless the file is in its place already.
func (w *Writer[T]) Abort() { _ = w.pending.Cleanup() }

// Write writes a rows × cols matrix, whole or not at all.
func Write[T Real](path string, rows, cols int, data []T) error {
	if len(data) != rows*cols {
		panic("npy: data that does not fit the shape")
	}
	w, err := Create[T](path, rows, cols)
	if err != nil {
		return err
	}
	defer w.Abort()
	if err := w.Write(data); err != nil {
		return err
	}
	return w.Close()
}
