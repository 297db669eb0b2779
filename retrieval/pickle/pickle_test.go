package pickle_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"locbench/kapture/kapturetest"
	"locbench/retrieval/pickle"
)

// plain turns lists and dicts into Go's own, for comparison.
func plain(t *testing.T, v any, depth int) any {
	t.Helper()
	if depth == 0 {
		return "…"
	}
	switch v := v.(type) {
	case *pickle.List:
		return plainItems(t, v.Items, depth)
	case pickle.Tuple:
		return append([]any{"tuple"}, plainItems(t, v, depth)...)
	case *pickle.Set:
		return append([]any{"set"}, plainItems(t, v.Items, depth)...)
	case *pickle.Dict:
		out := []any{"dict"}
		for k, e := range v.All() {
			out = append(out, plain(t, k, depth-1), plain(t, e, depth-1))
		}
		return out
	case *big.Int:
		return v.String()
	}
	return v
}

func plainItems(t *testing.T, items []any, depth int) []any {
	out := []any{}
	for _, e := range items {
		out = append(out, plain(t, e, depth-1))
	}
	return out
}

// TestProtocols reads one value as CPython writes it in every protocol.
func TestProtocols(t *testing.T) {
	const i = int64(1)
	want := []any{"dict",
		"none", nil,
		"bools", []any{"tuple", true, false},
		"ints", []any{0 * i, i, 255 * i, 256 * i, 65535 * i, 65536 * i, -i, -5 * i, int64(math.MaxInt32), int64(math.MinInt32), i << 31,
			i << 62, int64(math.MinInt64), "9223372036854775808", "1180591620717411303424", "-1180591620717411303424", -129 * i},
		"floats", []any{0.0, -0.5, 1e300, math.Inf(1), math.Inf(-1)},
		"text", []any{"", "abc", "café ✓", "line\nbreak \\ 'quote' \\u0041", "😀", strings.Repeat("x", 300)},
		"bytes", []any{pickle.Bytes(""), pickle.Bytes("\x00\xff\n'\\"), pickle.Bytes(strings.Repeat("y", 300))},
		"bytearray", pickle.Bytes("\x01\x02"),
		"tuples", []any{[]any{"tuple"}, []any{"tuple", i}, []any{"tuple", i, 2 * i}, []any{"tuple", i, 2 * i, 3 * i}, []any{"tuple", i, 2 * i, 3 * i, 4 * i}},
		"set", []any{"set", 7 * i},
		"frozenset", []any{"set", 8 * i},
		"ordered", []any{"dict", "b", i, "a", 2 * i},
		"default", []any{"dict", "k", []any{i}},
		"shared", []any{[]any{i, 2 * i}, []any{i, 2 * i}},
		"keys", []any{"dict", i, "int", []any{"tuple", "a", 2 * i}, "tuple", pickle.Bytes("b"), "bytes", nil, "none", 2.5, "float"},
		"cyclic", []any{[]any{[]any{"…"}}},
	}
	for protocol := range 6 {
		t.Run(fmt.Sprint(protocol), func(t *testing.T) {
			v, err := pickle.Read(sample(t, protocol), pickle.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, plain(t, v, 4)); diff != "" {
				t.Errorf("want -, found +:\n%s", diff)
			}
		})
	}
}

func sample(tb testing.TB, protocol int) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", fmt.Sprintf("values_p%d.pkl", protocol)))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// TestSharing checks that a value which occurs twice is the same value.
func TestSharing(t *testing.T) {
	v, err := pickle.Read(sample(t, 4), pickle.Options{})
	if err != nil {
		t.Fatal(err)
	}
	shared, _ := v.(*pickle.Dict).Get("shared")
	items := shared.(*pickle.List).Items
	if items[0].(*pickle.List) != items[1].(*pickle.List) {
		t.Error("want one list twice, found two lists")
	}
	cyclic, _ := v.(*pickle.Dict).Get("cyclic")
	if l := cyclic.(*pickle.List); l.Items[0].(*pickle.List) != l {
		t.Error("want a list that holds itself")
	}
}

// TestPython2 reads what Python 2 writes: str as bytes, objects by INST and OBJ.
func TestPython2(t *testing.T) {
	tests := map[string]struct {
		in   string
		want any
	}{
		"STRING":          {"S'it\\'s \\x00\\n\\\\'\np0\n.", "it's \x00\n\\"},
		"SHORT_BINSTRING": {"U\x03a\xffb.", "a\xffb"},
		"BINSTRING":       {"T\x01\x00\x00\x00a.", "a"},
		"LONG":            {"L123L\n.", int64(123)},
		"UNICODE":         {"V\\u2713 \\U0001F600 \xe9 \\\\u0041\n.", "✓ 😀 é \\\\u0041"},
		"POP and DUP":     {"K\x01K\x020(K\x0312\x86.", pickle.Tuple{int64(1), int64(1)}},
		"true is one":     {"}(\x88K\x01K\x01K\x02G\x3f\xf0\x00\x00\x00\x00\x00\x00K\x03u.", []any{"dict", true, int64(3)}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			v, err := pickle.Read([]byte(test.in), pickle.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if _, isDict := v.(*pickle.Dict); isDict {
				v = plain(t, v, 3)
			}
			if diff := cmp.Diff(test.want, v); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestObjects checks that calls of allowed globals become inert records.
func TestObjects(t *testing.T) {
	allow := func(module, name string) bool { return module == "m" && name == "C" }
	class := pickle.Global{Module: "m", Name: "C"}
	tests := map[string]string{
		"INST":           "(K\x07im\nC\n}U\x01aK\x01sb.",
		"OBJ":            "(cm\nC\nK\x07o}U\x01aK\x01sb.",
		"REDUCE":         "cm\nC\nK\x07\x85R}U\x01aK\x01sb.",
		"NEWOBJ":         "cm\nC\nK\x07\x85\x81}U\x01aK\x01s}\x86b.",
		"NEWOBJ_EX":      "\x8c\x01m\x8c\x01C\x93K\x07\x85}\x92}U\x01aK\x01sb.",
		"_reconstructor": "ccopy_reg\n_reconstructor\n(cm\nC\nc__builtin__\nobject\nNtR}U\x01aK\x01sb.",
	}
	for name, in := range tests {
		t.Run(name, func(t *testing.T) {
			v, err := pickle.Read([]byte(in), pickle.Options{Allow: allow})
			if err != nil {
				t.Fatal(err)
			}
			o := v.(*pickle.Object)
			if o.Class != class {
				t.Errorf("want class %v, found %v", class, o.Class)
			}
			if a, _ := o.Attr("a"); a != int64(1) {
				t.Errorf("want attribute a = 1, found %v", a)
			}
			if name != "_reconstructor" && (len(o.Args) != 1 || o.Args[0] != int64(7)) {
				t.Errorf("want the argument 7, found %v", o.Args)
			}
		})
	}
}

// TestFilled checks APPENDS and SETITEMS on an object, as subclasses of list
// and dict have them.
func TestFilled(t *testing.T) {
	v, err := pickle.Read([]byte("cm\nC\n)R(K\x01K\x02eU\x01aK\x03s."), pickle.Options{Allow: func(string, string) bool { return true }})
	if err != nil {
		t.Fatal(err)
	}
	o := v.(*pickle.Object)
	if a, _ := o.Dict.Get("a"); a != int64(3) || len(o.Items) != 2 {
		t.Errorf("want two elements and a = 3, found %v, %v", o.Items, a)
	}
}

// long is a length of 2³¹-1.
const long = "\xff\xff\xff\x7f"

// TestErrors checks that bad data is refused, with the place of the operation.
func TestErrors(t *testing.T) {
	tests := map[string]struct{ in, want string }{
		"empty":               {"", "byte 0: want another operation"},
		"no stop":             {"K\x01", "byte 2: want another operation"},
		"unknown":             {"\xfe", "byte 0: want an operation of a pickle, found byte 0xfe"},
		"protocol":            {"\x80\x06.", "byte 0: want a pickle of protocol 5 at most, found 6"},
		"system":              {"cposix\nsystem\nU\x04true\x85R.", `byte 0: want data only, found the global "posix.system"`},
		"eval":                {"K\x010\x8c\x08builtins\x8c\x04eval\x93.", `byte 19: want data only, found the global "builtins.eval"`},
		"inst":                {"(ios\nsystem\n.", `"os.system"`},
		"getattr":             {"c__builtin__\ngetattr\n.", `"__builtin__.getattr"`},
		"dotted":              {"ccollections\nOrderedDict.__init__\n.", `"collections.OrderedDict.__init__"`},
		"extension":           {"\x82\x01.", "extension registry"},
		"buffer":              {"\x97.", "buffer outside"},
		"long string":         {"X" + long + "abc.", "byte 0: want 2147483647 bytes, found the end of the file after 4"},
		"long bytes":          {"\x8e\xff\xff\xff\xff\xff\xff\xff\xffabc.", "found the end of the file after 4"},
		"long frame":          {"\x95\xff\xff\xff\xff\xff\xff\xff\x7f.", "want a frame of"},
		"long integer":        {"\x8b" + long + ".", "want 2147483647 bytes"},
		"many digits":         {"L" + strings.Repeat("9", 5000) + "L\n.", "at most 4300 digits, found 5001"},
		"no integer":          {"Iabc\n.", `want an integer, found "abc"`},
		"no float":            {"Fabc\n.", `want a float, found "abc"`},
		"no line":             {"S'abc'", "want the end of a line"},
		"quotes":              {"S'abc\n.", "want a string in quotes"},
		"escape":              {"S'\\q'\n.", "Python's escapes"},
		"unicode":             {"V\\u12\n.", "want 4 digits of an escape"},
		"utf-8":               {"X\x01\x00\x00\x00\xff.", "want a string in UTF-8"},
		"empty stack":         {".", "want a value on the stack"},
		"below the mark":      {"K\x01(\x85.", "want a value on the stack"},
		"no mark":             {"K\x01t.", "want a mark on the stack"},
		"unkept":              {"h\x07.", "found none under 7"},
		"list as key":         {"}]K\x01s.", "want a key that does not change, found a list"},
		"long key":            {"}X\x00\x20\x00\x00" + strings.Repeat("k", 8192) + "Ns.", "at most 4096 bytes, found 8192"},
		"odd items":           {"}(K\x01u.", "found a key alone"},
		"append to a number":  {"K\x01K\x02a.", "want a container to fill, found a int"},
		"call of a number":    {"K\x01)R.", "want a global, found a int"},
		"call without tuple":  {"c__builtin__\nset\nK\x01R.", "want a tuple, found a int"},
		"state of a number":   {"K\x01}b.", "want an object to give a state"},
		"persistent":          {"U\x01aQ.", "found a persistent id"},
		"encode":              {"c_codecs\nencode\nX\x03\x00\x00\x00\xe2\x9c\x93U\x06latin1\x86R.", "want Latin-1 characters"},
		"encode another way":  {"c_codecs\nencode\nU\x01aU\x05rot13\x86R.", "want bytes, or text and latin1"},
		"copies of one value": {"c_codecs\nencode\nq\x00U\x40" + strings.Repeat("a", 64) + "U\x06latin1\x86q\x01" + strings.Repeat("h\x00h\x01R0", 100) + "N.", "more copies of the same one than the file is long"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			v, err := pickle.Read([]byte(test.in), pickle.Options{})
			var e *pickle.Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("want an error with %q, found %v (value %v)", test.want, err, v)
			}
		})
	}
}

// TestDecoder reads pickles one after the other, as PyTorch's old files hold
// them, and what follows them.
func TestDecoder(t *testing.T) {
	data := []byte("\x80\x02K\x01.U\x01aQ.raw")
	d := pickle.NewDecoder(bytes.NewReader(data), int64(len(data)), pickle.Options{
		Persistent: func(id any) (any, error) { return fmt.Sprint("kept ", id), nil },
	})
	for _, want := range []any{int64(1), "kept a"} {
		if v, err := d.Decode(); err != nil || v != want {
			t.Errorf("want %v, found %v, %v", want, v, err)
		}
	}
	if rest := data[d.Offset():]; string(rest) != "raw" {
		t.Errorf("want the offset behind the pickles, found %q there", rest)
	}
}

// TestLandmarks reads the ground truth of the revisited landmarks, which is
// there as JSON too.
func TestLandmarks(t *testing.T) {
	for _, name := range []string{"roxford5k", "rparis6k"} {
		t.Run(name, func(t *testing.T) {
			var want struct{ Imlist, Qimlist []string }
			kapturetest.SharedJSON(t, &want, "golden", "map", "gnd_"+name+".json")
			data, err := os.ReadFile(kapturetest.Shared(t, "golden", "map", "gnd_"+name+".pkl"))
			if err != nil {
				t.Fatal(err)
			}
			v, err := pickle.Read(data, pickle.Options{})
			if err != nil {
				t.Fatal(err)
			}
			for key, names := range map[string][]string{"imlist": want.Imlist, "qimlist": want.Qimlist} {
				list, _ := v.(*pickle.Dict).Get(key)
				var got []string
				for _, e := range list.(*pickle.List).Items {
					got = append(got, e.(string))
				}
				if diff := cmp.Diff(names, got); diff != "" || len(names) == 0 {
					t.Errorf("%s: %s", key, diff)
				}
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	data, err := os.ReadFile(kapturetest.Shared(b, "golden", "map", "gnd_rparis6k.pkl"))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := pickle.Read(data, pickle.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
