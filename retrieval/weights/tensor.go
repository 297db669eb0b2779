package weights

import (
	"errors"
	"io"
	"math"
)

// Tensor is an array in a checkpoint. Its values stay in the file until they
// are read; reading is safe for concurrent use.
type Tensor struct {
	Name  string
	Shape []int // none: a single number
	DType DType

	values *storage
	offset int64   // of the first element
	stride []int64 // in elements, by dimension
}

// storage is a run of elements that tensors may share.
type storage struct {
	path  string
	dtype DType
	count int64 // elements
	shift int64 // elements before the first one, for a view of another storage
	blob  blob
}

// blob is bytes somewhere.
type blob interface {
	// open returns a reader of n bytes from off, which may go on behind them.
	open(off, n int64) (io.ReadCloser, error)
	// place is where the bytes are in the file, or -1.
	place() int64
}

// NewTensor makes a tensor of values in row-major order, which it keeps.
func NewTensor(name string, shape []int, values []float32) *Tensor {
	n := int64(len(values))
	t := &Tensor{Name: name, Shape: shape, DType: Float32, values: &storage{path: "memory", dtype: Float32, count: n, blob: floats(values)}}
	t.stride = rowMajor(shape)
	if t.elements() != n {
		panic("weights: number of values against the shape")
	}
	return t
}

// maxDims is PyTorch's own limit.
const maxDims = 64

// newTensor makes a tensor of what a file says, or says what is wrong.
func newTensor(values *storage, offset int64, shape []int, stride []int64) (*Tensor, error) {
	t := &Tensor{Shape: shape, DType: values.dtype, values: values, offset: offset, stride: stride}
	if len(shape) != len(stride) || len(shape) > maxDims || offset < 0 {
		return nil, errors.New("want a stride for each of at most 64 dimensions, and an offset")
	}
	count := int64(1)
	for i, n := range shape {
		if n < 0 || stride[i] < 0 || n > 0 && (count > math.MaxInt32*1024/int64(n) || stride[i] > math.MaxInt64/1024/int64(n)) {
			return nil, errors.New("want sizes and strides of a tensor that fits into the memory")
		}
		count *= int64(n)
	}
	if count > 0 && (offset >= values.count || t.last() >= values.count) {
		return nil, errors.New("want a tensor inside its storage, found one that goes beyond")
	}
	return t, nil
}

func rowMajor(shape []int) []int64 {
	stride, step := make([]int64, len(shape)), int64(1)
	for i := len(shape) - 1; i >= 0; i-- {
		stride[i] = step
		step *= int64(shape[i])
	}
	return stride
}

func (t *Tensor) elements() int64 {
	n := int64(1)
	for _, size := range t.Shape {
		n *= int64(size)
	}
	return n
}

// bytes is what the tensor takes in row-major order.
func (t *Tensor) bytes() int64 { return t.elements() * int64(t.DType.Size()) }

// last is the highest index into the storage.
func (t *Tensor) last() int64 {
	at := t.offset
	for i, n := range t.Shape {
		at += int64(n-1) * t.stride[i]
	}
	return at
}

// contiguous says whether the elements lie in the storage in row-major order
// without gaps.
func (t *Tensor) contiguous() bool {
	step := int64(1)
	for i := len(t.Shape) - 1; i >= 0; i-- {
		if t.Shape[i] != 1 && t.stride[i] != step {
			return false
		}
		step *= int64(t.Shape[i])
	}
	return true
}

// Len returns the number of elements.
func (t *Tensor) Len() int { return int(t.elements()) }

// Float32 returns the values in row-major order. Wider types are rounded.
func (t *Tensor) Float32() ([]float32, error) {
	out := make([]float32, 0, t.elements())
	err := t.stream(func(b []byte) error {
		out = appendFloat32(out, b, t.DType)
		return nil
	})
	return out, err
}

// Float64 returns the values in row-major order. Integers beyond 2^53 are
// rounded.
func (t *Tensor) Float64() ([]float64, error) {
	out := make([]float64, 0, t.elements())
	err := t.stream(func(b []byte) error {
		out = appendFloat64(out, b, t.DType)
		return nil
	})
	return out, err
}

// chunk is how many bytes are decoded at a time, a multiple of every element's.
const chunk = 1 << 16

// stream passes the elements on in row-major order, little-endian, some whole
// elements at a time.
func (t *Tensor) stream(emit func([]byte) error) error {
	if t.elements() == 0 {
		return nil
	}
	read := t.gather
	if t.contiguous() {
		read = func(emit func([]byte) error) error { return t.chunks(t.elements(), make([]byte, chunk), emit) }
	}
	err := read(emit)
	if err == nil {
		return nil
	}
	return badAt(t.values.path, t.values.blob.place(), "tensor %s: %v", clip(t.Name), err)
}

// chunks passes on n elements of the storage from the tensor's first, through
// the buffer.
func (t *Tensor) chunks(n int64, buf []byte, emit func([]byte) error) error {
	size := int64(t.DType.Size())
	left := n * size
	r, err := t.values.blob.open((t.values.shift+t.offset)*size, left)
	if err != nil {
		return err
	}
	defer r.Close()
	for left > 0 {
		part := buf[:min(int64(len(buf)), left)]
		if _, err := io.ReadFull(r, part); err != nil {
			return err
		}
		if err := emit(part); err != nil {
			return err
		}
		left -= int64(len(part))
	}
	// At its end a packed entry knows whether its checksum is right.
	if _, err := r.Read(make([]byte, 1)); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// gather passes on the elements of a tensor that lies otherwise in its storage:
// transposed, a slice, or one element many times.
func (t *Tensor) gather(emit func([]byte) error) error {
	size, span := int64(t.DType.Size()), t.last()-t.offset+1
	held := make([]byte, span*size)
	if err := t.chunks(span, held, func([]byte) error { return nil }); err != nil {
		return err
	}
	out, index, at := make([]byte, 0, chunk), make([]int, len(t.Shape)), int64(0)
	for more := true; more; {
		out = append(out, held[at*size:(at+1)*size]...)
		at, more = t.next(index, at)
		if len(out) == chunk || !more {
			if err := emit(out); err != nil {
				return err
			}
			out = out[:0]
		}
	}
	return nil
}

// next moves an index on in row-major order, and the place in the storage with
// it.
func (t *Tensor) next(index []int, at int64) (int64, bool) {
	for k := len(index) - 1; k >= 0; k-- {
		index[k]++
		at += t.stride[k]
		if index[k] < t.Shape[k] {
			return at, true
		}
		at -= int64(t.Shape[k]) * t.stride[k]
		index[k] = 0
	}
	return at, false
}
