package scenes

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"locbench/kapture"
	"locbench/kapture/kapturetest"
)

// verifyLines returns what Verify finds, a line a problem, with {} for the
// scene's folder.
func verifyLines(t *testing.T, dir string) []string {
	t.Helper()
	problems, err := mustOpen(t, dir, Options{}).Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, p := range problems {
		out = append(out, strings.ReplaceAll(p.String(), dir, "{}"))
	}
	return out
}

func TestVerifyClean(t *testing.T) {
	dir := tinyScene(t)
	put(t, filepath.Join(dir, "pairsfiles", "query", "p.txt"), "# kapture format: 1.1\n# query, map, score\nd/0.jpg, m/1.jpg, 0.5\n")
	if got := verifyLines(t, dir); len(got) > 0 {
		t.Errorf("want nothing, found:\n%s", strings.Join(got, "\n"))
	}
}

func TestVerify(t *testing.T) {
	const mapping, day = "mapping/sensors/", "query_day/sensors/"
	tests := []struct {
		name  string
		spoil func(t *testing.T, dir string)
		want  []string // all that is found, each line at least by its beginning
	}{
		{"mapping image without pose", func(t *testing.T, dir string) {
			replace(t, filepath.Join(dir, mapping+"trajectories.txt"), "1, map,", "9, map,")
		}, []string{"{}/mapping/sensors/records_camera.txt:4: error: mapping image m/0.jpg: want a pose of device map (or its rig) at 1, found none"}},
		{"pose without rotation", func(t *testing.T, dir string) {
			replace(t, filepath.Join(dir, mapping+"trajectories.txt"), "1, map, 1.0, 0.0, 0.0, 0.0,", "1, map, , , , ,")
		}, []string{"{}/mapping/sensors/records_camera.txt:4: error: mapping image m/0.jpg: want a pose of device map (or its rig) at 1, found one without rotation"}},
		{"query without pose beside others", func(t *testing.T, dir string) {
			replace(t, filepath.Join(dir, day+"trajectories.txt"), "1, cam,", "9, cam,")
		}, []string{"{}/query_day/sensors/records_camera.txt:4: warning: query d/1.jpg: want a pose"}},
		{"no query has a pose", func(t *testing.T, dir string) { remove(t, dir, day+"trajectories.txt") }, nil},
		{"unknown camera id", func(t *testing.T, dir string) {
			replace(t, filepath.Join(dir, day+"records_camera.txt"), "0, cam,", "0, other,")
		}, []string{
			"{}/query_day/sensors/records_camera.txt: warning: 1 lines of devices",
			`{}/query_day/sensors/records_camera.txt:3: error: image d/0.jpg: want a camera of sensors.txt, found "other"`,
			"{}/query_day/sensors/records_camera.txt:3: warning: query d/0.jpg: want a pose",
		}},
		{"UNKNOWN_CAMERA", func(t *testing.T, dir string) {
			replace(t, filepath.Join(dir, day+"sensors.txt"), "PINHOLE, 64, 48, 50, 50, 32, 24", "UNKNOWN_CAMERA, 64, 48")
		}, []string{
			"{}/query_day/sensors/records_camera.txt:3: warning: query d/0.jpg: camera cam is an UNKNOWN_CAMERA",
			"{}/query_day/sensors/records_camera.txt:4: warning: query d/1.jpg: camera cam is an UNKNOWN_CAMERA",
		}},
		{"camera parameters", func(t *testing.T, dir string) {
			replace(t, filepath.Join(dir, day+"sensors.txt"), "50, 50, 32, 24", "50, 32, 24")
		}, []string{"{}/query_day/sensors/sensors.txt:3: error: sensor cam: "}},
		{"camera parameters after another sensor", func(t *testing.T, dir string) {
			replace(t, filepath.Join(dir, day+"sensors.txt"), "cam, , camera, PINHOLE, 64, 48, 50, 50,", "beam, , lidar\ncam, , camera, PINHOLE, 64, 48, 50,")
		}, []string{"{}/query_day/sensors/sensors.txt:4: error: sensor cam: "}},
		{"quaternion", func(t *testing.T, dir string) {
			replace(t, filepath.Join(dir, mapping+"trajectories.txt"), "1, map, 1.0,", "1, map, 2.0,")
		}, []string{"{}/mapping/sensors/trajectories.txt:4: warning: quaternion of norm 2"}},
		{"image file", func(t *testing.T, dir string) { remove(t, dir, mapping+"records_data/m/1.jpg") },
			[]string{"{}/mapping/sensors/records_camera.txt:5: error: image m/1.jpg: want the file {}/mapping/sensors/records_data/m/1.jpg, found none"}},
		{"image file that is a folder", func(t *testing.T, dir string) {
			remove(t, dir, mapping+"records_data/m/1.jpg")
			put(t, filepath.Join(dir, mapping+"records_data/m/1.jpg/a"), "")
		}, []string{"{}/mapping/sensors/records_camera.txt:5: error: image m/1.jpg: want the file {}/mapping/sensors/records_data/m/1.jpg, found none"}},
		{"no image files", func(t *testing.T, dir string) { remove(t, dir, mapping+"records_data") },
			[]string{"{}/mapping/sensors/records_data: warning: none of the 3 image files is here"}},
		{"query that is a mapping image", func(t *testing.T, dir string) {
			replace(t, filepath.Join(dir, "query_night/sensors/records_camera.txt"), "n/0.jpg", "m/0.jpg")
			put(t, filepath.Join(dir, "query_night/sensors/records_data/m/0.jpg"), "")
		}, []string{
			"{}/global_features/gf/global_features/global_features.txt: warning: global_features of n/0.jpg: want images of the scene",
			"{}/local_features/kp/descriptors/descriptors.txt: warning: descriptors of n/0.jpg: want images of the scene",
			"{}/local_features/kp/keypoints/keypoints.txt: warning: keypoints of n/0.jpg: want images of the scene",
			"{}/query_night/sensors/records_camera.txt:3: warning: query m/0.jpg is a mapping image too",
		}},
		{"missing feature", func(t *testing.T, dir string) { remove(t, globalDir(dir), "d/1.jpg.gfeat", "m/1.jpg.gfeat") }, []string{
			"{}/global_features/gf/global_features/global_features.txt: error: mapping image m/1.jpg: want global_features of type gf, found none",
			"{}/global_features/gf/global_features/global_features.txt: error: query d/1.jpg: want global_features of type gf, found none",
		}},
		{"wrong length", func(t *testing.T, dir string) { put(t, filepath.Join(globalDir(dir), "d/1.jpg.gfeat"), "12345") },
			[]string{"{}/global_features/gf/global_features/d/1.jpg.gfeat: error: "}},
		{"NaN", func(t *testing.T, dir string) { rewrite(t, dir, "d/1.jpg", 1, float32(math.NaN())) },
			[]string{"{}/global_features/gf/global_features/d/1.jpg.gfeat: error: global_features of d/1.jpg: want finite numbers, found NaN at 1"}},
		{"zero", func(t *testing.T, dir string) { rewrite(t, dir, "d/1.jpg", 0, 0) },
			[]string{"{}/global_features/gf/global_features/d/1.jpg.gfeat: error: global_features of d/1.jpg: want a direction, found only zeros"}},
		{"two dimensions under one type", func(t *testing.T, dir string) {
			other := filepath.Join(dir, "query_day/reconstruction/global_features/gf")
			features(t, other, kapture.GlobalFeatures, kapture.FeatureHeader{Name: "gf", DType: "float32", DSize: 3, Metric: "L2"}, map[string][]float32{"d/0.jpg": {1, 2, 3}})
		}, []string{"{}/global_features/gf/global_features/global_features.txt: error: two kinds of global_features under the type gf: found float32 × 2 here, but float32 × 3 in {}/query_day/reconstruction/global_features/gf/global_features.txt"}},
		{"rows of descriptors", func(t *testing.T, dir string) {
			put(t, filepath.Join(localDir(dir, kapture.Descriptors), "n/0.jpg.desc"), "123456789012")
		}, []string{"{}/local_features/kp/descriptors/descriptors.txt: error: image n/0.jpg: want as many descriptors as keypoints, found 1 and 2"}},
		{"keypoints of no whole rows", func(t *testing.T, dir string) {
			for _, image := range []string{"d/1.jpg", "m/2.jpg"} {
				put(t, filepath.Join(localDir(dir, kapture.Keypoints), image+".kpt"), "12345")
			}
		}, []string{
			"{}/local_features/kp/keypoints/d/1.jpg.kpt: error: ",
			"{}/local_features/kp/keypoints/m/2.jpg.kpt: error: ",
		}},
		{"descriptors without keypoints", func(t *testing.T, dir string) { remove(t, dir, "local_features/kp/keypoints") },
			[]string{`{}/local_features/kp/descriptors/descriptors.txt: error: descriptors of type kp: want keypoints of type "kp", found none`}},
		{"pairs", func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, "pairsfiles/p.txt"), "# kapture format: 1.1\n\n# query, map, score\nd/0.jpg, m/9.jpg, 0.5\nm/1.jpg, m/1.jpg, 1\n")
			put(t, filepath.Join(dir, "pairsfile/q.txt"), "# kapture format: 1.1\nd/0.jpg\n")
		}, []string{
			"{}/pairsfile/q.txt:2: error: ",
			"{}/pairsfiles/p.txt:4: error: want images of the scene, found m/9.jpg",
			"{}/pairsfiles/p.txt:5: warning: image m/1.jpg is paired with itself",
		}},
		{"image of no split, licence", func(t *testing.T, dir string) {
			put(t, filepath.Join(dir, "scene.yaml"), "mapping: [mapping]\nqueries: [{dir: query_day, pattern: \"*/0.jpg\"}, {dir: query_night}]\nthresholds: [[1, 1]]\nlicence: LICENCE.md\n")
		}, []string{
			"{}/LICENCE.md: warning: the scene names this licence file, found none",
			"{}/query_day/sensors/records_camera.txt:4: warning: image d/1.jpg matches no entry of queries and is not a query",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := tinyScene(t)
			tt.spoil(t, dir)
			got := verifyLines(t, dir)
			if !slices.EqualFunc(got, tt.want, strings.HasPrefix) {
				t.Errorf("found:\n%s\nwant lines that begin with:\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// rewrite replaces the global feature of an image.
func rewrite(t *testing.T, dir, image string, values ...float32) {
	t.Helper()
	var text []byte
	for _, v := range values {
		bits := math.Float32bits(v)
		text = append(text, byte(bits), byte(bits>>8), byte(bits>>16), byte(bits>>24))
	}
	if err := os.WriteFile(filepath.Join(globalDir(dir), image+".gfeat"), text, 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestVerifyStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := mustOpen(t, tinyScene(t), Options{}).Verify(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("want context.Canceled, got %v", err)
	}
}

func TestShorten(t *testing.T) {
	var problems []Problem
	for i := range 5 {
		problems = append(problems, Problem{Path: "a", Check: "x", Msg: fmt.Sprint(i)}, Problem{Path: "b", Check: "x", Msg: fmt.Sprint(i)})
	}
	problems = append(problems, Problem{Path: "a", Check: "y", Msg: "only"})
	var got []string
	for _, p := range Shorten(problems[1:], 2) {
		got = append(got, p.Path+p.Msg)
	}
	want := []string{"b0", "a1", "b1 (and 3 more: x)", "a2 (and 2 more: x)", "aonly"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestVerifyVirtualGallery(t *testing.T) {
	dir := kapturetest.Shared(t, "data", "virtual_gallery_tutorial")
	if got := verifyLines(t, dir); len(got) > 0 {
		t.Errorf("want nothing, found:\n%s", strings.Join(got, "\n"))
	}
}

// TestVerifyExpected warns of numbers that are not those of the published scene.
func TestVerifyExpected(t *testing.T) {
	dir := tinyScene(t)
	scene, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	scene.Expected = &Expected{Mapping: len(scene.Mapping()), Queries: 1000, Splits: map[string]int{"day": 7}}
	problems, err := scene.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, p := range problems {
		if p.Check == "expected numbers" {
			found = append(found, string(p.Severity)+" "+p.Msg)
		}
	}
	if len(found) != 2 || !strings.HasPrefix(found[0], "warning want 1000 queries as published, found ") || !strings.HasPrefix(found[1], "warning want 7 queries in day") {
		t.Errorf("found %q", found)
	}
}
