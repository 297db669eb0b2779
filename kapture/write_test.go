package kapture

import (
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gonum.org/v1/gonum/num/quat"
	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
	"locbench/kapture/kapturetest"
)

// contents returns the files under a folder by their paths.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		files[filepath.ToSlash(rel)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// rewrite writes all text of a dataset into a new folder and opens that.
func rewrite(t *testing.T, d *Dataset) (*Dataset, map[string]string) {
	t.Helper()
	dir := t.TempDir()
	if err := d.Write(dir); err != nil {
		t.Fatal(err)
	}
	p, err := d.Points3D()
	if err == nil && p != nil {
		err = p.Write(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	o, err := d.Observations()
	if err == nil && o != nil {
		err = o.Write(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	again, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return again, contents(t, dir)
}

var tablesOnly = cmpopts.IgnoreUnexported(Dataset{})

func checkRewrite(t *testing.T, d *Dataset) {
	t.Helper()
	second, first := rewrite(t, d)
	if diff := cmp.Diff(d, second, tablesOnly); diff != "" {
		t.Errorf("reading what was written: (-want +got)\n%s", diff)
	}
	_, last := rewrite(t, second)
	if diff := cmp.Diff(first, last); diff != "" {
		t.Errorf("writing it again: (-first +second)\n%s", diff)
	}
}

// full is a dataset with all tables.
func full() *Dataset {
	pose := func(q, v bool) PartialPose {
		p := PartialPose{Pose: geom.Identity(), HasRotation: q, HasTranslation: v}
		if v {
			p.T = r3.Vec{X: 1e-7, Y: -2, Z: 1e22}
		}
		return p
	}
	return &Dataset{
		Version: "1.1",
		Sensors: []Sensor{
			{ID: "cam", Name: "left, no", Type: "camera", Params: []string{"PINHOLE", "640", "480", "500", "500", "320", "240"}},
			{ID: "imu", Type: "accelerometer"},
			{ID: "gps", Name: "Ä #1", Type: "gnss", Params: []string{"EPSG:4326"}},
		},
		Rigs:          []RigMember{{"rig", "cam", pose(true, true)}, {"car", "rig", pose(true, false)}, {"car", "imu", pose(false, false)}},
		Trajectories:  []DevicePose{{1, "car", pose(true, true)}, {2, "rig", pose(false, true)}, {-3, "cam", pose(true, false)}},
		Cameras:       []FileRecord{{1, "cam", "a/1.jpg"}, {9007199254740993, "cam", "a/2 b.jpg"}},
		Depths:        []FileRecord{{1, "cam", "a/1.depth"}},
		Lidars:        []FileRecord{},
		GNSS:          []GNSSRecord{{1, "gps", 13.4, 52.5, 27, 514850400, 5}, {2, "gps", 0, -1e-5, 1e16, 0.5, 0}},
		Wifi:          []WifiRecord{{1, "w", "68:72", 2417, -33, "net #1", 0, 7}, {1, "w", "68:73", 2417, -33.5, "", 0, 7}},
		Bluetooth:     []BluetoothRecord{{1, "b", "35:A8", -73, ""}},
		Accelerometer: []VectorRecord{{1, "imu", 0.1, -0.2, 9.81}},
		Gyroscope:     []VectorRecord{{1, "imu", 1, 2, 3}},
		Magnetic:      []VectorRecord{{1, "imu", 1e-300, 2, 3}},
	}
}

func TestWriteAllTables(t *testing.T) {
	d := full()
	if err := d.Write(t.TempDir()); err == nil || !strings.Contains(err.Error(), "left, no") {
		t.Fatalf("got error %v, want one about the comma in a name", err)
	}
	d.Sensors[0].Name = "left"
	checkRewrite(t, d)
	_, files := rewrite(t, d)
	want := "# kapture format: 1.1\n" +
		"# timestamp, device_id, qw, qx, qy, qz, tx, ty, tz\n" +
		"1, car, 1.0, 0.0, 0.0, 0.0, 1e-07, -2.0, 1e+22\n" +
		"2, rig, , , , , 1e-07, -2.0, 1e+22\n" +
		"-3, cam, 1.0, 0.0, 0.0, 0.0, , , \n"
	if got := files["sensors/trajectories.txt"]; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestWriteSamples(t *testing.T) {
	root := kapturetest.Shared(t, "data")
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.Name() != "sensors.txt" {
			return err
		}
		dir := filepath.Dir(filepath.Dir(path))
		rel, _ := filepath.Rel(root, dir)
		t.Run(filepath.ToSlash(rel), func(t *testing.T) {
			d, err := Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			checkRewrite(t, d)
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestMappingCameraPoses(t *testing.T) {
	var want map[string]struct {
		Q      []float64 `json:"q_wxyz_world_to_cam"`
		T      []float64 `json:"t_world_to_cam"`
		Center []float64 `json:"cam_center"`
	}
	kapturetest.SharedJSON(t, &want, "golden", "virtual_gallery", "mapping_camera_poses.json")
	d, err := Open(kapturetest.Shared(t, "data", "virtual_gallery_tutorial", "mapping"))
	if err != nil {
		t.Fatal(err)
	}
	poses, err := d.ImagePoses()
	if err != nil {
		t.Fatal(err)
	}
	if len(poses) != len(want) {
		t.Errorf("got %d poses, want %d", len(poses), len(want))
	}
	for image, w := range want {
		p := poses[image]
		c := p.Center()
		got := []float64{p.R.Real, p.R.Imag, p.R.Jmag, p.R.Kmag, p.T.X, p.T.Y, p.T.Z, c.X, c.Y, c.Z}
		all := append(append(w.Q, w.T...), w.Center...)
		if diff := cmp.Diff(all, got, cmpopts.EquateApprox(0, 1e-12)); diff != "" || !p.Complete() {
			t.Errorf("%s: %s", image, diff)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		change func(d *Dataset)
		want   string
	}{
		"comma":       {func(d *Dataset) { d.Sensors[0].Name = "a,b" }, `want text that a kapture file can hold, found "a,b"`},
		"line break":  {func(d *Dataset) { d.Cameras[0].Sensor = "a\nb" }, `found "a\nb"`},
		"blank":       {func(d *Dataset) { d.Cameras[0].Sensor = "a " }, `found "a "`},
		"comment":     {func(d *Dataset) { d.Sensors[0].ID = "#1" }, `found "#1"`},
		"parent":      {func(d *Dataset) { d.Cameras[0].Path = "../a.jpg" }, `records_camera.txt: want a path inside the dataset`},
		"twice":       {func(d *Dataset) { d.Cameras[1] = d.Cameras[0] }, "want each (timestamp, device_id) once, found that of row 0 again in row 1"},
		"image twice": {func(d *Dataset) { d.Cameras[1].Path = d.Cameras[0].Path }, "want each image once, found that of row 0 again in row 1"},
		"NaN":         {func(d *Dataset) { d.Trajectories[0].Pose.T.X = math.NaN() }, "want a finite number, found NaN"},
		"no rotation": {func(d *Dataset) { d.Trajectories[0].Pose.R = quat.Number{} }, "want a rotation, found a quaternion of norm 0"},
		"stale table": {func(d *Dataset) { d.Rigs = nil }, "rigs.txt: want no file, as the dataset has no such table, found one"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			d := full()
			d.Sensors[0].Name = "left"
			if err := d.Write(dir); err != nil {
				t.Fatal(err)
			}
			before := contents(t, dir)
			test.change(d)
			err := d.Write(dir)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if diff := cmp.Diff(before, contents(t, dir)); diff != "" && !strings.Contains(test.want, "rigs") {
				t.Errorf("a refused table changed the folder:\n%s", diff)
			}
		})
	}
}
