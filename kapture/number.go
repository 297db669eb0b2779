package kapture

import (
	"math"
	"math/bits"
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

// parseFloat reads a decimal number, inf or nan, to the nearest float64.
func parseFloat(b []byte) (float64, bool) {
	if d, ok := parseDecimal(b); ok {
		if v, ok := d.float(); ok {
			return v, true
		}
	}
	for _, c := range b {
		if c == '_' || c == 'x' || c == 'X' {
			return 0, false // Go's literals, unknown to other readers of the format
		}
	}
	// The conversion does not reach the heap: strconv does not keep its argument.
	v, err := strconv.ParseFloat(string(b), 64)
	return v, err == nil
}

// decimal is ±mantissa·10^exp.
type decimal struct {
	mantissa uint64
	exp      int
	negative bool
}

// parseDecimal reads a number of at most 19 digits, which fit in 64 bits.
func parseDecimal(b []byte) (d decimal, ok bool) {
	i, digits, point := 0, 0, -1
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		d.negative = b[0] == '-'
		i = 1
	}
	for ; i < len(b); i++ {
		c := b[i] - '0'
		if c <= 9 {
			d.mantissa = d.mantissa*10 + uint64(c)
			digits++
			continue
		}
		if b[i] != '.' || point >= 0 {
			break
		}
		point = digits
	}
	if digits == 0 || digits > 19 {
		return d, false
	}
	if point >= 0 {
		d.exp = point - digits
	}
	if i < len(b) {
		e, ok := parseExponent(b[i:])
		d.exp += e
		return d, ok
	}
	return d, true
}

// parseExponent reads e+01 and the like; three digits are enough.
func parseExponent(b []byte) (int, bool) {
	if b[0] != 'e' && b[0] != 'E' || len(b) > 5 {
		return 0, false
	}
	v, ok := parseInt(b[1:])
	return int(v), ok
}

// float returns the nearest float64 if one of two fast ways leads to it. If
// the mantissa is below 2⁵³ and the power of ten within 10²², float64 holds
// both exactly, and one multiplication or division rounds correctly (Clinger,
// How to read floating point numbers accurately, PLDI 1990). If the number is
// a quotient of integers of 64 bits, integer division gives more bits than
// float64 has, and a remainder that decides the rounding. numpy.savetxt's
// 1.900000000000000000e+01 is of this kind; strconv takes its slowest path.
func (d decimal) float() (float64, bool) {
	v := float64(d.mantissa)
	switch {
	case d.mantissa == 0:
	case d.mantissa < 1<<53 && d.exp >= 0 && d.exp <= maxExactPower:
		v *= exactPowers[d.exp]
	case d.mantissa < 1<<53 && d.exp < 0 && d.exp >= -maxExactPower:
		v /= exactPowers[-d.exp]
	case d.exp <= 0 && d.exp >= -maxIntegerPower:
		v = quotient(d.mantissa, uint64(exactPowers[-d.exp]))
	default:
		return 0, false
	}
	if d.negative {
		v = -v
	}
	return v, true
}

// quotient returns m/d rounded to the nearest float64, ties to even, for m and
// d that are not zero.
func quotient(m, d uint64) float64 {
	shiftM, shiftD := bits.LeadingZeros64(m), bits.LeadingZeros64(d)
	m, d = m<<shiftM, d<<shiftD
	q, r := bits.Div64(m>>1, m<<63, d) // at least 62 bits, as m and d lead with a one
	if r != 0 {
		q |= 1 // below the last bit of a float64: breaks ties, changes nothing else
	}
	return float64(q) * math.Float64frombits(uint64(1023-63+shiftD-shiftM)<<52)
}

const (
	maxExactPower   = 22 // of ten, in float64
	maxIntegerPower = 19 // of ten, in uint64
)

// exactPowers are the powers of ten that float64 holds exactly.
var exactPowers = [maxExactPower + 1]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
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
