package kapture

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/gonum/num/quat"
	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
)

func pose(angle, x float64) PartialPose {
	q := quat.Number{Real: math.Cos(angle / 2), Kmag: math.Sin(angle / 2)}
	return PartialPose{Pose: geom.Pose{R: q, T: r3.Vec{X: x}}, HasRotation: true, HasTranslation: true}
}

func TestImagePoses(t *testing.T) {
	only := func(p PartialPose, rotation, translation bool) PartialPose {
		p.HasRotation, p.HasTranslation = rotation, translation
		if !rotation {
			p.R = geom.Identity().R
		}
		if !translation {
			p.T = r3.Vec{}
		}
		return p
	}
	d := &Dataset{
		Rigs: []RigMember{
			{"car", "head", pose(0.3, 2)}, {"head", "cam", pose(-0.1, 1)}, {"head", "loose", PartialPose{Pose: geom.Identity()}},
			{"spare", "cam", pose(1, 9)}, {"head", "turned", only(pose(0.2, 0), true, false)},
		},
		Trajectories: []DevicePose{
			{1, "car", pose(0.5, 3)}, {1, "cam", pose(0.7, 4)},
			{2, "car", pose(0.5, 3)}, {2, "spare", pose(0.1, 1)},
			{3, "head", pose(0.5, 3)}, {3, "car", pose(9, 9)},
			{4, "car", only(pose(0.5, 0), true, false)},
			{5, "car", only(pose(0, 3), false, true)}, {6, "car", pose(0.5, 3)},
			{7, "cam", only(pose(0, 3), false, true)}, {7, "car", pose(0.5, 3)}, {8, "car", pose(0.5, 3)},
		},
		Cameras: []FileRecord{
			{1, "cam", "own"}, {2, "cam", "nearest"}, {3, "cam", "nested"}, {4, "cam", "rotation"}, {5, "cam", "translation"},
			{6, "loose", "loose"}, {7, "cam", "partial"}, {8, "turned", "turned"}, {9, "cam", "none"},
		},
	}
	head := pose(0.3, 2)
	want := map[string]PartialPose{
		"own":         pose(0.7, 4),
		"nearest":     pose(0.1, 1).Then(pose(1, 9)), // one mount away; the car is two
		"nested":      pose(0.5, 3).Then(pose(-0.1, 1)),
		"rotation":    only(pose(0.5+0.3-0.1, 0), true, false),
		"partial":     only(pose(0, 3), false, true),
		"translation": only(pose(0, 3).Then(head).Then(pose(-0.1, 1)), false, true),
		"turned":      only(pose(0.5+0.3+0.2, 0), true, false),
	}
	got, err := d.ImagePoses()
	if err != nil {
		t.Fatal(err)
	}
	for image, w := range want {
		g, ok := got[image]
		if !ok || g.HasRotation != w.HasRotation || g.HasTranslation != w.HasTranslation ||
			geom.Angle(g.R, w.R) > 1e-12 || r3.Norm(r3.Sub(g.T, w.T)) > 1e-12 {
			t.Errorf("%s: got %+v, want %+v", image, g, w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %d poses, want %d", len(got), len(want))
	}
	d.Rigs = append(d.Rigs, RigMember{"cam", "car", pose(0, 0)})
	_, err = d.ImagePoses()
	checkInputError(t, err, "want rigs without a cycle")
}

func TestWarnings(t *testing.T) {
	d, err := OpenFS(dataset(map[string]string{
		"sensors/trajectories.txt":   head + "1, cam, 0.999999, 0, 0, 0, 0, 0, 0\n2, cam, 3, 0, 4, 0, 0, 0, 0\n3, ghost, 0, 0.1, 0, 0, 0, 0, 0\n",
		"sensors/records_camera.txt": head + "1, cam, a.jpg\n1, other, b.jpg\n",
	}), "ds")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"ds/sensors/trajectories.txt:3: quaternion of norm 5 normalised; 2 such in the file",
		`ds/sensors/trajectories.txt: 1 lines of devices that sensors.txt and rigs.txt do not name, the first "ghost"`,
		`ds/sensors/records_camera.txt: 1 lines of devices that sensors.txt and rigs.txt do not name, the first "other"`,
	}
	if diff := cmp.Diff(want, d.Warnings()); diff != "" {
		t.Error(diff)
	}
	for _, p := range d.Trajectories {
		if n := quat.Abs(p.Pose.R); math.Abs(n-1) > 1e-15 {
			t.Errorf("norm %v", n)
		}
	}
}

func TestMerge(t *testing.T) {
	open := func(name, camera, trajectory, records string) *Dataset {
		t.Helper()
		files := map[string]string{"sensors/sensors.txt": head + camera}
		if trajectory != "" {
			files["sensors/trajectories.txt"] = head + trajectory
		}
		if records != "" {
			files["sensors/records_camera.txt"] = head + records
		}
		d, err := OpenFS(dataset(files), name)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	a := open("map", "c, , camera, PINHOLE, 1, 1, 1, 1, 0, 0\nx, , lidar\n", "1, c, 1, 0, 0, 0, 0, 0, 0\n", "1, c, a.jpg\n")
	b := open("query", "c, , camera, PINHOLE, 1, 1, 1, 1, 0, 0\nd, , lidar\n", "1, c, 1, 0, 0, 0, 0, 0, 0\n", "2, c, b.jpg\n1, c, a.jpg\n")
	m, err := Merge(a, b)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Sensors) != 3 || len(m.Trajectories) != 1 || len(m.Cameras) != 2 || m.Rigs != nil || m.Cameras[1].Path != "b.jpg" {
		t.Errorf("got %+v", m)
	}
	if _, ok := m.Sensor("d"); !ok {
		t.Error("sensor d is missing")
	}
	bad := open("bad", "c, other, camera, PINHOLE, 1, 1, 1, 1, 0, 0\n", "1, c, 1, 0, 0, 0, 7, 0, 0\n", "3, c, a.jpg\n")
	_, err = Merge(a, b, bad)
	checkInputError(t, err,
		`bad/sensors/sensors.txt: want the line of map/sensors/sensors.txt, "c, , camera, PINHOLE, 1, 1, 1, 1, 0, 0", found "c, other, camera`,
		`bad/sensors/trajectories.txt: want the line of map/sensors/trajectories.txt, "1, c, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0", found "1, c, 1.0, 0.0, 0.0, 0.0, 7.0, 0.0, 0.0"`,
		`bad/sensors/records_camera.txt: want the line of map/sensors/records_camera.txt, "1, c, a.jpg", found "3, c, a.jpg"`)
}

func TestVersion10(t *testing.T) {
	old := "# kapture format: 1.0\n"
	d, err := OpenFS(dataset(map[string]string{
		"sensors/sensors.txt":                            old + "cam, , camera, UNKNOWN_CAMERA, 640, 480\n",
		"reconstruction/keypoints/keypoints.txt":         old + "sift, float32, 2\n",
		"reconstruction/keypoints/sub/a.jpg.kpt":         "\x00\x00\x80\x3f\x00\x00\x00\x40",
		"reconstruction/descriptors/descriptors.txt":     old + "hog, uint8, 2\n",
		"reconstruction/descriptors/sub/a.jpg.desc":      "\x01\x02",
		"reconstruction/matches/a.overlapping/b.matches": strings.Repeat("\x00", 24),
		"reconstruction/observations.txt":                old + "0, a.jpg, 1, b.jpg, 2\n",
	}), "ds")
	if err != nil {
		t.Fatal(err)
	}
	if d.Version != "1.0" {
		t.Errorf("got version %s", d.Version)
	}
	k, err := d.Features(Keypoints, "sift")
	if err != nil {
		t.Fatal(err)
	}
	if v, err := k.Float32("sub/a.jpg", nil); err != nil || !slices.Equal(v, []float32{1, 2}) {
		t.Errorf("got %v, %v", v, err)
	}
	f, err := d.Features(Descriptors, "hog")
	if err != nil || f.Header().KeypointsType != "sift" {
		t.Errorf("got %v, %+v", err, f.Header())
	}
	m, err := d.Matches("sift")
	if err != nil || len(m.Pairs()) != 1 {
		t.Errorf("got %v", err)
	}
	o, err := d.Observations()
	if err != nil {
		t.Fatal(err)
	}
	for ref, views := range o.All() {
		if ref != (PointRef{0, "sift"}) || !slices.Equal(views, []View{{"a.jpg", 1}, {"b.jpg", 2}}) {
			t.Errorf("got %v %v", ref, views)
		}
	}
}

// TestParallelText reads files of many blocks and compares with one worker,
// line numbers of bad lines included.
func TestParallelText(t *testing.T) {
	var points, seen, broken strings.Builder
	points.WriteString("\xef\xbb\xbf" + head)
	seen.WriteString(head)
	broken.WriteString(head)
	for i := range 60_000 {
		fmt.Fprintf(&points, "%d.25, %d, -1e-3\r\n", i, -i)
		fmt.Fprintf(&seen, "%d, type%d, images/of/folder%d/image%d.jpg, %d, b.jpg, 1\n\n", i, i%3, i%70, (i*7919)%1000, i)
		if i%7000 == 6999 {
			fmt.Fprintln(&broken, "1, 2")
		}
		fmt.Fprintf(&broken, "%d, %0100d, 3\n", i, i)
	}
	fsys := dataset(map[string]string{"reconstruction/points3d.txt": points.String(), "reconstruction/observations.txt": seen.String()})
	read := func(procs int) (*Points3D, string, string) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		d, err := OpenFS(fsys, "ds")
		if err != nil {
			t.Fatal(err)
		}
		p, err := d.Points3D()
		if err != nil {
			t.Fatal(err)
		}
		o, err := d.Observations()
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := o.write(&b); err != nil {
			t.Fatal(err)
		}
		_, err = readPoints3D(strings.NewReader(broken.String()), "broken", int64(broken.Len()))
		return p, b.String() + strings.Join(o.Images(), " "), err.Error()
	}
	p1, o1, e1 := read(1)
	p4, o4, e4 := read(4)
	if !slices.Equal(p1.XYZ, p4.XYZ) || len(p1.XYZ) != 60_000 || p1.XYZ[59_999] != (r3.Vec{X: 59_999.25, Y: -59_999, Z: -1e-3}) {
		t.Error("points differ")
	}
	if o1 != o4 || strings.Count(o1, "\n") != 60_002 {
		t.Error("observations differ")
	}
	if e1 != e4 || !strings.Contains(e1, "broken:7001: want 3 fields") || !strings.Contains(e1, "broken:56008: want 3 fields") {
		t.Errorf("errors differ:\n%s\n%s", e1, e4)
	}
}

func TestObservationsAdd(t *testing.T) {
	var o Observations
	o.Add(3, "sift", View{"b.jpg", 1}, View{"a.jpg", 2})
	o.Add(4, "sift")
	o.Add(3, "r2d2", View{"b.jpg", 7})
	dir := t.TempDir()
	if err := o.Write(dir); err != nil {
		t.Fatal(err)
	}
	want := head + "# point3d_id, keypoints_type, [image_path, feature_id]*\n3, sift, b.jpg, 1, a.jpg, 2\n4, sift\n3, r2d2, b.jpg, 7\n"
	if got := contents(t, dir)["reconstruction/observations.txt"]; got != want {
		t.Errorf("got\n%s", got)
	}
	if o.Len() != 3 || o.Views() != 3 || !slices.Equal(o.Images(), []string{"a.jpg", "b.jpg"}) {
		t.Errorf("got %d lines, %d views, images %v", o.Len(), o.Views(), o.Images())
	}
	o.Add(5, "sift", View{"../b.jpg", 1})
	if err := o.Write(dir); err == nil {
		t.Error("a path out of the dataset was written")
	}
}
