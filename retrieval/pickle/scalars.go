package pickle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// numbers runs the operations that push None, a bool or a number.
func (d *Decoder) numbers(op byte) (bool, error) {
	switch op {
	case 'N':
		return d.pushed(nil, nil)
	case 0x88, 0x89: // NEWTRUE, NEWFALSE
		return d.pushed(op == 0x88, nil)
	case 'K', 'M', 'J': // BININT1, BININT2, BININT
		v, err := d.uint(width(op))
		if op == 'J' {
			return d.pushed(int64(int32(v)), err)
		}
		return d.pushed(int64(v), err)
	case 0x8a, 0x8b: // LONG1, LONG4
		b, err := d.block(width(op))
		return d.pushed(long(b), err)
	case 'G': // BINFLOAT, big-endian
		b, err := d.bytes(8)
		if err != nil {
			return true, err
		}
		return d.pushed(math.Float64frombits(binary.BigEndian.Uint64(b)), nil)
	case 'I', 'L', 'F':
		s, err := d.line()
		if err != nil {
			return true, err
		}
		return d.pushed(number(op, s))
	}
	return false, nil
}

// long reads an integer in two's complement, little-endian.
func long(b []byte) any {
	if len(b) == 0 {
		return int64(0)
	}
	negative := b[len(b)-1]&0x80 != 0
	if len(b) <= 8 {
		var v uint64
		if negative {
			v = math.MaxUint64
		}
		for i, x := range b {
			v = v&^(0xff<<(8*i)) | uint64(x)<<(8*i)
		}
		return int64(v)
	}
	be := slices.Clone(b)
	slices.Reverse(be)
	v := new(big.Int).SetBytes(be)
	if negative {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return small(v)
}

// small returns an integer as int64 where it fits.
func small(v *big.Int) any {
	if v.IsInt64() {
		return v.Int64()
	}
	return v
}

// maxDigits is CPython's own limit for integers in decimal, whose conversion
// takes more than linear time.
const maxDigits = 4300

// number reads a number of protocol 0: INT (with 00 and 01 for bools), LONG, FLOAT.
func number(op byte, s string) (any, error) {
	if len(s) > maxDigits {
		return nil, fmt.Errorf("want a number of at most %d digits, found %d", maxDigits, len(s))
	}
	switch {
	case op == 'F':
		v, err := strconv.ParseFloat(s, 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return nil, fmt.Errorf("want a float, found %q", clip(s))
		}
		return v, nil
	case op == 'I' && (s == "00" || s == "01"):
		return s == "01", nil
	case op == 'L':
		s = strings.TrimSuffix(s, "L")
	}
	v, ok := new(big.Int).SetString(s, 10)
	if !ok {
		return nil, fmt.Errorf("want an integer, found %q", clip(s))
	}
	return small(v), nil
}

// strings runs the operations that push str or bytes.
func (d *Decoder) strings(op byte) (bool, error) {
	switch op {
	case 'X', 0x8c, 0x8d: // BINUNICODE, SHORT_BINUNICODE, BINUNICODE8
		b, err := d.block(width(op))
		if err == nil && !utf8.Valid(b) {
			err = errors.New("want a string in UTF-8, found other bytes")
		}
		return d.pushed(string(b), err)
	case 'B', 'C', 0x8e, 0x96: // BINBYTES, SHORT_BINBYTES, BINBYTES8, BYTEARRAY8
		b, err := d.block(width(op))
		return d.pushed(Bytes(b), err)
	case 'T', 'U': // BINSTRING, SHORT_BINSTRING
		b, err := d.block(width(op))
		return d.pushed(string(b), err)
	case 'S', 'V': // STRING, UNICODE
		s, err := d.line()
		if err != nil {
			return true, err
		}
		if op == 'V' {
			return d.pushed(rawUnicode(s))
		}
		return d.pushed(quoted(s))
	}
	return false, nil
}

// quoted reads a string as Python 2 prints it: 'it\'s \x00'.
func quoted(s string) (string, error) {
	if len(s) < 2 || s[0] != s[len(s)-1] || s[0] != '\'' && s[0] != '"' {
		return "", errors.New("want a string in quotes, found none")
	}
	quote, s := s[0], s[1:len(s)-1]
	var b strings.Builder
	for s != "" {
		if s[0] != '\\' {
			b.WriteByte(s[0])
			s = s[1:]
			continue
		}
		if len(s) > 1 && (s[1] == '\'' || s[1] == '"') {
			b.WriteByte(s[1])
			s = s[2:]
			continue
		}
		r, _, tail, err := strconv.UnquoteChar(s, quote)
		if err != nil || r > 0xff {
			return "", errors.New("want a string with Python's escapes, found another backslash")
		}
		b.WriteByte(byte(r))
		s = tail
	}
	return b.String(), nil
}

// rawUnicode reads Python's raw-unicode-escape: Latin-1 with \uXXXX and \UXXXXXXXX.
func rawUnicode(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteRune(rune(s[i]))
			continue
		}
		digits := 4
		switch s[i+1] {
		case 'u':
		case 'U':
			digits = 8
		default: // any other escape stands for itself
			b.WriteRune('\\')
			b.WriteRune(rune(s[i+1]))
			i++
			continue
		}
		if i+2+digits > len(s) {
			return "", fmt.Errorf("want %d digits of an escape, found the end of the line", digits)
		}
		r, err := strconv.ParseUint(s[i+2:i+2+digits], 16, 32)
		if err != nil || !utf8.ValidRune(rune(r)) {
			return "", errors.New("want the code of a character, found none")
		}
		b.WriteRune(rune(r))
		i += 1 + digits
	}
	return b.String(), nil
}

// latin1 returns the bytes of a string whose characters are below 256.
func latin1(s string) (Bytes, error) {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return "", fmt.Errorf("want Latin-1 characters, found %q", r)
		}
		b = append(b, byte(r))
	}
	return Bytes(b), nil
}
