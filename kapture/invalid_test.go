package kapture

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"locbench/kapture/kapturetest"
)

const head = "# kapture format: 1.1\n"

// dataset is a file system of text files, with a minimal sensors.txt unless
// there is one.
func dataset(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	if _, ok := files["sensors/sensors.txt"]; !ok {
		fsys["sensors/sensors.txt"] = &fstest.MapFile{Data: []byte(head + "cam, , camera, PINHOLE, 640, 480, 500, 500, 320, 240\n")}
	}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

func TestOpenInvalid(t *testing.T) {
	tests := []struct {
		name, file, text string
		want             []string
	}{
		{"too few fields", "sensors/trajectories.txt", head + "# c\n1, cam, 1, 0, 0, 0, 0, 0\n",
			[]string{"ds/sensors/trajectories.txt:3: want 9 fields (timestamp, device_id, qw, qx, qy, qz, tx, ty, tz), found 8"}},
		{"too many fields", "sensors/records_camera.txt", head + "1, cam, a.jpg, b\n",
			[]string{"ds/sensors/records_camera.txt:2: want 3 fields (timestamp, device_id, image_path), found 4"}},
		{"no number", "sensors/trajectories.txt", head + "1, cam, 1, 0, zero, 0, 0, 0, 0\n",
			[]string{`ds/sensors/trajectories.txt:2: want a number as qy, found "zero"`}},
		{"no timestamp", "sensors/records_camera.txt", head + "1.5, cam, a.jpg\n",
			[]string{`ds/sensors/records_camera.txt:2: want an integer as timestamp, found "1.5"`}},
		{"timestamp too large", "sensors/records_camera.txt", head + "9223372036854775808, cam, a.jpg\n",
			[]string{`want an integer as timestamp, found "9223372036854775808"`}},
		{"NaN quaternion", "sensors/trajectories.txt", head + "1, cam, nan, 0, 0, 0, 0, 0, 0\n",
			[]string{`ds/sensors/trajectories.txt:2: want a finite number as qw, found "nan"`}},
		{"zero quaternion", "sensors/rigs.txt", head + "rig, cam, 0, 0, 0, 0, 0, 0, 0\n",
			[]string{"ds/sensors/rigs.txt:2: want a rotation, found a quaternion of norm 0"}},
		{"tiny quaternion", "sensors/rigs.txt", head + "rig, cam, 5e-324, 0, 0, 0, 0, 0, 0\n", []string{"want a rotation, found a quaternion of norm 5e-324"}},
		{"huge quaternion", "sensors/rigs.txt", head + "rig, cam, 1e308, 1e308, 1e308, 1e308, 0, 0, 0\n", []string{"want a rotation, found a quaternion of norm"}},
		{"half a rotation", "sensors/trajectories.txt", head + "1, cam, 1, 0, , , 0, 0, 0\n",
			[]string{"ds/sensors/trajectories.txt:2: want all of qw, qx, qy, qz or none, found 2 of 4"}},
		{"infinite translation", "sensors/trajectories.txt", head + "1, cam, 1, 0, 0, 0, inf, 0, 0\n", []string{`want a finite number as tx, found "inf"`}},
		{"duplicate record", "sensors/records_camera.txt", head + "1, cam, a.jpg\n\n1, cam, b.jpg\n",
			[]string{"ds/sensors/records_camera.txt:4: want each (timestamp, device_id) once, found the one of line 2 again"}},
		{"duplicate image", "sensors/records_camera.txt", head + "1, cam, a.jpg\n2, cam, a.jpg\n",
			[]string{"ds/sensors/records_camera.txt:3: want each image once, found the one of line 2 again"}},
		{"duplicate sensor", "sensors/sensors.txt", head + "a, , lidar\na, , lidar\n",
			[]string{"ds/sensors/sensors.txt:3: want each sensor_id once, found the one of line 2 again"}},
		{"parent", "sensors/records_camera.txt", head + "1, cam, ../a.jpg\n",
			[]string{`ds/sensors/records_camera.txt:2: want a path inside the dataset (no .., no empty element), found "../a.jpg"`}},
		{"inner parent", "sensors/records_lidar.txt", head + "1, cam, a/../../b\n", []string{`found "a/../../b"`}},
		{"absolute", "sensors/records_camera.txt", head + "1, cam, /etc/passwd\n", []string{`found the absolute path "/etc/passwd"`}},
		{"drive", "sensors/records_camera.txt", head + "1, cam, C:/a.jpg\n", []string{`found the absolute path "C:/a.jpg"`}},
		{"backslash", "sensors/records_camera.txt", head + "1, cam, ..\\..\\a.jpg\n", []string{`found a backslash in "..\\..\\a.jpg"`}},
		{"empty path", "sensors/records_depth.txt", head + "1, cam,\n", []string{"records_depth.txt:2: want a path inside the dataset (no .., no empty element), found an empty one"}},
		{"not UTF-8", "sensors/records_camera.txt", head + "1, cam, \xff.jpg\n", []string{`found "\xff.jpg"`}},
		{"empty device", "sensors/trajectories.txt", head + "1, , 1, 0, 0, 0, 0, 0, 0\n", []string{"want a device_id, found an empty field"}},
		{"camera without size", "sensors/sensors.txt", head + "c, , camera, PINHOLE\n",
			[]string{"ds/sensors/sensors.txt:2: want a camera's model, width and height, found 1 parameters"}},
		{"camera parameter", "sensors/sensors.txt", head + "c, , camera, PINHOLE, 640, 480, f\n", []string{`want a number as a camera parameter, found "f"`}},
		{"version", "sensors/sensors.txt", "# kapture format: 2.0\n", []string{`ds/sensors/sensors.txt:1: want kapture format 1.0 or 1.1, found "2.0"`}},
		{"rig is sensor", "sensors/rigs.txt", head + "cam, x, , , , , , ,\n", []string{`ds/sensors/rigs.txt: want a rig_id that is no sensor_id, found "cam"`}},
		{"rig cycle", "sensors/rigs.txt", head + "a, b, , , , , , ,\nb, c, , , , , , ,\nc, a, , , , , , ,\n",
			[]string{"ds/sensors/rigs.txt: want rigs without a cycle, found a on c on b on a"}},
		{"rig on itself", "sensors/rigs.txt", head + "a, a, , , , , , ,\n", []string{"want rigs without a cycle, found a on a"}},
		{"many", "sensors/records_camera.txt", head + strings.Repeat("1, cam\n", 25),
			[]string{"records_camera.txt:2:", "records_camera.txt:11:", "\nand 15 more"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := OpenFS(dataset(map[string]string{test.file: test.text}), "ds")
			checkInputError(t, err, test.want...)
		})
	}
}

func checkInputError(t *testing.T, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	var input *InputError
	if !errors.As(err, &input) {
		t.Errorf("got %v, which is no InputError", err)
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("got error\n%v\nwant\n%s", err, w)
		}
	}
	if n := strings.Count(err.Error(), "\n"); n > maxProblems {
		t.Errorf("got %d lines of errors", n+1)
	}
}

func TestProblemsOfAllTables(t *testing.T) {
	_, err := OpenFS(dataset(map[string]string{
		"sensors/records_camera.txt": head + "1, cam\n",
		"sensors/trajectories.txt":   head + "1, cam\n",
	}), "ds")
	checkInputError(t, err, "records_camera.txt:2", "trajectories.txt:2")
}

func TestNotKapture(t *testing.T) {
	sensors := &fstest.MapFile{Data: []byte(head)}
	const want = "ds: want a kapture folder (one with sensors/sensors.txt), found "
	for name, test := range map[string]struct {
		fsys fstest.MapFS
		want string
	}{
		"empty":    {fstest.MapFS{}, "an empty folder"},
		"other":    {fstest.MapFS{"a/b.txt": sensors}, "none here or in its sub-folders"},
		"mapping":  {fstest.MapFS{"mapping/sensors/sensors.txt": sensors, "x": sensors}, "it in ds/mapping"},
		"several":  {fstest.MapFS{"mapping/sensors/sensors.txt": sensors, "query/sensors/sensors.txt": sensors}, "it in ds/mapping, ds/query"},
		"too deep": {fstest.MapFS{"sensors.txt": sensors}, "the sensors folder of one: give the folder above it"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := OpenFS(test.fsys, "ds")
			checkInputError(t, err, want+test.want)
		})
	}
	file := filepath.Join(t.TempDir(), "scene.yaml")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := Open(file)
	checkInputError(t, err, "found a file")
	_, err = Open(filepath.Join(t.TempDir(), "nowhere"))
	checkInputError(t, err, "found no such folder")
}

func TestReconstructionInvalid(t *testing.T) {
	points := func(d *Dataset) error { _, err := d.Points3D(); return err }
	observations := func(d *Dataset) error { _, err := d.Observations(); return err }
	keypoints := func(d *Dataset) error {
		f, err := d.Features(Keypoints, "sift")
		if err != nil {
			return err
		}
		_, err = f.Float32("a.jpg", nil)
		return errors.Join(err, f.Close())
	}
	global := func(d *Dataset) error {
		f, err := d.Features(GlobalFeatures, "gem")
		if err != nil {
			return err
		}
		_, err = f.Float32("a.jpg", nil)
		return err
	}
	const r, k, g = "ds/reconstruction/", "reconstruction/keypoints/sift/", "reconstruction/global_features/gem/"
	tests := []struct {
		name  string
		read  func(d *Dataset) error
		files map[string]string
		want  string
	}{
		{"point fields", points, map[string]string{"reconstruction/points3d.txt": head + "1, 2, 3\n1, 2\n"},
			r + "points3d.txt:3: want 3 fields (X, Y, Z) or 6 (X, Y, Z, R, G, B), found 2"},
		{"point number", points, map[string]string{"reconstruction/points3d.txt": head + "1, 2, x\n"}, r + `points3d.txt:2: want a finite number in field 3, found "x"`},
		{"point NaN", points, map[string]string{"reconstruction/points3d.txt": head + "1, nan, 2\n"}, r + `points3d.txt:2: want a finite number in field 2, found "nan"`},
		{"colour beyond float32", points, map[string]string{"reconstruction/points3d.txt": head + "1, 2, 3, 4, 5, 6\n1, 2, 3, 4, 1e39, 6\n"}, r + `points3d.txt:3: want a colour in field 5, found "1e39"`},
		{"some colours", points, map[string]string{"reconstruction/points3d.txt": head + "1, 2, 3\n1, 2, 3, 4, 5, 6\n"}, r + "points3d.txt:3: want as many fields as the lines before, found 6"},
		{"half a view", observations, map[string]string{"reconstruction/observations.txt": head + "0, sift, a.jpg\n"},
			r + "observations.txt:2: want 2 fields and pairs of fields (point3d_id, keypoints_type, [image_path, feature_id]*), found 3"},
		{"negative point", observations, map[string]string{"reconstruction/observations.txt": head + "-1, sift, a.jpg, 0\n"}, r + `observations.txt:2: want the row of a point as point3d_id, found "-1"`},
		{"negative keypoint", observations, map[string]string{"reconstruction/observations.txt": head + "1, sift, a.jpg, -2\n"}, r + `observations.txt:2: want the row of a keypoint as feature_id, found "-2"`},
		{"observed path", observations, map[string]string{"reconstruction/observations.txt": head + "1, sift, ../a.jpg, 2\n"}, r + `observations.txt:2: want a path inside the dataset (no .., no empty element), found "../a.jpg"`},
		{"no such type", keypoints, map[string]string{"reconstruction/keypoints/r2d2/keypoints.txt": head + "r, float, 2\n"}, r + `keypoints: want type "sift", found r2d2`},
		{"no type", keypoints, nil, r + `keypoints: want type "sift", found none`},
		{"dtype", keypoints, map[string]string{k + "keypoints.txt": head + "r, complex, 2\n"}, "ds/" + k + `keypoints.txt:2: want a dtype (float16, float32, float64, int8 … int64, uint8 … uint64), found "complex"`},
		{"dsize", keypoints, map[string]string{k + "keypoints.txt": head + "r, float, 0\n"}, "ds/" + k + "keypoints.txt:2: want a dsize from 1 to 16777216, found 0"},
		{"header fields", keypoints, map[string]string{k + "keypoints.txt": head + "r, float, 2, sift, L2\n"}, "ds/" + k + "keypoints.txt:2: want the fields name, dtype, dsize, found 5"},
		{"no header line", keypoints, map[string]string{k + "keypoints.txt": head}, "ds/" + k + "keypoints.txt: want a line (name, dtype, dsize), found none"},
		{"two header lines", keypoints, map[string]string{k + "keypoints.txt": head + "r, float, 2\ns, float, 2\n"}, "ds/" + k + "keypoints.txt:3: want each type once, found the one of line 2 again"},
		{"feature length", keypoints, map[string]string{k + "keypoints.txt": head + "r, float32, 4\n", k + "a.jpg.kpt": strings.Repeat("x", 33)},
			"ds/" + k + "a.jpg.kpt: want a multiple of 16 bytes (rows of 4 float32), found 33"},
		{"no feature", keypoints, map[string]string{k + "keypoints.txt": head + "r, float32, 4\n"}, "ds/" + k + "a.jpg.kpt: want a file, found none"},
		{"global length", global, map[string]string{g + "global_features.txt": head + "r, float32, 2, L2\n", g + "a.jpg.gfeat": strings.Repeat("x", 16)},
			"ds/" + g + "a.jpg.gfeat: want 8 bytes (one row of 2 float32), found 16"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d, err := OpenFS(dataset(test.files), "ds")
			if err != nil {
				t.Fatal(err)
			}
			checkInputError(t, test.read(d), test.want)
		})
	}
}

func TestPairs(t *testing.T) {
	const text = head + "# query_image, map_image, score\nq/1.jpg, m/1.jpg, 0.5\nq/1.jpg, m/2.jpg, 1e-05\n"
	pairs, err := ReadPairs(strings.NewReader(text), "p.txt")
	if err != nil || len(pairs) != 2 || pairs[1] != (Pair{"q/1.jpg", "m/2.jpg", 1e-5}) {
		t.Fatalf("got %v, %v", pairs, err)
	}
	var b bytes.Buffer
	n, err := pairs.WriteTo(&b)
	if err != nil || b.String() != text || n != int64(b.Len()) {
		t.Errorf("wrote %d bytes, %v:\n%s", n, err, b.String())
	}
	for line, want := range map[string]string{
		"a.jpg, b.jpg":              "p.txt:2: want 3 fields (query_image, map_image, score), found 2",
		"a.jpg, b.jpg, high":        `p.txt:2: want a number as score, found "high"`,
		"a.jpg, b.jpg, nan":         `p.txt:2: want a finite number as score, found "nan"`,
		"a.jpg, ../b.jpg, 1":        `p.txt:2: want a path inside the dataset (no .., no empty element), found "../b.jpg"`,
		"a, b, 1\nb, a, 1\na, b, 1": "p.txt:4: want each (query_image, map_image) once, found the one of line 2 again",
	} {
		_, err := ReadPairs(strings.NewReader(head+line+"\n"), "p.txt")
		checkInputError(t, err, want)
	}
}

func TestPairsOfTheReference(t *testing.T) {
	for _, name := range []string{"pairs_query_top20.txt", "pairs_mapping_top5.txt"} {
		want, err := os.ReadFile(kapturetest.Shared(t, "golden", "virtual_gallery", name))
		if err != nil {
			t.Fatal(err)
		}
		pairs, err := ReadPairs(bytes.NewReader(want), name)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if _, err := pairs.WriteTo(&got); err != nil || got.String() != string(want) {
			t.Errorf("%s: %v, written text differs", name, err)
		}
	}
}

// deniedFS is a file system that refuses everything.
type deniedFS struct{}

func (deniedFS) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
}

// TestFileErrors checks that trouble with files is not taken for bad data and
// names the file in full.
func TestFileErrors(t *testing.T) {
	_, err := OpenFS(deniedFS{}, "ds")
	var input *InputError
	if err == nil || errors.As(err, &input) || !errors.Is(err, fs.ErrPermission) || err.Error() != "open ds/sensors/sensors.txt: permission denied" {
		t.Errorf("got %v", err)
	}
	if _, err := openFeatures(deniedFS{}, "f", "ds/f", Keypoints); err == nil || err.Error() != "open ds/f/keypoints.txt: permission denied" {
		t.Errorf("got %v", err)
	}
	if _, err := openMatches(deniedFS{}, "m", "ds/m"); err == nil || err.Error() != "open ds/m/matches.tar: permission denied" {
		t.Errorf("got %v", err)
	}
	_, err = ReadPairs(iotest.ErrReader(io.ErrClosedPipe), "p.txt")
	if !errors.Is(err, io.ErrClosedPipe) || err.Error() != "read p.txt: io: read/write on closed pipe" {
		t.Errorf("got %v", err)
	}
}

func TestSensorCamera(t *testing.T) {
	d, err := OpenFS(dataset(map[string]string{"sensors/sensors.txt": head +
		"a, , camera, SIMPLE_RADIAL, 640, 480, 500, 320, 240, -0.1\nu, , depth, UNKNOWN_CAMERA, 640, 480\nl, , lidar\n" +
		"m, , camera, MAGIC, 640, 480\np, , camera, PINHOLE, 640, 480, 500\nw, , camera, PINHOLE, 640.5, 480, 500, 500, 1, 1\n"}), "ds")
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{
		"l": `sensor "l": want a camera, found a sensor of type "lidar"`, "m": `found "MAGIC"`,
		"p": "want 4 parameters of camera model PINHOLE (fx, fy, cx, cy), found 1", "w": "want a width and a height in pixels, found 640.5 x 480",
	} {
		s, ok := d.Sensor(id)
		if !ok {
			t.Fatalf("no sensor %s", id)
		}
		_, err := s.Camera()
		checkInputError(t, err, want)
	}
	for id, want := range map[string]CameraParams{"a": {"SIMPLE_RADIAL", 640, 480, []float64{500, 320, 240, -0.1}}, "u": {"UNKNOWN_CAMERA", 640, 480, nil}} {
		s, _ := d.Sensor(id)
		if c, err := s.Camera(); err != nil || !reflect.DeepEqual(c, want) {
			t.Errorf("got %+v, %v, want %+v", c, err, want)
		}
	}
	d.Sensors = append(d.Sensors[1:], Sensor{ID: "new"})
	for id, want := range map[string]bool{"a": false, "u": true, "new": true} {
		if s, ok := d.Sensor(id); ok != want || ok && s.ID != id {
			t.Errorf("%s: got %+v, %v", id, s, ok)
		}
	}
}

func TestDType(t *testing.T) {
	for text, want := range map[string]DType{
		"float": Float64, "int": Int64, "float32": Float32, "np.float16": Float16, "numpy.uint8": Uint8, "<class 'numpy.float32'>": Float32,
		"<class 'float'>": Float64, "half": Float16, "single": Float32, "double": Float64, "uint64": Uint64,
	} {
		if got, ok := parseDType(text); !ok || got != want {
			t.Errorf("%s: got %s, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "str", "bool", "float128", "Float32", "eval(x)"} {
		if _, ok := parseDType(text); ok {
			t.Errorf("%s was accepted", text)
		}
	}
}
