package trainset

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/gonum/num/quat"
	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture"
	"locbench/kapture/geom"
	"locbench/scenes/synth"
)

// shot is an image of a test scene: where it was taken, turned by some degrees
// about the vertical, and which points it sees.
type shot struct {
	name    string
	x       float64
	degrees float64
	points  []int
	noPose  bool
}

// writeScene writes a kapture dataset of shots.
func writeScene(t *testing.T, dir string, shots ...shot) {
	t.Helper()
	d := &kapture.Dataset{Version: "1.1", Sensors: []kapture.Sensor{{ID: "cam", Type: "camera", Params: []string{"SIMPLE_PINHOLE", "4", "4", "4", "2", "2"}}}}
	var seen kapture.Observations
	byPoint := map[int][]kapture.View{}
	for i, s := range shots {
		d.Cameras = append(d.Cameras, kapture.FileRecord{Timestamp: int64(i), Sensor: "cam", Path: s.name})
		if !s.noPose {
			a := s.degrees * math.Pi / 360
			pose := geom.FromCenter(quat.Number{Real: math.Cos(a), Jmag: math.Sin(a)}, r3.Vec{X: s.x})
			d.Trajectories = append(d.Trajectories, kapture.DevicePose{Timestamp: int64(i), Device: "cam",
				Pose: kapture.PartialPose{Pose: pose, HasRotation: true, HasTranslation: true}})
		}
		for k, p := range s.points {
			byPoint[p] = append(byPoint[p], kapture.View{Image: s.name, Keypoint: k})
		}
	}
	for p := range 100 {
		if views := byPoint[p]; views != nil {
			seen.Add(p, "one", views...)
			seen.Add(p, "two", views[:1]...) // the same again by other keypoints
		}
	}
	if err := d.Write(dir); err != nil {
		t.Fatal(err)
	}
	if err := seen.Write(dir); err != nil {
		t.Fatal(err)
	}
}

// wantRelations compares the relations of all pairs, row by row: + positive,
// - negative, o ignored.
func wantRelations(t *testing.T, s *Set, want ...string) {
	t.Helper()
	if s.Len() != len(want) {
		t.Fatalf("want %d images, found %d", len(want), s.Len())
	}
	for i := range s.Len() {
		row := ""
		for j := range s.Len() {
			row += string("-+o"[s.Relation(i, j)])
		}
		if row != want[i] {
			t.Errorf("image %d, %s: want %s, found %s", i, s.Name(i), want[i], row)
		}
	}
}

func TestKaptureByPose(t *testing.T) {
	dir := t.TempDir()
	writeScene(t, dir, shot{name: "a.jpg"}, shot{name: "b.jpg", x: 4}, shot{name: "c.jpg", x: 4, degrees: 50}, shot{name: "d.jpg", noPose: true},
		shot{name: "e.jpg", x: 20}, shot{name: "f.jpg", x: 26})
	s := mustOpen(t, unchecked(KindKapture, dir))
	wantRelations(t, s, "++oo-", "++ooo", "oo+oo", "ooo+o", "-ooo+")
	wantWarnings(t, s, "1 image without a pose left out: sensors/records_data/d.jpg")
	if want := filepath.Join(dir, "sensors", "records_data", "b.jpg"); s.File(1) != want || s.Classes() != 5 {
		t.Errorf("want 5 classes and the file %s, found %d and %s", want, s.Classes(), s.File(1))
	}
}

func TestKaptureByPoints(t *testing.T) {
	dir := t.TempDir()
	// a and b share 2 of 4 points, b and c 1 of 4; d is far from a and sees the
	// same, e sees nothing.
	writeScene(t, dir, shot{name: "a.jpg", points: []int{1, 2, 3}}, shot{name: "b.jpg", x: 1, points: []int{2, 3, 4}}, shot{name: "c.jpg", x: 2, points: []int{4, 5}},
		shot{name: "d.jpg", x: 90, points: []int{1, 2, 3}}, shot{name: "e.jpg", x: 200})
	o := unchecked(KindKapture, dir)
	o.Near = Near{IoU: 0.5}
	wantRelations(t, mustOpen(t, o), "++-+-", "++o+-", "-o+--", "++-+-", "----+")
	o.Near.FarMeters = 25
	wantRelations(t, mustOpen(t, o), "++o+-", "++o+-", "oo+--", "++-+-", "----+")
	o.Near = Near{Meters: 5, Degrees: 30, IoU: 0.5, FarMeters: 25}
	wantRelations(t, mustOpen(t, o), "++oo-", "++oo-", "oo+--", "oo-+-", "----+")
	o.Near = Near{IoU: 0.25}
	wantRelations(t, mustOpen(t, o), "++-+-", "++++-", "-++--", "++-+-", "----+")
}

// TestKaptureDatasets puts the datasets of a scene together, with observations
// that lie elsewhere.
func TestKaptureDatasets(t *testing.T) {
	dir := t.TempDir()
	writeScene(t, filepath.Join(dir, "mapping"), shot{name: "m.jpg"})
	writeScene(t, filepath.Join(dir, "query"), shot{name: "q.jpg", x: 50})
	writeScene(t, filepath.Join(dir, "truth"), shot{name: "m.jpg", points: []int{1, 2}}, shot{name: "q.jpg", points: []int{1, 2}})
	o := unchecked(KindKapture, dir)
	o.Datasets = []string{"mapping", "query"}
	wantInvalid(t, o, "want images that show the same, found none among 2 images")
	o.Near = Near{IoU: 0.5}
	wantInvalid(t, o, "want reconstruction/observations.txt that name the images")
	o.Near.Observations = "truth"
	s := mustOpen(t, o)
	wantRelations(t, s, "++", "++")
	if s.Name(1) != "query/sensors/records_data/q.jpg" {
		t.Errorf("found the name %s", s.Name(1))
	}
	o.Missing = MissingError
	wantInvalid(t, o, "want the image "+filepath.Join(dir, "mapping", "sensors", "records_data", "m.jpg")+", found no such file")
}

// TestKaptureScene checks every pair of a generated scene against its poses.
func TestKaptureScene(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "scene")
	if err := synth.Generate(t.Context(), dir, synth.Options{Mapping: 40, Queries: 12, Width: 32, Height: 32, Seed: 3, LocalFeatures: 60, Jobs: 2}); err != nil {
		t.Fatal(err)
	}
	o := DefaultSource(KindKapture, dir)
	o.Datasets = []string{"mapping", "query_day", "query_night"}
	o.Near.Observations = "ground_truth"
	o.Near.IoU = 0.1
	s := mustOpen(t, o)
	var poses []geom.Pose
	points := make([]map[int]bool, s.Len())
	truth, err := kapture.Open(filepath.Join(dir, "ground_truth"))
	if err != nil {
		t.Fatal(err)
	}
	all, err := truth.ImagePoses()
	if err != nil {
		t.Fatal(err)
	}
	row := map[string]int{}
	for i := range s.Len() {
		_, image, _ := strings.Cut(s.Name(i), "records_data/")
		poses = append(poses, all[image].Pose)
		row[image], points[i] = i, map[int]bool{}
	}
	seen, err := truth.Observations()
	if err != nil {
		t.Fatal(err)
	}
	for ref, views := range seen.All() {
		for _, v := range views {
			points[row[v.Image]][ref.Point] = true
		}
	}
	count := map[Relation]int{}
	for i := range s.Len() {
		for j := range s.Len() {
			both := 0
			for p := range points[i] {
				if points[j][p] {
					both++
				}
			}
			iou := float64(both) / float64(len(points[i])+len(points[j])-both)
			e := geom.Error(poses[i], poses[j])
			want := Ignored
			switch {
			case i == j, e.Meters <= 5 && e.Degrees <= 30 && iou >= 0.1:
				want = Positive
			case e.Meters > 25 && both == 0:
				want = Negative
			}
			if got := s.Relation(i, j); got != want {
				t.Errorf("%s and %s, %.1f m, %.0f°, IoU %.2f: want %d, found %d", s.Name(i), s.Name(j), e.Meters, e.Degrees, iou, want, got)
			}
			count[want]++
		}
	}
	if count[Positive] < 100 || count[Negative] < 100 || count[Ignored] < 100 {
		t.Errorf("a scene that says little: %v", count)
	}
}
