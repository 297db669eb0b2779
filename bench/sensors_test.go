package bench

import (
	"path/filepath"
	"testing"

	"locbench/kapture"
)

// poseSensors returns the cameras that a run wrote with its poses.
func poseSensors(t *testing.T, dir string, o Options) map[string]string {
	t.Helper()
	mustRun(t, dir, o)
	d, err := kapture.Open(filepath.Join(o.Out, "poses", "toy", "ewb_top1"))
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Cameras) != 3 {
		t.Errorf("want 3 localized queries, found %d", len(d.Cameras))
	}
	focal := map[string]string{}
	for _, c := range d.Cameras {
		s, ok := d.Sensor(c.Sensor)
		if !ok {
			t.Fatalf("%s has no camera", c.Path)
		}
		focal[c.Path] = s.ID + " " + s.Params[3]
	}
	return focal
}

// TestDatasetsShareCameraID: query datasets are made apart from each other and
// often call their cameras alike.
func TestDatasetsShareCameraID(t *testing.T) {
	o := Options{TopK: []int{1}, Methods: []string{"ewb"}}
	for _, split := range []string{"night", "day"} { // of the dataset night: one of its own, or the same
		dir := toyScene(t)
		replace(t, dir, "scene.yaml", "split: night", "split: "+split)
		replace(t, dir, "night/sensors/records_camera.txt", "0, ncam", "7, qcam")
		replace(t, dir, "night/sensors/sensors.txt", "ncam", "qcam")
		o.Out = t.TempDir()
		if got := poseSensors(t, dir, o); got["q0.jpg"] != "qcam 50" || got["n0.jpg"] != "qcam 50" {
			t.Errorf("one camera: found %v", got)
		}
		// The camera of the night changes: the same run must see it.
		replace(t, dir, "night/sensors/sensors.txt", ", 50,", ", 60,")
		if got := poseSensors(t, dir, o); got["q0.jpg"] != "day/qcam 50" || got["n0.jpg"] != "night/qcam 60" {
			t.Errorf("two cameras: found %v", got)
		}
		replace(t, dir, "night/sensors/sensors.txt", ", 60,", ", 50,")
		replace(t, dir, "night/sensors/records_camera.txt", "7, qcam", "0, qcam")
		if got := poseSensors(t, dir, o); got["q0.jpg"] != "day/qcam 50" || got["n0.jpg"] != "night/qcam 50" {
			t.Errorf("one camera at one time: found %v", got)
		}
	}
}

// TestRenamedFeature: the contents of the files are the same, in the same
// order, but they are other images'.
func TestRenamedFeature(t *testing.T) {
	dir, o := toyScene(t), Options{Out: t.TempDir(), TopK: []int{1}, Methods: []string{"ewb"}}
	remove(t, filepath.Join(dir, toyFeatures, "m3.jpg.gfeat"))
	mustRun(t, dir, o)
	before := outputs(t, o.Out)["pairs/toy.txt"]
	put(t, dir, toyFeatures+"m3.jpg.gfeat", floats(t, [4]float32{0, 0, 1})) // was m2's
	remove(t, filepath.Join(dir, toyFeatures, "m2.jpg.gfeat"))
	mustRun(t, dir, o)
	if after := outputs(t, o.Out)["pairs/toy.txt"]; after == before {
		t.Errorf("the pairs are as before:\n%s", after)
	}
}
