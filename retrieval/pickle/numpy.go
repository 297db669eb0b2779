package pickle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Numpy is an allow-list for numpy's arrays, scalars and dtypes, for
// Options.Allow.
func Numpy(module, name string) bool {
	switch module {
	case "numpy":
		return name == "ndarray" || name == "dtype"
	case "numpy.core.multiarray", "numpy._core.multiarray":
		return name == "_reconstruct" || name == "scalar"
	case "numpy.core.numeric", "numpy._core.numeric":
		return name == "_frombuffer"
	}
	return false
}

// Array is a numpy array of numbers, or a numpy scalar (no Shape).
type Array struct {
	Shape   []int
	Type    string // numpy's name of the element type: "f8", "f4", "i8", "u1", "b1"…
	fortran bool
	order   binary.ByteOrder
	data    string
	width   int
}

// Len returns the number of elements.
func (a *Array) Len() int { return len(a.data) / a.width }

// maxArrayDims is numpy's own limit.
const maxArrayDims = 32

// AsArray reads a value as a numpy array or scalar.
func AsArray(v any) (*Array, error) {
	o, ok := v.(*Object)
	if !ok {
		return nil, fmt.Errorf("want a numpy array, found a %s", kind(v))
	}
	module := strings.Replace(o.Class.Module, "numpy._core", "numpy.core", 1)
	switch (Global{module, o.Class.Name}) {
	case Global{"numpy.core.multiarray", "_reconstruct"}: // state: version, shape, dtype, Fortran order, data
		state, ok := o.State.(Tuple)
		if ok && len(state) == 5 {
			fortran, _ := state[3].(bool)
			return newArray(state[1], state[2], fortran, state[4])
		}
	case Global{"numpy.core.multiarray", "scalar"}: // dtype, data
		if len(o.Args) == 2 {
			return newArray(Tuple{}, o.Args[0], false, o.Args[1])
		}
	case Global{"numpy.core.numeric", "_frombuffer"}: // data, dtype, shape, order
		if len(o.Args) == 4 {
			return newArray(o.Args[2], o.Args[1], o.Args[3] == "F", o.Args[0])
		}
	}
	return nil, fmt.Errorf("want a numpy array, found a %s", kind(v))
}

func newArray(shape, dtype any, fortran bool, data any) (*Array, error) {
	a := &Array{fortran: fortran}
	if err := a.setType(dtype); err != nil {
		return nil, err
	}
	dims, ok := sequence(shape)
	if !ok || len(dims) > maxArrayDims {
		return nil, errors.New("want the shape of an array as a tuple")
	}
	count := int64(1)
	for _, v := range dims {
		n, ok := v.(int64)
		if !ok || n < 0 || n > math.MaxInt32 || n > 0 && count > math.MaxInt64/n {
			return nil, fmt.Errorf("want a size of an array, found %v", v)
		}
		count *= n
		a.Shape = append(a.Shape, int(n))
	}
	switch data := data.(type) {
	case Bytes:
		a.data = string(data)
	case string: // a str of Python 2
		a.data = data
	default:
		return nil, fmt.Errorf("want the data of an array as bytes, found a %s", kind(data))
	}
	if count > int64(len(a.data)) || int(count)*a.width != len(a.data) {
		return nil, fmt.Errorf("want %d elements of %d bytes for an array of shape %v, found %d bytes", count, a.width, a.Shape, len(a.data))
	}
	return a, nil
}

// setType reads a dtype: dtype('f8', …) with the state (3, '<', …).
func (a *Array) setType(dtype any) error {
	o, ok := dtype.(*Object)
	if !ok || o.Class != (Global{"numpy", "dtype"}) || len(o.Args) == 0 {
		return fmt.Errorf("want a numpy dtype, found a %s", kind(dtype))
	}
	name, _ := text(o.Args[0])
	order := ""
	if state, ok := o.State.(Tuple); ok && len(state) > 1 {
		order, _ = text(state[1])
	}
	a.Type = strings.TrimLeft(name, "<>|=")
	if len(a.Type) < 2 || !strings.Contains("fiub", a.Type[:1]) {
		return fmt.Errorf("want an array of numbers, found dtype %q", clip(name))
	}
	a.width, _ = strconv.Atoi(a.Type[1:])
	if a.decoder() == nil {
		return fmt.Errorf("want an array of numbers of up to 8 bytes, found dtype %q", clip(name))
	}
	a.order = binary.LittleEndian
	if order == ">" || strings.HasPrefix(name, ">") {
		a.order = binary.BigEndian
	}
	return nil
}

// text returns a str, or bytes that stand for one.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case Bytes:
		return string(v), true
	}
	return "", false
}

// decoder returns how an element is read; nil for a type that is not known.
func (a *Array) decoder() func(b []byte) float64 {
	switch a.Type {
	case "f8":
		return func(b []byte) float64 { return math.Float64frombits(a.order.Uint64(b)) }
	case "f4":
		return func(b []byte) float64 { return float64(math.Float32frombits(a.order.Uint32(b))) }
	case "i8":
		return func(b []byte) float64 { return float64(int64(a.order.Uint64(b))) }
	case "i4":
		return func(b []byte) float64 { return float64(int32(a.order.Uint32(b))) }
	case "i2":
		return func(b []byte) float64 { return float64(int16(a.order.Uint16(b))) }
	case "i1":
		return func(b []byte) float64 { return float64(int8(b[0])) }
	case "u8":
		return func(b []byte) float64 { return float64(a.order.Uint64(b)) }
	case "u4":
		return func(b []byte) float64 { return float64(a.order.Uint32(b)) }
	case "u2":
		return func(b []byte) float64 { return float64(a.order.Uint16(b)) }
	case "u1", "b1":
		return func(b []byte) float64 { return float64(b[0]) }
	}
	return nil
}

// Float64s returns the elements in row-major order. Integers beyond 2^53 are
// rounded.
func (a *Array) Float64s() []float64 {
	get, out := a.decoder(), make([]float64, a.Len())
	var b [8]byte
	for i := range out {
		copy(b[:], a.data[a.source(i)*a.width:][:a.width])
		out[i] = get(b[:a.width])
	}
	return out
}

// source returns where in the data the element is that comes i-th in row-major
// order.
func (a *Array) source(i int) int {
	if !a.fortran || len(a.Shape) < 2 {
		return i
	}
	// Column-major: the first index runs fastest.
	at, count := 0, a.Len()
	for k := len(a.Shape) - 1; k >= 0; k-- {
		count /= a.Shape[k]
		at += i % a.Shape[k] * count
		i /= a.Shape[k]
	}
	return at
}
