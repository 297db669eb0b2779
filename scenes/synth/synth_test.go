package synth

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture"
	"locbench/kapture/camera"
)

// tiny is a scene that takes a fraction of a second.
var tiny = Options{Mapping: 4, Queries: 3, Width: 64, Height: 48, Seed: 5, LocalFeatures: 60, Jobs: 2}

// small is large enough for statistics.
var small = Options{Mapping: 30, Queries: 30, Width: 128, Height: 96, Seed: 3, LocalFeatures: 150, Jobs: 2}

func generate(t *testing.T, o Options) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "scene")
	if err := Generate(t.Context(), dir, o); err != nil {
		t.Fatal(err)
	}
	return dir
}

// files returns the contents of all files under dir by their relative names.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		out[rel] = data
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func sameFiles(t *testing.T, a, b map[string][]byte) {
	t.Helper()
	if len(a) != len(b) {
		t.Errorf("%d files and %d files", len(a), len(b))
	}
	for name := range a {
		if !bytes.Equal(a[name], b[name]) {
			t.Errorf("%s differs", name)
		}
	}
}

func TestSameBytesWhateverJobs(t *testing.T) {
	o := tiny
	o.Mapping, o.Queries = 7, 5
	o.Jobs = 1
	one := files(t, generate(t, o))
	o.Jobs = 5
	sameFiles(t, one, files(t, generate(t, o)))
	o.Seed++
	other := files(t, generate(t, o))
	if name := "mapping/sensors/records_data/mapping/left/00000.jpg"; bytes.Equal(one[name], other[name]) {
		t.Error("another seed gives the same image")
	}
}

func TestInterruptedSceneIsFinished(t *testing.T) {
	whole := files(t, generate(t, tiny))
	dir := filepath.Join(t.TempDir(), "scene")
	for stop := range 4 {
		ctx, cancel := context.WithCancel(t.Context())
		o := tiny
		o.Progress = func(done, total int) {
			if done > stop {
				cancel()
			}
		}
		if err := Generate(ctx, dir, o); !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped after %d images: error %v", stop, err)
		}
		if _, err := os.Stat(filepath.Join(dir, sceneFile)); err == nil {
			t.Fatal("an incomplete scene has a scene file")
		}
	}
	if err := Generate(t.Context(), dir, tiny); err != nil {
		t.Fatal(err)
	}
	sameFiles(t, whole, files(t, dir))
}

func TestExistingFolder(t *testing.T) {
	dir := generate(t, tiny)
	count := 0
	o := tiny
	o.Progress = func(int, int) { count++ }
	if err := Generate(t.Context(), dir, o); err != nil || count != 0 {
		t.Errorf("the same scene again: %d images rendered, error %v", count, err)
	}
	o.Seed = 99
	err := Generate(t.Context(), dir, o)
	if !errors.Is(err, ErrExists) || !strings.Contains(err.Error(), "--seed 5") {
		t.Errorf("another scene in its place: error %v", err)
	}
	o.Force = true
	if err := Generate(t.Context(), dir, o); err != nil || count != 7 {
		t.Errorf("by force: %d images rendered, error %v", count, err)
	}
	o.Force = false
	sameFiles(t, files(t, dir), files(t, generate(t, o)))

	killed := t.TempDir()
	remains := filepath.Join(killed, "."+licenceFile+"1234")
	if err := os.WriteFile(remains, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := Generate(t.Context(), killed, o); err != nil {
		t.Errorf("the remains of a killed call: error %v", err)
	}
	sameFiles(t, files(t, dir), files(t, killed))

	mine := t.TempDir()
	if err := os.WriteFile(filepath.Join(mine, "thesis.tex"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	o.Force = true
	if err := Generate(t.Context(), mine, o); err == nil || !strings.Contains(err.Error(), "holds something else") {
		t.Errorf("somebody's folder: error %v", err)
	}
}

func TestOptionErrors(t *testing.T) {
	err := Generate(t.Context(), t.TempDir(), Options{Mapping: 1, Width: 31, Height: 240, LocalFeatures: -1})
	for _, want := range []string{
		"want 2 to 99999 mapping images, found 1", "want 1 to 99999 query images, found 0",
		"want an image size of 32 to 2048 pixels, found 31x240", "at most four times as long as wide", "local features an image, found -1",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func open(t *testing.T, dir string) *kapture.Dataset {
	t.Helper()
	d, err := kapture.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// cameras returns the camera of every image.
func cameras(t *testing.T, d *kapture.Dataset) map[string]camera.Camera {
	t.Helper()
	out := map[string]camera.Camera{}
	for _, rec := range d.Cameras {
		s, _ := d.Sensor(rec.Sensor)
		p, err := s.Camera()
		if err != nil {
			t.Fatal(err)
		}
		if out[rec.Path], err = camera.New(p.Model, p.Params); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// TestGroundTruth closes the circle over the files alone: observed points,
// projected with the poses and cameras of ground_truth, fall on the keypoints.
func TestGroundTruth(t *testing.T) {
	dir := generate(t, small)
	truth := open(t, filepath.Join(dir, truthFolder))
	poses, err := truth.ImagePoses()
	if err != nil {
		t.Fatal(err)
	}
	cams := cameras(t, truth)
	points, err := truth.Points3D()
	if err != nil {
		t.Fatal(err)
	}
	seen, err := truth.Observations()
	if err != nil {
		t.Fatal(err)
	}
	features, err := kapture.OpenFeatures(filepath.Join(dir, "local_features/simulated/keypoints"), kapture.Keypoints)
	if err != nil {
		t.Fatal(err)
	}
	defer features.Close()
	if n := len(features.Images()); n != small.Mapping+small.Queries || len(poses) != n {
		t.Errorf("%d images with keypoints, %d with poses, want %d", n, len(poses), small.Mapping+small.Queries)
	}
	sum, n, tracks := 0.0, 0, 0
	for ref, views := range seen.All() {
		tracks++
		for _, v := range views {
			rows, err := features.Float32(v.Image, nil)
			if err != nil {
				t.Fatal(err)
			}
			x, y, ok := cams[v.Image].Project(poses[v.Image].Apply(points.XYZ[ref.Point]))
			dx, dy := x-float64(rows[2*v.Keypoint]), y-float64(rows[2*v.Keypoint+1])
			if !ok || math.Hypot(dx, dy) > 6*pixelNoise {
				t.Fatalf("point %d is at (%v, %v, %v) in %s, (%v, %v) from its keypoint", ref.Point, x, y, ok, v.Image, dx, dy)
			}
			sum += dx*dx + dy*dy
			n++
		}
	}
	if sd := math.Sqrt(sum / float64(2*n)); math.Abs(sd-pixelNoise) > 0.03 {
		t.Errorf("keypoint noise %.3f px over %d observations, want %v", sd, n, pixelNoise)
	}
	if tracks != len(points.XYZ) || float64(n)/float64(tracks) < 2 {
		t.Errorf("%d points in %d observations, %d with tracks", len(points.XYZ), n, tracks)
	}
	t.Logf("%d points, %.1f views a point, %.0f true keypoints an image", tracks, float64(n)/float64(tracks), float64(n)/60)
}

func TestDatasetsAgreeWithTruth(t *testing.T) {
	dir := generate(t, tiny)
	truth, err := open(t, filepath.Join(dir, truthFolder)).ImagePoses()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, part := range folders {
		d := open(t, filepath.Join(dir, part))
		poses, err := d.ImagePoses()
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range d.Cameras {
			n++
			if poses[rec.Path] != truth[rec.Path] {
				t.Errorf("%s: pose %v, truth %v", rec.Path, poses[rec.Path], truth[rec.Path])
			}
			s, _ := d.Sensor(rec.Sensor)
			p, err := s.Camera()
			if err != nil {
				t.Fatal(err)
			}
			img := decode(t, filepath.Join(dir, part, "sensors/records_data", rec.Path))
			if size := img.Bounds().Size(); size != image.Pt(p.Width, p.Height) {
				t.Errorf("%s is %v, its camera %d×%d", rec.Path, size, p.Width, p.Height)
			}
		}
	}
	if n != tiny.Mapping+tiny.Queries {
		t.Errorf("%d images, want %d", n, tiny.Mapping+tiny.Queries)
	}
}

func decode(t *testing.T, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := jpeg.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestDescriptors(t *testing.T) {
	p := newTestPlan(t, small)
	r := generator(1, "test", 0)
	same, other, night := 0.0, 0.0, 0.0
	const n = 400
	for range n {
		id := int32(r.IntN(len(p.spots.all)))
		m := &p.spots.all[id]
		look := func(q *picturePlan, id int32) []float64 {
			d := newDescriber(q, r, 1)
			d.eye = r3.Add(m.at, r3.Scale(between(r, 4, 15), m.normal))
			return append([]float64(nil), d.describe(id, &p.spots.all[id])...)
		}
		a, b := look(&p.mapping[0], id), look(&p.mapping[1], id)
		c := look(&p.mapping[0], int32(r.IntN(len(p.spots.all))))
		q := p.mapping[2]
		q.weather = queryNight(r)
		e := look(&q, id)
		if math.Abs(dot(a, a)-1) > 1e-12 {
			t.Fatalf("descriptor of length² %v", dot(a, a))
		}
		same, other, night = same+dot(a, b)/n, other+dot(a, c)/n, night+dot(a, e)/n
	}
	t.Logf("cosine: same %.2f, another %.2f, by night %.2f", same, other, night)
	if same < 0.7 || other > 0.3 || night > same-0.15 || night < other+0.1 {
		t.Errorf("cosine: same %.2f, another %.2f, by night %.2f", same, other, night)
	}
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

func TestSizes(t *testing.T) {
	sizes := []Options{
		{Mapping: 2, Queries: 1, Width: 32, Height: 32},
		{Mapping: 4, Queries: 2, Width: 64, Height: 48, LocalFeatures: 1},
		{Mapping: 5, Queries: 4, Width: 40, Height: 120, LocalFeatures: 20},
	}
	if !testing.Short() {
		sizes = append(sizes, Options{Mapping: 300, Queries: 100, Width: 48, Height: 36, LocalFeatures: 100})
	}
	for _, o := range sizes {
		o.Jobs, o.Seed = 2, 8
		dir := generate(t, o)
		m := open(t, filepath.Join(dir, "mapping"))
		stops := (o.Mapping + 1) / 2
		if len(m.Cameras) != o.Mapping || len(m.Rigs) != 2 || len(m.Trajectories) != stops {
			t.Errorf("%+v: %d images, %d rig members, %d poses", o, len(m.Cameras), len(m.Rigs), len(m.Trajectories))
		}
	}
}
