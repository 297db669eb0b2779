package kapture

import (
	"bytes"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// fuzzTable reads data as a table, writes what was read and reads that: the
// rows must not change, and writing again must give the same bytes.
func fuzzTable[T any](t *testing.T, c codec[T], data []byte) {
	t.Helper()
	read := func(b []byte) ([]T, error) {
		var bad problems
		rows, _, err := c.read(newBlockReader(bytes.NewReader(b), "f"), int64(len(b)), map[string]string{}, &bad)
		if err == nil {
			err = bad.err()
		}
		return rows, err
	}
	rows, err := read(data)
	if err != nil {
		return
	}
	var first, second bytes.Buffer
	if err := c.write(&first, rows); err != nil {
		t.Fatalf("%s: writing what was read: %v", c.columns, err)
	}
	again, err := read(first.Bytes())
	if err != nil {
		t.Fatalf("%s: reading what was written: %v\n%s", c.columns, err, first.String())
	}
	if err := c.write(&second, again); err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(again) || first.String() != second.String() {
		t.Errorf("%s:\n%s\nbecame\n%s", c.columns, first.String(), second.String())
	}
}

func FuzzTables(f *testing.F) {
	f.Add([]byte(head + "cam, name, camera, PINHOLE, 640, 480, 500, 500, 320, 240\nx, , lidar\n"))
	f.Add([]byte(head + "rig, cam, 1, 0, 0, 0, 0, 0, 0\nrig, b, , , , , 1e-7, 2, 3\nrig, c, 3, 4, 0, 0, , , \n"))
	f.Add([]byte("1, cam, 0.6, 0, 0.8, 0, 1, 2, 3\r\n# c\n\n 2 ,cam,-0.0,0,2e-300,0,1,2,3"))
	f.Add([]byte("1, cam, a/b.jpg\n2, cam, c d.jpg\n"))
	f.Add([]byte("1, gps, 1.5, 2, 3, 514850400, 5\n2, gps, 1.5, 2, 3, 1e300, 5\n"))
	f.Add([]byte("1, w, 68:72, 2417, -33.0, ssid, 0, 0\n"))
	f.Add([]byte("1, b, 68:72, -33.0,\n"))
	f.Add([]byte("q.jpg, m.jpg, 0.25\n"))
	f.Add([]byte("sift, float, 4\n"))
	f.Add([]byte("sift, <class 'numpy.uint8'>, 128, sift, L2\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzTable(t, sensorsTable(), data)
		fuzzTable(t, rigsTable(), data)
		fuzzTable(t, trajectoriesTable(), data)
		fuzzTable(t, camerasTable(), data)
		fuzzTable(t, gnssTable(), data)
		fuzzTable(t, wifiTable(), data)
		fuzzTable(t, bluetoothTable(), data)
		fuzzTable(t, magneticTable(), data)
		fuzzTable(t, pairsTable(), data)
		fuzzTable(t, featureHeaders(Keypoints), data)
		fuzzTable(t, featureHeaders(Descriptors), data)
	})
}

func FuzzPoints3D(f *testing.F) {
	f.Add([]byte(head + "1, 2, 3\n4.5e-7, 1e22, -0\n"))
	f.Add([]byte("2.546236239871685569e+01,2.1e+01,1.7e+01,1.9e+01,1.5e+01,1.4e+01\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		read := func(b []byte) (*Points3D, error) { return readPoints3D(bytes.NewReader(b), "f", int64(len(b))) }
		p, err := read(data)
		if err != nil {
			return
		}
		var first bytes.Buffer
		if err := p.write(&first); err != nil {
			t.Fatal(err)
		}
		again, err := read(first.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(p.XYZ, again.XYZ) || !slices.Equal(p.Colors, again.Colors) {
			t.Errorf("%s\nbecame %v", first.String(), again)
		}
	})
}

func FuzzObservations(f *testing.F) {
	f.Add([]byte(head + "0, sift, a.jpg, 1, b.jpg, 2\n7, sift\n"))
	f.Add([]byte("# kapture format: 1.0\n0, a.jpg, 1, b.jpg, 2\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		read := func(b []byte) (*Observations, error) {
			return readObservations(bytes.NewReader(b), "f", int64(len(b)), observationFormat{"1.1", "sift"})
		}
		o, err := read(data)
		if err != nil {
			return
		}
		var first, second bytes.Buffer
		if err := o.write(&first); err != nil {
			t.Fatal(err)
		}
		again, err := read(first.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if err := again.write(&second); err != nil {
			t.Fatal(err)
		}
		if first.String() != second.String() || o.Views() != again.Views() {
			t.Errorf("%s\nbecame\n%s", first.String(), second.String())
		}
	})
}

// FuzzTar opens and reads anything as a tar. Memory must stay near the size of
// the file, whatever sizes its headers claim.
func FuzzTar(f *testing.F) {
	whole := tarOf(f, "a.jpg.kpt", strings.Repeat("x", 600), "a.jpg.kpt", "ab")
	f.Add(whole)
	f.Add(whole[:700])
	f.Fuzz(func(t *testing.T, data []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		features, err := openTar(data)
		if err == nil {
			defer features.Close()
			for _, image := range features.Images() {
				if v, err := features.Float32(image, nil); err == nil && len(v) > len(data) {
					t.Errorf("%s: %d values from %d bytes", image, len(v), len(data))
				}
			}
		}
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20+64*uint64(len(data)) {
			t.Errorf("%d bytes allocated for a tar of %d", grown, len(data))
		}
	})
}

func FuzzFeature(f *testing.F) {
	f.Add("float16", 3, []byte("abcdef"))
	f.Add("uint64", 1, []byte("\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Add("<class 'numpy.int8'>", 2, []byte("\x80\x7f"))
	f.Fuzz(func(t *testing.T, dtype string, dsize int, data []byte) {
		h := FeatureHeader{Name: "x", DType: DType(dtype), DSize: dsize}
		fsys := fstest.MapFS{"a.jpg.kpt": &fstest.MapFile{Data: data}}
		var text bytes.Buffer
		if featureHeaders(Keypoints).write(&text, []FeatureHeader{h}) != nil {
			return
		}
		fsys["keypoints.txt"] = &fstest.MapFile{Data: text.Bytes()}
		features, err := openFeatures(fsys, ".", "ds", Keypoints)
		if err != nil {
			return
		}
		v, err := features.Float32("a.jpg", nil)
		if err != nil {
			return
		}
		stored := features.Header().DType
		raw, err := encode(stored, v, nil)
		if err != nil {
			return // an integer that float32 rounds up, or the like
		}
		if again := decode(stored, raw, []float32(nil)); len(again) != len(v) {
			t.Errorf("%d values became %d", len(v), len(again))
		} else {
			for i := range v {
				if v[i] != again[i] && v[i] == v[i] {
					t.Errorf("%v became %v", v[i], again[i])
				}
			}
		}
	})
}

func FuzzMatches(f *testing.F) {
	f.Add(bytes.Repeat([]byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f}, 3))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := openMatches(fstest.MapFS{"b.overlapping/a.matches": &fstest.MapFile{Data: data}}, ".", "ds")
		if err != nil {
			t.Fatal(err)
		}
		v, err := m.Read("b", "a")
		if err == nil && len(v) != len(data)/matchBytes {
			t.Errorf("%d matches from %d bytes", len(v), len(data))
		}
	})
}
