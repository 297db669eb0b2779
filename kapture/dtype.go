package kapture

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
)

// DType is the type of a feature's values, by its NumPy name.
type DType string

// The types that feature files may hold.
const (
	Float16 DType = "float16"
	Float32 DType = "float32"
	Float64 DType = "float64"
	Int8    DType = "int8"
	Int16   DType = "int16"
	Int32   DType = "int32"
	Int64   DType = "int64"
	Uint8   DType = "uint8"
	Uint16  DType = "uint16"
	Uint32  DType = "uint32"
	Uint64  DType = "uint64"
)

// Size returns the bytes of a value; 0 for a type that is none of the above.
func (t DType) Size() int {
	switch t {
	case Int8, Uint8:
		return 1
	case Float16, Int16, Uint16:
		return 2
	case Float32, Int32, Uint32:
		return 4
	case Float64, Int64, Uint64:
		return 8
	}
	return 0
}

// parseDType reads the ways in which Python programs write a type: float32,
// numpy.float32, np.float32, <class 'numpy.float32'>, and Python's own float
// and int, which are 64 bits wide.
func parseDType(s string) (DType, bool) {
	if class, ok := strings.CutPrefix(s, "<class '"); ok {
		s = strings.TrimSuffix(class, "'>")
	}
	s = strings.TrimPrefix(strings.TrimPrefix(s, "numpy."), "np.")
	switch s {
	case "float", "double":
		s = "float64"
	case "int":
		s = "int64"
	case "half":
		s = "float16"
	case "single":
		s = "float32"
	}
	t := DType(s)
	return t, t.Size() > 0
}

// real is a type that values are converted to.
type real interface{ float32 | float64 }

// decode appends the little-endian values of raw to dst. The length of raw is
// a multiple of the type's size.
func decode[R real](t DType, raw []byte, dst []R) []R {
	le := binary.LittleEndian
	switch t {
	case Float16:
		return decodeWith(raw, dst, 2, func(b []byte) R { return R(halfToFloat(le.Uint16(b))) })
	case Float32:
		return decodeWith(raw, dst, 4, func(b []byte) R { return R(math.Float32frombits(le.Uint32(b))) })
	case Float64:
		return decodeWith(raw, dst, 8, func(b []byte) R { return R(math.Float64frombits(le.Uint64(b))) })
	case Int8:
		return decodeWith(raw, dst, 1, func(b []byte) R { return R(int8(b[0])) })
	case Int16:
		return decodeWith(raw, dst, 2, func(b []byte) R { return R(int16(le.Uint16(b))) })
	case Int32:
		return decodeWith(raw, dst, 4, func(b []byte) R { return R(int32(le.Uint32(b))) })
	case Int64:
		return decodeWith(raw, dst, 8, func(b []byte) R { return R(int64(le.Uint64(b))) })
	case Uint8:
		return decodeWith(raw, dst, 1, func(b []byte) R { return R(b[0]) })
	case Uint16:
		return decodeWith(raw, dst, 2, func(b []byte) R { return R(le.Uint16(b)) })
	case Uint32:
		return decodeWith(raw, dst, 4, func(b []byte) R { return R(le.Uint32(b)) })
	case Uint64:
		return decodeWith(raw, dst, 8, func(b []byte) R { return R(le.Uint64(b)) })
	}
	panic("kapture: unknown dtype")
}

func decodeWith[R real](raw []byte, dst []R, size int, value func([]byte) R) []R {
	for len(raw) >= size {
		dst = append(dst, value(raw[:size]))
		raw = raw[size:]
	}
	return dst
}

// encode appends the values as little-endian t to dst. An integer type must
// hold each value exactly.
func encode(t DType, values []float32, dst []byte) ([]byte, error) {
	le := binary.LittleEndian
	for _, v := range values {
		switch t {
		case Float16:
			dst = le.AppendUint16(dst, floatToHalf(v))
			continue
		case Float32:
			dst = le.AppendUint32(dst, math.Float32bits(v))
			continue
		case Float64:
			dst = le.AppendUint64(dst, math.Float64bits(float64(v)))
			continue
		}
		var err error
		if dst, err = encodeInt(t, v, dst); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func encodeInt(t DType, v float32, dst []byte) ([]byte, error) {
	bits := t.Size() * 8
	low, high := -math.Ldexp(1, bits-1), math.Ldexp(1, bits-1)
	if strings.HasPrefix(string(t), "u") {
		low, high = 0, math.Ldexp(1, bits)
	}
	f := float64(v)
	if !(f >= low && f < high) || f != math.Trunc(f) {
		return nil, fmt.Errorf("want values that %s holds exactly, found %v", t, v)
	}
	u := uint64(int64(f))
	if f >= 1<<63 {
		u = uint64(f)
	}
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], u)
	return append(dst, b[:t.Size()]...), nil
}

// halfToFloat returns the value of an IEEE 754 binary16.
func halfToFloat(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exponent, fraction := uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exponent {
	case 0: // zero and subnormals: fraction · 2⁻²⁴
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*0x1p-24))
	case 0x1f: // infinities and NaN
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// floatToHalf rounds to the nearest IEEE 754 binary16, ties to even, as NumPy
// does; what is too large becomes infinite.
func floatToHalf(v float32) uint16 {
	bits := math.Float32bits(v)
	sign := uint16(bits >> 16 & 0x8000)
	a := math.Abs(float64(v))
	switch {
	case a != a:
		return sign | 0x7e00
	case a >= 65520: // halfway between the largest half and the next power of two
		return sign | 0x7c00
	case a < 0x1p-14: // subnormal: a multiple of 2⁻²⁴, and 1024 of them are the smallest normal number
		return sign | uint16(math.RoundToEven(a*0x1p24))
	}
	_, e := math.Frexp(a) // a = f · 2ᵉ, f in [0.5, 1)
	m := uint16(math.RoundToEven(math.Ldexp(a, 11-e)))
	return sign | (uint16(e+13)<<10 + m) // m's leading bit, 1024, completes the exponent
}
