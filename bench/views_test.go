package bench

import (
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"locbench/bench/record"
	"locbench/kapture"
	"locbench/localize/match"
	"locbench/scenes"
	"locbench/scenes/synth"
)

func readView[T any](t *testing.T, path string, read func(io.Reader, string) ([]T, error)) []T {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := read(f, path)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestCameras looks at what a report gets to know of the toy scene's images.
func TestCameras(t *testing.T) {
	o := Options{Out: t.TempDir(), TopK: []int{1}, Methods: []string{"ewb"}}
	mustRun(t, toyScene(t), o)
	cameras := readView(t, filepath.Join(o.Out, record.CamerasFile), record.ReadCameras)
	byName := map[string]record.Camera{}
	for _, c := range cameras {
		byName[c.Image] = c
	}
	m, q, n := byName["m3.jpg"], byName["q0.jpg"], byName["n0.jpg"]
	if m.Role != record.MappingRole || m.Pose != [7]float64{1, 0, 0, 0, -3, 0, 0} || m.File != "mapping/sensors/records_data/m3.jpg" {
		t.Errorf("m3.jpg: %+v", m)
	}
	if q.Role != record.QueryRole || !q.HasPose() || q.Width != 64 || q.Height != 48 {
		t.Errorf("q0.jpg: %+v", q)
	}
	if n.Role != record.QueryRole || n.HasPose() {
		t.Errorf("n0.jpg, of which no pose is known: %+v", n)
	}
}

// TestViewMatches holds the lines against the matches and keypoints on disk.
func TestViewMatches(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "town")
	if err := synth.Generate(t.Context(), dir, synth.Options{Mapping: 12, Queries: 4, Width: 96, Height: 72, Seed: 3, LocalFeatures: 200}); err != nil {
		t.Fatal(err)
	}
	var files [2]string
	o := Options{TopK: []int{1, 5}, Methods: []string{"local-sfm+"}}
	for i := range files {
		o.Out, o.Jobs = t.TempDir(), 1+2*i
		mustRun(t, dir, o)
		files[i] = read(t, o.Out, record.ViewMatchesFile)
	}
	if files[0] != files[1] {
		t.Error("the matches depend on the number of jobs")
	}
	scene, err := scenes.Open(dir, scenes.Options{})
	if err != nil {
		t.Fatal(err)
	}
	keypoints, err := scene.Features(kapture.Keypoints, synth.FeatureType)
	if err != nil {
		t.Fatal(err)
	}
	defer keypoints.Close()
	matches, err := kapture.OpenMatches(filepath.Join(o.Out, matchesDir))
	if err != nil {
		t.Fatal(err)
	}
	defer matches.Close()
	rows := readView(t, filepath.Join(o.Out, record.ViewMatchesFile), record.ReadViewMatches)
	if len(rows) == 0 {
		t.Fatal("no query has matches: the test looks at nothing")
	}
	for _, row := range rows {
		pair := match.Pairs(kapture.Pairs{{Query: row.Query, Map: row.Image}})[0]
		ms, err := matches.Read(pair.Image1, pair.Image2)
		if err != nil {
			t.Fatal(err)
		}
		if row.Matches != len(ms) || len(row.Lines) != min(viewLines, len(ms)) {
			t.Errorf("%s – %s: %d lines of %d matches, the file has %d", row.Query, row.Image, len(row.Lines), row.Matches, len(ms))
		}
		first, second := pixels(t, keypoints, pair.Image1), pixels(t, keypoints, pair.Image2)
		for _, line := range row.Lines {
			if !slices.ContainsFunc(ms, func(m kapture.Match) bool {
				a, b := first[m.Keypoint1], second[m.Keypoint2]
				if pair.Image1 != row.Query {
					a, b = b, a
				}
				return line == [4]int{a[0], a[1], b[0], b[1]}
			}) {
				t.Errorf("%s – %s: no match is the line %v", row.Query, row.Image, line)
			}
		}
	}
}

// pixels are the keypoints of an image in whole pixels.
func pixels(t *testing.T, source *scenes.FeatureSource, image string) [][2]int {
	t.Helper()
	values, err := source.Float32(image, nil)
	if err != nil {
		t.Fatal(err)
	}
	size := source.Header().DSize
	out := make([][2]int, len(values)/size)
	for i := range out {
		out[i] = [2]int{int(math.Round(float64(values[i*size]))), int(math.Round(float64(values[i*size+1])))}
	}
	return out
}
