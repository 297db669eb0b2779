package scenes

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture"
	"locbench/kapture/geom"
)

// pinhole is a camera of the tiny datasets.
func pinhole(id string) kapture.Sensor {
	return kapture.Sensor{ID: id, Type: "camera", Params: []string{"PINHOLE", "64", "48", "50", "50", "32", "24"}}
}

// dataset makes a dataset of one camera with an image and a pose for every name.
func dataset(camera string, images ...string) *kapture.Dataset {
	d := &kapture.Dataset{Version: "1.1", Sensors: []kapture.Sensor{pinhole(camera)}}
	for i, name := range images {
		pose := geom.Identity()
		pose.T = r3.Vec{X: float64(i)}
		d.Cameras = append(d.Cameras, kapture.FileRecord{Timestamp: int64(i), Sensor: camera, Path: name})
		d.Trajectories = append(d.Trajectories, kapture.DevicePose{Timestamp: int64(i), Device: camera,
			Pose: kapture.PartialPose{Pose: pose, HasRotation: true, HasTranslation: true}})
	}
	return d
}

// write writes a dataset and an empty file for every image.
func write(t *testing.T, d *kapture.Dataset, dir string) {
	t.Helper()
	if err := d.Write(dir); err != nil {
		t.Fatal(err)
	}
	for _, rec := range d.Cameras {
		put(t, filepath.Join(dir, "sensors", "records_data", rec.Path), "image")
	}
}

// put writes a file and the folders above it.
func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// replace changes the text of a file.
func replace(t *testing.T, path, old, new string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), old, new, 1)
	if changed == string(text) {
		t.Fatalf("%s does not hold %q:\n%s", path, old, text)
	}
	put(t, path, changed)
}

// features writes features of one kind: rows × dsize values for every image.
func features(t *testing.T, dir string, kind kapture.FeatureKind, h kapture.FeatureHeader, rows map[string][]float32) {
	t.Helper()
	w, err := kapture.CreateFeatures(dir, kind, h)
	if err != nil {
		t.Fatal(err)
	}
	for image, values := range rows {
		if err := w.Write(image, values); err != nil {
			t.Fatal(err)
		}
	}
}

// tinyScene writes a folder with the usual layout, three mapping images
// (m/0.jpg …), two day queries (d/0.jpg …) and one at night (n/0.jpg), and with
// orphan global features gf (2 values), keypoints and descriptors kp.
func tinyScene(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tiny")
	write(t, dataset("map", "m/2.jpg", "m/0.jpg", "m/1.jpg"), filepath.Join(dir, "mapping"))
	write(t, dataset("cam", "d/0.jpg", "d/1.jpg"), filepath.Join(dir, "query_day"))
	write(t, dataset("cam", "n/0.jpg"), filepath.Join(dir, "query_night"))
	global, keypoints, descriptors := map[string][]float32{}, map[string][]float32{}, map[string][]float32{}
	for i, name := range []string{"m/0.jpg", "m/1.jpg", "m/2.jpg", "d/0.jpg", "d/1.jpg", "n/0.jpg"} {
		global[name] = []float32{1, float32(i)}
		keypoints[name] = []float32{1, 2, 3, 4}
		descriptors[name] = []float32{1, 0, 0, 0, 1, 0}
	}
	features(t, globalDir(dir), kapture.GlobalFeatures, kapture.FeatureHeader{Name: "gf", DType: "float32", DSize: 2, Metric: "L2"}, global)
	features(t, localDir(dir, kapture.Keypoints), kapture.Keypoints, kapture.FeatureHeader{Name: "kp", DType: "float32", DSize: 2}, keypoints)
	features(t, localDir(dir, kapture.Descriptors), kapture.Descriptors,
		kapture.FeatureHeader{Name: "kp", DType: "float32", DSize: 3, KeypointsType: "kp", Metric: "L2"}, descriptors)
	return dir
}

func globalDir(dir string) string {
	return filepath.Join(dir, "global_features", "gf", "global_features")
}

func localDir(dir string, kind kapture.FeatureKind) string {
	return filepath.Join(dir, "local_features", "kp", string(kind))
}

func mustOpen(t *testing.T, ref string, o Options) *Scene {
	t.Helper()
	s, err := Open(ref, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func names(images []Image) string {
	var out []string
	for _, im := range images {
		name := im.Name
		if im.Split != "" {
			name = fmt.Sprintf("%s:%s", im.Split, im.Name)
		}
		out = append(out, name)
	}
	return strings.Join(out, " ")
}
