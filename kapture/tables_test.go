package kapture

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// everyTable is a dataset with a row in each of its tables.
func everyTable() *Dataset {
	d := full()
	d.Sensors[0].Name = "left"
	d.Lidars = []FileRecord{{1, "cam", "a/1.pcd"}}
	return d
}

// TestMergeAllTables merges a dataset with none and with itself: no table is
// lost, no row doubled.
func TestMergeAllTables(t *testing.T) {
	for name, ds := range map[string][]*Dataset{
		"alone": {everyTable()}, "with an empty one": {{}, everyTable()}, "with itself": {everyTable(), everyTable()},
	} {
		m, err := Merge(ds...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(everyTable(), m, tablesOnly); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
}

// TestUnknownDevicesOfAllTables takes the sensors away: each table has its
// warning.
func TestUnknownDevicesOfAllTables(t *testing.T) {
	d := everyTable()
	d.Sensors, d.Rigs = []Sensor{}, nil
	d, _ = rewrite(t, d)
	var named []string
	for _, w := range d.Warnings() {
		file, _, _ := strings.Cut(w, ": ")
		named = append(named, filepath.Base(file))
	}
	slices.Sort(named)
	want := []string{"records_accelerometer.txt", "records_bluetooth.txt", "records_camera.txt", "records_depth.txt", "records_gnss.txt",
		"records_gyroscope.txt", "records_lidar.txt", "records_magnetic.txt", "records_wifi.txt", "trajectories.txt"}
	if !slices.Equal(named, want) {
		t.Errorf("want a warning of each of %v, found %v", want, named)
	}
}

func TestVersionWithoutHeader(t *testing.T) {
	d, err := OpenFS(dataset(map[string]string{"sensors/sensors.txt": "cam, , camera, PINHOLE, 640, 480, 500, 500, 320, 240\n"}), "ds")
	if err != nil || d.Version != "1.1" || len(d.Sensors) != 1 {
		t.Errorf("want version 1.1 and one sensor, found %+v, %v", d, err)
	}
}

// TestTenProblems lists ten bad lines, and says how many more there are.
func TestTenProblems(t *testing.T) {
	for lines, more := range map[int]string{1: "", 10: "", 11: "and 1 more", 25: "and 15 more"} {
		d, err := OpenFS(dataset(map[string]string{"reconstruction/points3d.txt": head + strings.Repeat("1, 2\n", lines)}), "ds")
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.Points3D()
		if err == nil {
			t.Fatalf("%d bad lines: want an error", lines)
		}
		listed := strings.Split(err.Error(), "\n")
		want := min(lines, 10)
		if more != "" {
			want++
		}
		if len(listed) != want || !strings.Contains(listed[0], "points3d.txt:2: ") || more != "" && listed[10] != more {
			t.Errorf("%d bad lines: want %d, the last %q, found\n%v", lines, want, more, err)
		}
	}
}

// TestTenProblemsOfSeveral counts those of all, in their order.
func TestTenProblemsOfSeveral(t *testing.T) {
	var all problems
	for part := range 2 {
		var p problems
		for i := range 7 {
			p.addf("f", 10*part+i+1, "bad")
		}
		all.merge(&p)
	}
	want := "f:1: bad\nf:2: bad\nf:3: bad\nf:4: bad\nf:5: bad\nf:6: bad\nf:7: bad\nf:11: bad\nf:12: bad\nf:13: bad\nand 4 more"
	if err := all.err(); err == nil || err.Error() != want {
		t.Errorf("want\n%s\nfound\n%v", want, err)
	}
	for range 4 {
		all.addf("g", 0, "worse")
	}
	if want, err := strings.Replace(want, "4 more", "8 more", 1), all.err(); err.Error() != want {
		t.Errorf("want\n%s\nfound\n%v", want, err)
	}
}

func TestBadPath(t *testing.T) {
	for _, good := range []string{"a", "a/b.jpg", "a b", "ä", "...", "a..b", "C", ".hidden"} {
		if why := badPath(good); why != "" {
			t.Errorf("%q is refused: %s", good, why)
		}
	}
	for bad, why := range map[string]string{
		"": "an empty one", `a\b`: "a backslash", "/a": "the absolute path", "C:": "the absolute path", "c:/a": "the absolute path",
		"a\x00b": "a zero byte", "..": `".."`, ".": `"."`, "a/../b": `"a/../b"`, "a//b": `"a//b"`, "a/": `"a/"`, "./a": `"./a"`, "\xff": `"\xff"`,
	} {
		if got := badPath(bad); !strings.Contains(got, why) {
			t.Errorf("%q: want %q, found %q", bad, why, got)
		}
	}
}

// TestIntegerTypes writes the ends of every integer type and reads them back;
// what lies beyond, or between two integers, is refused.
func TestIntegerTypes(t *testing.T) {
	for dtype, c := range map[DType]struct{ low, high, beyond float32 }{
		Int8: {-128, 127, 128}, Uint8: {0, 255, 256}, Int16: {-32768, 32767, 32768}, Uint16: {0, 65535, 65536},
		// The largest float32 below 2³¹, 2³², 2⁶³ and 2⁶⁴.
		Int32: {-1 << 31, 1<<31 - 128, 1 << 31}, Uint32: {0, 1<<32 - 256, 1 << 32},
		Int64: {-1 << 63, 1<<63 - 1<<39, 1 << 63}, Uint64: {0, 1<<64 - 1<<40, 1 << 64},
	} {
		raw, err := encode(dtype, []float32{c.low, 1, c.high}, nil)
		if err != nil {
			t.Errorf("%s: %v", dtype, err)
			continue
		}
		if got := decode(dtype, raw, []float64(nil)); len(raw) != 3*dtype.Size() || !slices.Equal(got, []float64{float64(c.low), 1, float64(c.high)}) {
			t.Errorf("%s: found %v in %d bytes", dtype, got, len(raw))
		}
		below := c.low*2 - 1 // float32: at the wide types, twice the lowest
		for _, v := range []float32{c.beyond, below, 0.5} {
			if _, err := encode(dtype, []float32{v}, nil); err == nil {
				t.Errorf("%s: %v is taken", dtype, v)
			}
		}
	}
}

// TestNamesWithEqualHashes forges a collision: names stay apart.
func TestNamesWithEqualHashes(t *testing.T) {
	var names nameTable
	names.reserve(3)
	const hash = 0x123456789abcdef0
	for i, name := range []string{"a", "b", "c", "b", "a"} {
		id, isNew := names.find([]byte(name), hash)
		if want := slices.Index([]string{"a", "b", "c"}, name); id != uint32(want) || isNew != (i < 3) {
			t.Errorf("%s: found number %d, new %v", name, id, isNew)
		}
	}
}

func TestMatchTypesAreFolders(t *testing.T) {
	d, err := OpenFS(dataset(map[string]string{
		"reconstruction/matches/sift/a.jpg.overlapping/b.jpg.matches": "", "reconstruction/matches/README": "x",
	}), "ds")
	if err != nil {
		t.Fatal(err)
	}
	if types, err := d.MatchTypes(); err != nil || !slices.Equal(types, []string{"sift"}) {
		t.Errorf("want sift, found %v, %v", types, err)
	}
}

// TestWhereNothingCanBeWritten puts a file in the place of the folder.
func TestWhereNothingCanBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	_, matches := CreateMatches(file)
	_, matchesTar := CreateMatchesTar(file)
	_, features := CreateFeatures(file, Keypoints, FeatureHeader{Name: "x", DType: Float32, DSize: 2})
	_, featuresTar := CreateFeaturesTar(file, Keypoints, FeatureHeader{Name: "x", DType: Float32, DSize: 2})
	for name, err := range map[string]error{
		"dataset": everyTable().Write(file), "points": (&Points3D{}).Write(file), "observations": (&Observations{}).Write(file),
		"matches": matches, "matches in a tar": matchesTar, "features": features, "features in a tar": featuresTar,
	} {
		if err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: want an error that names %s, found %v", name, file, err)
		}
	}
}

// TestTarThatShrinks cuts a tar after it was opened.
func TestTarThatShrinks(t *testing.T) {
	dir := t.TempDir()
	header := fmt.Sprintf("%sx, uint8, 2\n", head)
	for name, data := range map[string][]byte{"keypoints.txt": []byte(header), "keypoints.tar": tarOf(t, "a.jpg.kpt", "abcd")} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	f, err := OpenFeatures(dir, Keypoints)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Truncate(filepath.Join(dir, "keypoints.tar"), 514); err != nil { // two of the four bytes
		t.Fatal(err)
	}
	if v, err := f.Float32("a.jpg", nil); err == nil || !strings.Contains(err.Error(), "keypoints.tar") {
		t.Errorf("want an error of the tar, found %v, %v", v, err)
	}
}

// TestTarWithOneBlockOfZeros cuts the last block off tars of files of all kinds
// of lengths.
func TestTarWithOneBlockOfZeros(t *testing.T) {
	for _, size := range []int{0, 1, 2, 511, 512, 513} {
		data := tarOf(t, "a.jpg.kpt", strings.Repeat("x", size))
		if _, err := openTar(data); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
		_, err := openTar(data[:len(data)-512])
		checkInputError(t, err, "want two blocks of zeros")
	}
}
