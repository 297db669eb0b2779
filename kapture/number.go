package kapture

import (
	"math"
	"strconv"
)

// quotedLen bounds how much of a bad value an error message repeats.
const quotedLen = 80

// quote quotes a value for an error message, cut if it is long.
func quote(s string) string {
	if len(s) > quotedLen {
		return strconv.Quote(s[:quotedLen]) + "…"
	}
	return strconv.Quote(s)
}

// parseInt reads a decimal integer, as strconv.ParseInt does, from bytes.
func parseInt(b []byte) (int64, bool) {
	digits, negative := b, false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		digits, negative = b[1:], b[0] == '-'
	}
	if len(digits) == 0 || len(digits) > 18 {
		v, err := strconv.ParseInt(string(b), 10, 64) // 19 digits may overflow
		return v, err == nil
	}
	var v int64
	for _, c := range digits {
		d := c - '0'
		if d > 9 {
			return 0, false
		}
		v = v*10 + int64(d)
	}
	if negative {
		v = -v
	}
	return v, true
}

// parseFloat reads a decimal number, inf or nan. The conversion to string does
// not reach the heap: strconv does not keep its argument.
func parseFloat(b []byte) (float64, bool) {
	for _, c := range b {
		if c == '_' || c == 'x' || c == 'X' {
			return 0, false // Go's literals, unknown to other readers of the format
		}
	}
	v, err := strconv.ParseFloat(string(b), 64)
	return v, err == nil
}

// appendFloat appends v as Python's repr writes it: the shortest decimal that
// reads back as v, with a point or an exponent, which begins below 1e-4 and at
// 1e16.
func appendFloat(dst []byte, v float64) []byte { return appendRepr(dst, v, 64) }

// appendFloat32 is appendFloat for the shortest decimal that reads back as the
// same float32.
func appendFloat32(dst []byte, v float32) []byte { return appendRepr(dst, float64(v), 32) }

func appendRepr(dst []byte, v float64, bits int) []byte {
	switch {
	case math.IsNaN(v):
		return append(dst, "nan"...)
	case math.IsInf(v, 1):
		return append(dst, "inf"...)
	case math.IsInf(v, -1):
		return append(dst, "-inf"...)
	}
	if a := math.Abs(v); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.AppendFloat(dst, v, 'e', -1, bits)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, v, 'f', -1, bits)
	for _, c := range dst[start:] {
		if c == '.' {
			return dst
		}
	}
	return append(dst, ".0"...)
}
