package pickle

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Error says where a pickle cannot be read.
type Error struct {
	Byte int64 // offset of the operation in the file
	Msg  string
}

func (e *Error) Error() string { return fmt.Sprintf("byte %d: %s", e.Byte, e.Msg) }

// Options say what a pickle may hold besides plain data.
type Options struct {
	// Allow says whether a global may occur; nil allows none.
	Allow func(module, name string) bool
	// Persistent returns the value that stands for a persistent id; nil
	// refuses them.
	Persistent func(id any) (any, error)
}

// Read returns the value of the pickle that data starts with; what follows it
// is ignored. Besides the values of the language itself these globals are always
// understood, as data: set, frozenset, bytes, bytearray, complex, object, list,
// dict, collections.OrderedDict and defaultdict, _codecs.encode and
// copyreg._reconstructor. Errors are of type *[Error].
func Read(data []byte, o Options) (any, error) {
	return NewDecoder(bytes.NewReader(data), int64(len(data)), o).Decode()
}

// Decoder reads pickles that follow each other in a file.
type Decoder struct {
	options Options
	in      *bufio.Reader
	pos     int64 // of the next byte
	size    int64
	at      int64 // of the operation in hand
	copies  int64 // bytes that calls may still copy out of other values

	stack []any
	marks []int // heights of the stack
	memo  map[uint64]any
	done  bool
}

// NewDecoder returns a decoder of the pickles at the start of a file of the
// given size. The file is read no further than they need, but for a buffer.
func NewDecoder(r io.ReaderAt, size int64, o Options) *Decoder {
	return &Decoder{options: o, in: bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 1<<16), size: size, copies: size}
}

// Offset returns where the next pickle, or what follows the last one, starts.
func (d *Decoder) Offset() int64 { return d.pos }

// Decode reads the next pickle. Errors are of type *[Error].
func (d *Decoder) Decode() (any, error) {
	d.stack, d.marks, d.memo, d.done = nil, nil, map[uint64]any{}, false
	for !d.done {
		d.at = d.pos
		if err := d.step(); err != nil {
			return nil, d.located(err)
		}
	}
	v, err := d.pop()
	d.stack, d.marks, d.memo = nil, nil, nil
	if err != nil {
		return nil, d.located(err)
	}
	return v, nil
}

// located gives an error the place of the operation in hand.
func (d *Decoder) located(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Byte: d.at, Msg: err.Error()}
}

// step runs one operation.
func (d *Decoder) step() error {
	op, err := d.byte()
	if err != nil {
		return errors.New("want another operation, found the end of the file")
	}
	ok, err := d.numbers(op)
	if !ok {
		ok, err = d.strings(op)
	}
	if !ok {
		ok, err = d.containers(op)
	}
	if !ok {
		ok, err = d.handling(op)
	}
	if !ok {
		ok, err = d.objects(op)
	}
	if !ok {
		return fmt.Errorf("want an operation of a pickle, found byte 0x%02x", op)
	}
	return err
}

func (d *Decoder) push(v any) { d.stack = append(d.stack, v) }

func (d *Decoder) pushed(v any, err error) (bool, error) {
	if err == nil {
		d.push(v)
	}
	return true, err
}

// floor is the height below which the stack belongs to an outer mark.
func (d *Decoder) floor() int {
	if len(d.marks) == 0 {
		return 0
	}
	return d.marks[len(d.marks)-1]
}

var errEmpty = errors.New("want a value on the stack, found none")

func (d *Decoder) pop() (any, error) {
	v, err := d.top()
	if err == nil {
		d.stack = d.stack[:len(d.stack)-1]
	}
	return v, err
}

func (d *Decoder) top() (any, error) {
	if len(d.stack) <= d.floor() {
		return nil, errEmpty
	}
	return d.stack[len(d.stack)-1], nil
}

// popN removes the topmost n values and returns a copy of them.
func (d *Decoder) popN(n int) ([]any, error) {
	if len(d.stack)-d.floor() < n {
		return nil, errEmpty
	}
	items := append([]any(nil), d.stack[len(d.stack)-n:]...)
	d.stack = d.stack[:len(d.stack)-n]
	return items, nil
}

// popMark removes the values above the last mark, and the mark.
func (d *Decoder) popMark() ([]any, error) {
	if len(d.marks) == 0 {
		return nil, errors.New("want a mark on the stack, found none")
	}
	items, err := d.popN(len(d.stack) - d.floor())
	d.marks = d.marks[:len(d.marks)-1]
	return items, err
}

// popAs removes a value of the type T.
func popAs[T any](d *Decoder) (T, error) {
	var zero T
	v, err := d.pop()
	if err != nil {
		return zero, err
	}
	t, ok := v.(T)
	if !ok {
		return zero, fmt.Errorf("want a %s, found a %s", kind(any(zero)), kind(v))
	}
	return t, nil
}

func (d *Decoder) byte() (byte, error) {
	if d.pos >= d.size {
		return 0, io.ErrUnexpectedEOF
	}
	b, err := d.in.ReadByte()
	if err == nil {
		d.pos++
	}
	return b, err
}

// bytes reads n bytes, which the data claims to follow.
func (d *Decoder) bytes(n uint64) ([]byte, error) {
	if left := d.size - d.pos; n > uint64(left) {
		return nil, fmt.Errorf("want %d bytes, found the end of the file after %d", n, left)
	}
	b := make([]byte, n)
	m, err := io.ReadFull(d.in, b)
	d.pos += int64(m)
	return b, err
}

// line reads up to a newline, which is left out.
func (d *Decoder) line() (string, error) {
	b, err := d.in.ReadBytes('\n')
	d.pos += int64(len(b))
	if err != nil {
		return "", errors.New("want the end of a line, found the end of the file")
	}
	return string(b[:len(b)-1]), nil
}

// spend accounts for n bytes that a call copies out of a value. Python writes
// such a value for every call, so that the copies are no larger than the file;
// a crafted pickle could have the same value copied every few bytes.
func (d *Decoder) spend(n int) error {
	d.copies -= int64(n)
	if d.copies < 0 {
		return errors.New("want a value for each call, found more copies of the same one than the file is long")
	}
	return nil
}

// width is the size of the number behind an operation: a value or a length.
func width(op byte) int {
	switch op {
	case 'K', 'U', 'C', 'q', 'h', 0x8a, 0x8c:
		return 1
	case 'M':
		return 2
	case 0x8d, 0x8e, 0x96, 0x95:
		return 8
	}
	return 4
}

// uint reads a little-endian integer of n bytes.
func (d *Decoder) uint(n int) (uint64, error) {
	var v uint64
	for i := range n {
		b, err := d.byte()
		if err != nil {
			return 0, errors.New("want an integer, found the end of the file")
		}
		v |= uint64(b) << (8 * i)
	}
	return v, nil
}

// block reads bytes behind their length, an integer of n bytes.
func (d *Decoder) block(n int) ([]byte, error) {
	length, err := d.uint(n)
	if err != nil {
		return nil, err
	}
	return d.bytes(length)
}
