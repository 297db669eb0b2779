package kapture

import (
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/num/quat"
	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
	"locbench/kapture/kapturetest"
)

// goldenPose is a pose as the reference has it; a part may be null. It does
// not normalise quaternions, we do: comparisons are at unit norm.
type goldenPose struct {
	Image     string
	Timestamp int64
	Device    string
	Q         []float64 `json:"q_wxyz"`
	T         []float64 `json:"t"`
	Inverse   *goldenPose
}

type goldenRecords struct {
	Timestamps int  `json:"number_of_timestamps"`
	Records    int  `json:"number_of_records"`
	Signals    *int `json:"number_of_signals"`
	First3     [][]json.RawMessage
	Last       [][]json.RawMessage
}

type goldenFeatures struct {
	TypeName      string `json:"type_name"`
	DType         string
	DSize         int
	Images        int      `json:"number_of_images"`
	First5        []string `json:"images_sorted_first5"`
	KeypointsType string   `json:"keypoints_type"`
	Metric        string   `json:"metric_type"`
	TotalRows     int      `json:"total_rows"`
	Samples       []struct {
		Image    string
		Shape    [2]int
		Sum      float64   `json:"sum_float64"`
		AbsSum   float64   `json:"abs_sum_float64"`
		FirstRow []float64 `json:"first_row"`
		LastRow  []float64 `json:"last_row"`
	}
}

type goldenDataset struct {
	Directory string
	Version   string `json:"format_version"`
	Sensors   []struct {
		ID, Name, Type string
		Params         []string
		CameraType     *string   `json:"camera_type"`
		CameraParams   []float64 `json:"camera_params"`
	}
	Rigs         map[string]map[string]goldenPose
	Trajectories *struct {
		Timestamps         int `json:"number_of_timestamps"`
		Poses              int `json:"number_of_poses"`
		Devices            []string
		MissingRotation    int `json:"missing_rotation"`
		MissingTranslation int `json:"missing_translation"`
		First3, Last3      []goldenPose
	}
	Records    map[string]*goldenRecords
	ImagePoses *struct {
		Poses  int          `json:"number_of_poses"`
		Images int          `json:"number_of_images_with_pose"`
		First  []goldenPose `json:"images"`
	} `json:"poses_after_rigs_remove"`
	Keypoints      map[string]goldenFeatures
	Descriptors    map[string]goldenFeatures
	GlobalFeatures map[string]goldenFeatures `json:"global_features"`
	Matches        map[string]struct {
		Pairs   int `json:"number_of_pairs"`
		Total   int `json:"total_matches"`
		Samples []struct {
			Pair  [2]string
			Shape [2]int
			First [][3]float64 `json:"first2_rows"`
			Sum   float64      `json:"sum_float64"`
		}
	}
	Points3D *struct {
		Shape [2]int
		Sums  []float64 `json:"sum_per_column"`
		First []float64 `json:"first_row"`
		Last  []float64 `json:"last_row"`
	} `json:"points3d"`
	Observations *struct {
		Lines  int `json:"number_of_point_type_entries"`
		Number int `json:"observations_number"`
		First3 []json.RawMessage
		Sum    int `json:"keypoint_index_sum"`
	}
}

// known are the devices that the reference keeps: it drops lines of others.
func known(d *Dataset) map[string]bool {
	m := map[string]bool{}
	for _, s := range d.Sensors {
		m[s.ID] = true
	}
	return m
}

func TestGolden(t *testing.T) {
	dir := kapturetest.Shared(t, "golden", "kapture_io")
	files, _ := filepath.Glob(filepath.Join(dir, "*.json"))
	if len(files) < 2 {
		t.Fatalf("want reference datasets in %s, found %v", dir, files)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if name == "overview" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			var want goldenDataset
			kapturetest.SharedJSON(t, &want, "golden", "kapture_io", name+".json")
			d, err := Open(kapturetest.Shared(t, "data", "kapture_samples", want.Directory))
			if err != nil {
				t.Fatal(err)
			}
			checkSensors(t, d, &want)
			checkRigs(t, d, &want)
			checkTrajectories(t, d, &want)
			checkRecords(t, d, &want)
			checkImagePoses(t, d, &want)
			checkFeatures(t, d, Keypoints, want.Keypoints)
			checkFeatures(t, d, Descriptors, want.Descriptors)
			checkFeatures(t, d, GlobalFeatures, want.GlobalFeatures)
			checkMatches(t, d, &want)
			checkPoints(t, d, &want)
			checkObservations(t, d, &want)
		})
	}
}

func checkSensors(t *testing.T, d *Dataset, want *goldenDataset) {
	t.Helper()
	if d.Version != want.Version || len(d.Sensors) != len(want.Sensors) {
		t.Fatalf("got version %s and %d sensors, want %s and %d", d.Version, len(d.Sensors), want.Version, len(want.Sensors))
	}
	for i, w := range want.Sensors {
		g := d.Sensors[i]
		if g.ID != w.ID || g.Name != w.Name || g.Type != w.Type || !slices.Equal(g.Params, w.Params) {
			t.Errorf("sensor %d: got %+v, want %+v", i, g, w)
		}
		if w.CameraType == nil {
			continue
		}
		c, err := g.Camera()
		if err != nil {
			t.Error(err)
			continue
		}
		values := append([]float64{float64(c.Width), float64(c.Height)}, c.Params...)
		if c.Model != *w.CameraType || !slices.Equal(values, w.CameraParams) {
			t.Errorf("camera %s: got %+v, want %s %v", g.ID, c, *w.CameraType, w.CameraParams)
		}
	}
}

func checkRigs(t *testing.T, d *Dataset, want *goldenDataset) {
	t.Helper()
	seen, keep := 0, known(d)
	for _, m := range d.Rigs {
		if !keep[m.Sensor] {
			continue
		}
		seen++
		w, ok := want.Rigs[m.Rig][m.Sensor]
		if !ok {
			t.Errorf("surplus member %s of rig %s", m.Sensor, m.Rig)
			continue
		}
		comparePose(t, m.Rig+"/"+m.Sensor, m.Pose, w)
	}
	for _, members := range want.Rigs {
		seen -= len(members)
	}
	if seen != 0 {
		t.Errorf("got %d members more than the reference", seen)
	}
}

// comparePose compares with 1e-9 relative, at unit norm.
func comparePose(t *testing.T, what string, got PartialPose, want goldenPose) {
	t.Helper()
	if got.HasRotation != (want.Q != nil) || got.HasTranslation != (want.T != nil) {
		t.Errorf("%s: got parts %v %v, want %v %v", what, got.HasRotation, got.HasTranslation, want.Q, want.T)
		return
	}
	if got.HasRotation {
		q, _ := geom.Normalize(quat.Number{Real: want.Q[0], Imag: want.Q[1], Jmag: want.Q[2], Kmag: want.Q[3]})
		if d := quat.Abs(quat.Sub(q, got.R)); d > 1e-9 {
			t.Errorf("%s: got rotation %v, want %v", what, got.R, q)
		}
	}
	if got.HasTranslation {
		w := r3.Vec{X: want.T[0], Y: want.T[1], Z: want.T[2]}
		if d := r3.Norm(r3.Sub(w, got.T)); d > 1e-9*max(1, r3.Norm(w)) {
			t.Errorf("%s: got translation %v, want %v", what, got.T, w)
		}
	}
}

func checkTrajectories(t *testing.T, d *Dataset, want *goldenDataset) {
	t.Helper()
	w := want.Trajectories
	if (d.Trajectories == nil) != (w == nil) {
		t.Errorf("got trajectories %v, want %v", d.Trajectories != nil, w != nil)
	}
	if w == nil {
		return
	}
	keep := known(d)
	for _, m := range d.Rigs {
		keep[m.Rig] = true
	}
	poses := map[deviceTime]PartialPose{}
	times, noRotation, noTranslation := map[int64]bool{}, 0, 0
	for _, p := range d.Trajectories {
		if !keep[p.Device] {
			continue
		}
		poses[deviceTime{p.Timestamp, p.Device}] = p.Pose
		times[p.Timestamp] = true
		if !p.Pose.HasRotation {
			noRotation++
		}
		if !p.Pose.HasTranslation {
			noTranslation++
		}
	}
	if len(poses) != w.Poses || len(times) != w.Timestamps || noRotation != w.MissingRotation || noTranslation != w.MissingTranslation {
		t.Errorf("got %d poses at %d times, %d and %d without rotation and translation, want %+v", len(poses), len(times), noRotation, noTranslation, w)
	}
	for _, g := range slices.Concat(w.First3, w.Last3) {
		comparePose(t, g.Device, poses[deviceTime{g.Timestamp, g.Device}], g)
	}
}

func checkImagePoses(t *testing.T, d *Dataset, want *goldenDataset) {
	t.Helper()
	poses, err := d.ImagePoses()
	if err != nil {
		t.Fatal(err)
	}
	images, keep := 0, known(d)
	for _, c := range d.Cameras {
		if _, ok := poses[c.Path]; ok && keep[c.Sensor] {
			images++
		}
	}
	if want.ImagePoses == nil {
		if images != 0 {
			t.Errorf("got %d image poses, want none", images)
		}
		return
	}
	// The reference counts the first ten images only.
	if n := want.ImagePoses.Images; images != n && (n < 10 || images < n) {
		t.Errorf("got %d images with poses, want %d", images, n)
	}
	for _, w := range want.ImagePoses.First {
		got, ok := poses[w.Image]
		if !ok {
			t.Errorf("%s: no pose", w.Image)
			continue
		}
		comparePose(t, w.Image, got, w)
		if w.Inverse != nil {
			inverse := got
			inverse.Pose = got.Inverse()
			comparePose(t, w.Image+" inverse", inverse, *w.Inverse)
		}
	}
}

func close9(got, want float64) bool { return math.Abs(got-want) <= 1e-9*max(1, math.Abs(want)) }
