package npy_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"locbench/kapture/kapturetest"
	"locbench/retrieval/npy"
)

// file writes a version 1 file with the given header and values.
func file(t testing.TB, dict string, order binary.AppendByteOrder, values any) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.npy")
	if err := os.WriteFile(path, content(t, dict, order, values), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func content(t testing.TB, dict string, order binary.AppendByteOrder, values any) []byte {
	t.Helper()
	text := "\x93NUMPY\x01\x00" + string(binary.LittleEndian.AppendUint16(nil, uint16(len(dict)))) + dict
	var data []byte
	var err error
	if order == binary.AppendByteOrder(binary.BigEndian) {
		data, err = binary.Append(nil, binary.BigEndian, values)
	} else {
		data, err = binary.Append(nil, binary.LittleEndian, values)
	}
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte(text), data...)
}

func dict(descr string, fortran bool, shape string) string {
	name := map[bool]string{true: "True", false: "False"}[fortran]
	return "{'descr': '" + descr + "', 'fortran_order': " + name + ", 'shape': " + shape + ", }\n"
}

func TestTypes(t *testing.T) {
	want := []float64{1, 2, 100}
	for descr, values := range map[string]any{
		"<f2": []uint16{0x3c00, 0x4000, 0x5640}, "<f4": []float32{1, 2, 100}, "<f8": want,
		"|i1": []int8{1, 2, 100}, "<i2": []int16{1, 2, 100}, "<i4": []int32{1, 2, 100}, "<i8": []int64{1, 2, 100},
		"|u1": []uint8{1, 2, 100}, "<u2": []uint16{1, 2, 100}, "<u4": []uint32{1, 2, 100}, "<u8": []uint64{1, 2, 100},
	} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			if order == binary.AppendByteOrder(binary.BigEndian) {
				descr = strings.Replace(descr, "<", ">", 1)
			}
			path := file(t, dict(descr, false, "(3,)"), order, values)
			rows, cols, got, err := npy.ReadAll[float64](path)
			if err != nil || rows != 3 || cols != 1 || !slices.Equal(got, want) {
				t.Errorf("%s: want %v, found %v (%d × %d), %v", descr, want, got, rows, cols, err)
			}
			if _, _, got, err := npy.ReadAll[float32](path); err != nil || !slices.Equal(got, []float32{1, 2, 100}) {
				t.Errorf("%s as float32: found %v, %v", descr, got, err)
			}
		}
	}
}

// TestHalf holds float16 against the values that IEEE 754 gives in its examples.
func TestHalf(t *testing.T) {
	bits := []uint16{0x0001, 0x03ff, 0x0400, 0x3555, 0x7bff, 0x7c00, 0xfc00, 0x8000, 0xc000}
	want := []float64{math.Ldexp(1, -24), math.Ldexp(1023, -24), math.Ldexp(1, -14), 0.333251953125, 65504, math.Inf(1), math.Inf(-1), math.Copysign(0, -1), -2}
	_, _, got, err := npy.ReadAll[float64](file(t, dict("<f2", false, "(9,)"), binary.LittleEndian, bits))
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("want %v, found %v, %v", want, got, err)
	}
	_, _, got, _ = npy.ReadAll[float64](file(t, dict("<f2", false, "(1,)"), binary.LittleEndian, []uint16{0x7e00}))
	if !math.IsNaN(got[0]) {
		t.Errorf("want NaN, found %v", got)
	}
}

// TestBlocks reads the same matrix by rows and by columns, block by block.
func TestBlocks(t *testing.T) {
	byRows := file(t, dict("<i4", false, "(4, 3)"), binary.LittleEndian, []int32{0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32})
	byCols := file(t, dict("<i4", true, "(4L, 3L)"), binary.LittleEndian, []int32{0, 10, 20, 30, 1, 11, 21, 31, 2, 12, 22, 32})
	deep := file(t, dict("<i4", false, "(4, 1, 3)"), binary.LittleEndian, []int32{0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32})
	for _, path := range []string{byRows, byCols, deep} {
		f, err := npy.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for from := range 4 {
			for n := range 5 - from {
				got := make([]float32, 3*n)
				if err := npy.Read(f, from, got); err != nil {
					t.Fatal(err)
				}
				for i, v := range got {
					if want := float32(10*(from+i/3) + i%3); v != want {
						t.Fatalf("rows %d to %d: found %v", from, from+n, got)
					}
				}
			}
		}
	}
}

func TestScalarAndEmpty(t *testing.T) {
	if rows, cols, got, err := npy.ReadAll[float64](file(t, dict("<f8", false, "()"), binary.LittleEndian, []float64{7})); err != nil || rows != 1 || cols != 1 || got[0] != 7 {
		t.Errorf("found %d × %d, %v, %v", rows, cols, got, err)
	}
	if rows, cols, got, err := npy.ReadAll[float64](file(t, dict("<f8", false, "(0, 2048)"), binary.LittleEndian, []float64{})); err != nil || rows != 0 || cols != 2048 || len(got) != 0 {
		t.Errorf("found %d × %d, %v, %v", rows, cols, got, err)
	}
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "b.npy")
	values := []float32{1, -2, 0.5, float32(math.Inf(1)), 1e-40, 3}
	if err := npy.Write(path, 3, 2, values); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(path)
	head, _, _ := strings.Cut(string(text), "\n")
	if want := dict("<f4", false, "(3, 2)"); strings.TrimRight(head[10:], " ") != strings.TrimRight(want, "\n") || len(head) != 127 {
		t.Errorf("want NumPy's header, %q to byte 128, found %q", want, head)
	}
	if rows, cols, got, err := npy.ReadAll[float32](path); err != nil || rows != 3 || cols != 2 || !slices.Equal(got, values) {
		t.Errorf("found %d × %d, %v, %v", rows, cols, got, err)
	}
	if err := npy.Write(dir, 1, 1, []float32{1}); err == nil {
		t.Error("want an error for a folder")
	}
}

// TestWriterIsAtomic leaves the old file where the new one is not complete.
func TestWriterIsAtomic(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "c.npy")
	if err := npy.Write(path, 1, 1, []float64{1}); err != nil {
		t.Fatal(err)
	}
	w, err := npy.Create[float64](path, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write([]float64{1, 2}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), "2 values are missing") {
		t.Errorf("want missing values reported, found %v", err)
	}
	w.Abort()
	entries, _ := os.ReadDir(dir)
	if _, _, got, err := npy.ReadAll[float64](path); err != nil || got[0] != 1 || len(entries) != 1 {
		t.Errorf("want the old file alone, found %v, %v, %v", got, err, entries)
	}
}

func TestBadFiles(t *testing.T) {
	good := content(t, dict("<f4", false, "(2, 2)"), binary.LittleEndian, []float32{1, 2, 3, 4})
	header := func(text string) []byte { return content(t, text, binary.LittleEndian, []float32{1, 2, 3, 4}) }
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"empty":             {nil, "byte 0: want the start of a .npy file"},
		"zip":               {[]byte("PK\x03\x04 and more of it"), `byte 0: want the start of a .npy file, "\x93NUMPY", found "PK`},
		"version":           {append([]byte("\x93NUMPY\x07"), good[7:]...), "byte 6: want version 1, 2 or 3, found 7"},
		"header cut":        {good[:40], "byte 8: want a header that ends in the file of 40 bytes"},
		"huge header":       {[]byte("\x93NUMPY\x02\x00\xff\xff\xff\xff"), "byte 8: want a header"},
		"values cut":        {good[:len(good)-5], "want 16 bytes for the shape (2, 2) of <f4, found 11 bytes of values"},
		"values over":       {append(slices.Clone(good), 0), "want 16 bytes for the shape (2, 2) of <f4, found 17 bytes of values"},
		"complex":           {header(dict("<c8", false, "(2, 2)")), `want values of type float16, float32, float64 or an integer type, found "<c8"`},
		"objects":           {header(dict("|O", false, "(2, 2)")), `found "|O"`},
		"records":           {header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}"), "byte 20: want a plain string"},
		"overflow":          {header(dict("<f4", false, "(4611686018427387904, 4611686018427387904)")), "want a shape that a file can have"},
		"too large":         {header(dict("<f4", false, "(99999999999999999999,)")), "want a dimension"},
		"negative":          {header(dict("<f4", false, "(-2, 2)")), `want a dimension, found "-2, 2), }`},
		"no shape":          {header("{'descr': '<f4', 'fortran_order': False}"), "want the keys descr, fortran_order and shape, found 2 of them"},
		"twice":             {header("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (4,)}"), "want each key once"},
		"other key":         {header("{'kind': 1}"), `found "kind"`},
		"order":             {header("{'fortran_order': 1}"), "want True or False"},
		"more text":         {header(dict("<f4", false, "(4,)") + "import os"), "want the header to end with its dict"},
		"fortran in three":  {header(dict("<f4", true, "(2, 1, 2)")), "want 3 dimensions by rows"},
		"string never ends": {header("{'descr"), "want a plain string"},
		"two byte orders":   {header(dict("<>f4", false, "(2, 2)")), `found "<>f4"`},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "bad.npy")
			if err := os.WriteFile(path, c.content, 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := npy.Open(path)
			if _, ok := errors.AsType[*npy.FormatError](err); !ok || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), path) {
				t.Errorf("want %q, found %v", c.want, err)
			}
		})
	}
	if _, err := npy.Open(t.TempDir()); err == nil {
		t.Error("want an error for a folder")
	}
	if _, err := npy.Open("no such file"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("want the system's error, found %v", err)
	}
}

// TestFileThatShrinks is read after it was cut.
func TestFileThatShrinks(t *testing.T) {
	path := file(t, dict("<f4", false, "(2, 2)"), binary.LittleEndian, []float32{1, 2, 3, 4})
	f, err := npy.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, _ := os.Stat(path)
	if err := os.Truncate(path, info.Size()-6); err != nil {
		t.Fatal(err)
	}
	err = npy.Read(f, 1, make([]float32, 2))
	if bad, ok := errors.AsType[*npy.FormatError](err); !ok || bad.Byte != info.Size()-6 {
		t.Errorf("want the byte where the file ends, found %v", err)
	}
}

// TestGolden reads what NumPy wrote.
func TestGolden(t *testing.T) {
	var ref struct{ X [][]float64 }
	kapturetest.SharedJSON(t, &ref, "golden", "whiten", "whiten.json")
	rows, cols, got, err := npy.ReadAll[float64](kapturetest.Shared(t, "golden", "whiten", "X.npy"))
	if err != nil || rows != 40 || cols != 32 || !slices.Equal(got, slices.Concat(ref.X...)) {
		t.Errorf("found %d × %d, %v", rows, cols, err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(content(f, dict("<f4", false, "(2, 2)"), binary.LittleEndian, []float32{1, 2, 3, 4}))
	f.Add(content(f, dict(">f8", true, "(2, 2)"), binary.LittleEndian, []float64{1, 2, 3, 4}))
	f.Add([]byte("\x93NUMPY\x02\x00\x10\x00\x00\x00{'shape': (1,)} "))
	path := filepath.Join(f.TempDir(), "f.npy")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		rows, cols, data, err := npy.ReadAll[float64](path)
		if err == nil && (len(data) != rows*cols || len(data) > len(text)) {
			t.Errorf("found %d values of %d × %d in %d bytes", len(data), rows, cols, len(text))
		}
	})
}

func BenchmarkRead(b *testing.B) {
	const rows, cols = 4096, 2048
	path := filepath.Join(b.TempDir(), "big.npy")
	if err := npy.Write(path, rows, cols, make([]float32, rows*cols)); err != nil {
		b.Fatal(err)
	}
	f, err := npy.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	block := make([]float32, 1024*cols)
	b.SetBytes(4 * rows * cols)
	for b.Loop() {
		for from := 0; from < rows; from += 1024 {
			if err := npy.Read(f, from, block); err != nil {
				b.Fatal(err)
			}
		}
	}
}
