package kapture

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
)

func TestAppendFloat(t *testing.T) {
	// What Python's repr prints.
	for want, v := range map[string]float64{
		"0.0": 0, "-0.0": math.Copysign(0, -1), "1.0": 1, "-2.5": -2.5, "0.1": 0.1, "0.0001": 1e-4, "1e-05": 1e-5,
		"1000000000000000.0": 1e15, "1e+16": 1e16, "1.2345e+20": 1.2345e20, "2.220446049250313e-16": 0x1p-52,
		"5e-324": 5e-324, "1.7976931348623157e+308": math.MaxFloat64, "nan": math.NaN(), "inf": math.Inf(1), "-inf": math.Inf(-1),
		"123456789.125": 123456789.125, "9007199254740993.0": 9007199254740992 + 1, "1e+100": 1e100,
	} {
		if want == "9007199254740993.0" {
			want = "9007199254740992.0"
		}
		if got := string(appendFloat(nil, v)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := string(appendFloat32(nil, 0.1)); got != "0.1" {
		t.Errorf("got %s, want 0.1", got)
	}
}

func TestParseFloat(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	texts := []string{
		"0", "-0", "00.00", "1.", ".5", "+.5e1", "1e22", "1e23", "1E-22", "1.900000000000000000e+01", "0.000001", "100000000000000000000",
		"900719925474099", "9007199254740993", "1e400", "1e-400", "inf", "-Infinity", "nan", "123456789012345e-22", "000000000000000000001",
		"0.10000000000000000000", "1000000000000000000000000000e-20", "10e+5", "1.0e5", "0e999", "1e+0000005",
		"", ".", "-", "e5", "1e", "1e+", "1 2", "1_0", "0x1p3", "--1", "1..2", "1.2.3", "1e5.0", "abc", "1e99999999999999999999", "½",
	}
	for range 20000 {
		texts = append(texts, strconv.FormatFloat(rng.NormFloat64()*math.Pow(10, float64(rng.IntN(40)-20)), "eefg"[rng.IntN(4)], rng.IntN(20)-1, 64))
	}
	for range 20000 { // 19 digits, as numpy.savetxt writes them, and ties between two float64
		texts = append(texts, strconv.FormatFloat(rng.NormFloat64()*math.Pow(10, float64(rng.IntN(40)-20)), 'e', 18, 64))
		texts = append(texts, strconv.FormatUint(rng.Uint64N(1e18)|1<<53|1, 10)+"e-"+strconv.Itoa(rng.IntN(25)))
		texts = append(texts, strconv.FormatUint(1<<53+2*rng.Uint64N(1<<52)+1, 10))
		texts = append(texts, strconv.FormatUint(1<<56+16*rng.Uint64N(1<<52)+8, 10)+"."+strconv.Itoa(rng.IntN(2)))
	}
	for _, s := range texts {
		got, ok := parseFloat([]byte(s))
		want, err := strconv.ParseFloat(s, 64)
		if s == "1_0" || s == "0x1p3" {
			err = strconv.ErrSyntax
		}
		if ok != (err == nil) || ok && math.Float64bits(got) != math.Float64bits(want) && !math.IsNaN(want) {
			t.Errorf("%q: got %v, %v, want %v, %v", s, got, ok, want, err)
		}
	}
}

func TestParseInt(t *testing.T) {
	for _, s := range []string{"0", "-1", "+7", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "123456789012345678",
		"1234567890123456789", "", "-", "1a", "1.0", " 1", "00000000000000000000000000012", "1_000", "/", ":"} {
		got, ok := parseInt([]byte(s))
		want, err := strconv.ParseInt(s, 10, 64)
		if ok != (err == nil) || ok && got != want {
			t.Errorf("%q: got %v, %v, want %v, %v", s, got, ok, want, err)
		}
	}
}

func TestHalf(t *testing.T) {
	for h := range 1 << 16 {
		v := halfToFloat(uint16(h))
		back := floatToHalf(v)
		if v != v {
			if back&0x7c00 != 0x7c00 || back&0x3ff == 0 {
				t.Errorf("NaN %#x became %#x", h, back)
			}
		} else if back != uint16(h) {
			t.Errorf("%#x is %v, which became %#x", h, v, back)
		}
	}
	for v, want := range map[float32]uint16{1: 0x3c00, 65504: 0x7bff, 65519: 0x7bff, 65520: 0x7c00, 1e10: 0x7c00, -2: 0xc000,
		0x1p-24: 1, 0x1p-25: 0, 0x1.8p-24: 2, 1 + 0x1p-11: 0x3c00, 1 + 0x1.8p-10: 0x3c02, 0x1.ff8p-15: 0x3ff, 0x1.ffcp-15: 0x400, 0x1.fffp-15: 0x400} {
		if got := floatToHalf(v); got != want {
			t.Errorf("%v: got %#x, want %#x", v, got, want)
		}
	}
}
