package weights

import (
	"encoding/binary"
	"math"
)

// DType is the type of a tensor's elements, by PyTorch's name.
type DType string

// The types that are read and written.
const (
	Float64  DType = "float64"
	Float32  DType = "float32"
	Float16  DType = "float16"
	BFloat16 DType = "bfloat16"
	Int64    DType = "int64"
	Int32    DType = "int32"
	Int16    DType = "int16"
	Int8     DType = "int8"
	Uint8    DType = "uint8"
	Bool     DType = "bool"
)

// Size returns the bytes of an element.
func (d DType) Size() int {
	switch d {
	case Float64, Int64:
		return 8
	case Float32, Int32:
		return 4
	case Float16, BFloat16, Int16:
		return 2
	}
	return 1
}

// allTypes lists the types with their names in safetensors files and those of
// PyTorch's storage classes.
func allTypes() []typeNames {
	return []typeNames{
		{Float64, "F64", "DoubleStorage"}, {Float32, "F32", "FloatStorage"}, {Float16, "F16", "HalfStorage"}, {BFloat16, "BF16", "BFloat16Storage"},
		{Int64, "I64", "LongStorage"}, {Int32, "I32", "IntStorage"}, {Int16, "I16", "ShortStorage"}, {Int8, "I8", "CharStorage"},
		{Uint8, "U8", "ByteStorage"}, {Bool, "BOOL", "BoolStorage"},
	}
}

type typeNames struct {
	dtype                DType
	safetensors, storage string
}

// typeBy finds the type for which is reports true.
func typeBy(is func(typeNames) bool) (typeNames, bool) {
	for _, t := range allTypes() {
		if is(t) {
			return t, true
		}
	}
	return typeNames{}, false
}

// appendFloat32 decodes little-endian elements.
func appendFloat32(dst []float32, b []byte, d DType) []float32 {
	if d == Float32 {
		for ; len(b) >= 4; b = b[4:] {
			dst = append(dst, math.Float32frombits(binary.LittleEndian.Uint32(b)))
		}
		return dst
	}
	get, size := element(d), d.Size()
	for ; len(b) >= size; b = b[size:] {
		dst = append(dst, float32(get(b)))
	}
	return dst
}

func appendFloat64(dst []float64, b []byte, d DType) []float64 {
	get, size := element(d), d.Size()
	for ; len(b) >= size; b = b[size:] {
		dst = append(dst, get(b))
	}
	return dst
}

// element returns how an element is decoded.
func element(d DType) func(b []byte) float64 {
	le := binary.LittleEndian
	switch d {
	case Float64:
		return func(b []byte) float64 { return math.Float64frombits(le.Uint64(b)) }
	case Float32:
		return func(b []byte) float64 { return float64(math.Float32frombits(le.Uint32(b))) }
	case Float16:
		return func(b []byte) float64 { return half(le.Uint16(b)) }
	case BFloat16:
		return func(b []byte) float64 { return float64(math.Float32frombits(uint32(le.Uint16(b)) << 16)) }
	case Int64:
		return func(b []byte) float64 { return float64(int64(le.Uint64(b))) }
	case Int32:
		return func(b []byte) float64 { return float64(int32(le.Uint32(b))) }
	case Int16:
		return func(b []byte) float64 { return float64(int16(le.Uint16(b))) }
	case Int8:
		return func(b []byte) float64 { return float64(int8(b[0])) }
	case Bool:
		return func(b []byte) float64 { return float64(min(b[0], 1)) }
	}
	return func(b []byte) float64 { return float64(b[0]) }
}

// half decodes an IEEE 754 binary16: 1 bit sign, 5 exponent, 10 fraction.
func half(h uint16) float64 {
	sign := 1.0
	if h&0x8000 != 0 {
		sign = -1
	}
	exponent, fraction := int(h>>10&0x1f), float64(h&0x3ff)
	switch exponent {
	case 0:
		return math.Copysign(math.Ldexp(fraction, -24), sign)
	case 31:
		if fraction != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(1024+fraction, exponent-25)
}
