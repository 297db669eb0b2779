package bench

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"locbench/bench/record"
)

// The stages of the toy scene, by what they are left with.
const (
	cameras     = "cameras"
	retrieveToy = "retrieve toy"
	localizeEWB = "localize toy ewb"
	localizeBDI = "localize toy bdi"
	localizeCSI = "localize toy csi"
	evaluate    = "evaluate"
)

var (
	localizeAll = []string{localizeEWB, localizeBDI, localizeCSI, evaluate}
	everything  = append([]string{retrieveToy}, localizeAll...)
	// withCameras is what depends on poses and cameras.
	withCameras = append([]string{cameras}, localizeAll...)
)

// TestChangesAreSeen runs, changes one thing, and runs again: what depends on
// it is done again, and nothing else. The plan says so beforehand.
func TestChangesAreSeen(t *testing.T) {
	base := Options{TopK: []int{1, 2}, CSIAlpha: 8}
	for _, c := range []struct {
		name   string
		change func(t *testing.T, dir string, o *Options)
		redone []string
		// The dry run cannot know that a stage will write the same as before.
		planned []string
		// What was written for a method that is not asked for any more stays.
		stays string
	}{
		{name: "nothing", change: func(*testing.T, string, *Options) {}},
		{name: "force", change: func(_ *testing.T, _ string, o *Options) { o.Force = true }, redone: append([]string{cameras}, everything...)},
		{name: "workers", change: func(_ *testing.T, _ string, o *Options) { o.Jobs = 7 }},
		{name: "largest k", change: func(_ *testing.T, _ string, o *Options) { o.TopK = []int{1, 3} }, redone: everything},
		{name: "another k", change: func(_ *testing.T, _ string, o *Options) { o.TopK = []int{2} }, redone: localizeAll},
		{name: "alpha", change: func(_ *testing.T, _ string, o *Options) { o.CSIAlpha = 4 }, redone: []string{localizeCSI, evaluate}},
		{name: "one method less", change: func(_ *testing.T, _ string, o *Options) { o.Methods = []string{"ewb", "csi"} }, redone: []string{evaluate}, stays: "bdi_"},
		{name: "mapping pose", change: func(t *testing.T, dir string, _ *Options) {
			replace(t, dir, mappingPoses, "-3, 0, 0", "-3.5, 0, 0")
		}, redone: withCameras},
		{name: "true pose", change: func(t *testing.T, dir string, _ *Options) {
			replace(t, dir, "day/sensors/trajectories.txt", "-0.75", "-0.5")
		}, redone: withCameras},
		{name: "camera of the queries", change: func(t *testing.T, dir string, _ *Options) {
			replace(t, dir, "day/sensors/sensors.txt", "50, 32, 24", "51, 32, 24")
		}, redone: localizeAll[:3], planned: localizeAll},
		{name: "mapping image without pose", change: func(t *testing.T, dir string, _ *Options) {
			replace(t, dir, mappingPoses, "3, mcam, 1, 0, 0, 0, -3, 0, 0\n", "")
		}, redone: append([]string{cameras}, everything...)},
		{name: "descriptor", change: func(t *testing.T, dir string, _ *Options) {
			put(t, dir, toyFeatures+"m1.jpg.gfeat", floats(t, [4]float32{0.6, 0.8}))
		}, redone: everything},
		{name: "descriptor of another length", change: func(t *testing.T, dir string, _ *Options) {
			put(t, dir, toyFeatures+"m1.jpg.gfeat", floats(t, [4]float32{0, 2}))
		}, redone: []string{retrieveToy, localizeBDI}, planned: everything},
		{name: "query without descriptor", change: func(t *testing.T, dir string, _ *Options) {
			remove(t, filepath.Join(dir, toyFeatures, "q0.jpg.gfeat"))
		}, redone: everything},
		{name: "name of a split", change: func(t *testing.T, dir string, _ *Options) {
			replace(t, dir, "scene.yaml", "split: night", "split: dusk")
		}, redone: localizeAll},
		{name: "name of the scene", change: func(t *testing.T, dir string, _ *Options) {
			replace(t, dir, "scene.yaml", "name: toy", "name: tiny")
		}, redone: localizeAll},
		{name: "title", change: func(t *testing.T, dir string, _ *Options) {
			replace(t, dir, "scene.yaml", "name: toy", "title: A toy\nname: toy")
		}},
		{name: "thresholds", change: func(t *testing.T, dir string, _ *Options) {
			replace(t, dir, "scene.yaml", "[1, 5]]", "[1, 6]]")
		}, redone: []string{evaluate}},
		{name: "recall thresholds", change: func(t *testing.T, dir string, _ *Options) {
			replace(t, dir, "scene.yaml", "[0.6, 30]", "[0.6, 40]")
		}, redone: []string{evaluate}},
		{name: "style of the submission", change: func(t *testing.T, dir string, _ *Options) {
			replace(t, dir, "scene.yaml", "name: toy", "submission: full-path\nname: toy")
		}, redone: localizeAll[:3], planned: localizeAll},
		{name: "damaged pairs", change: func(t *testing.T, _ string, o *Options) {
			replace(t, o.Out, "pairs/toy.txt", "0.8", "0.9")
		}, redone: []string{retrieveToy}, planned: everything},
		{name: "missing pose file", change: func(t *testing.T, _ string, o *Options) {
			remove(t, filepath.Join(o.Out, "poses/toy/bdi_top2/sensors/trajectories.txt"))
		}, redone: []string{localizeBDI}, planned: []string{localizeBDI, evaluate}},
		{name: "damaged summary", change: func(t *testing.T, _ string, o *Options) {
			put(t, o.Out, record.SummaryFile, "")
		}, redone: []string{evaluate}},
		{name: "record of a stage cut short", change: func(t *testing.T, _ string, o *Options) {
			found, err := filepath.Glob(filepath.Join(o.Out, stateDir, "stages", "localize-toy-csi-*.json"))
			if err != nil || len(found) != 1 {
				t.Fatalf("found %v, %v", found, err)
			}
			if err := os.Truncate(found[0], 20); err != nil {
				t.Fatal(err)
			}
		}, redone: []string{localizeCSI}, planned: []string{localizeCSI, evaluate}},
		{name: "remembered hashes", change: func(t *testing.T, _ string, o *Options) {
			remove(t, filepath.Join(o.Out, stateDir, "hashes.json"))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir, o := toyScene(t), base
			o.Out = t.TempDir()
			mustRun(t, dir, o)
			c.change(t, dir, &o)
			steps, err := newPlan(t, dir, o).Steps(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var planned, redone []string
			for _, s := range steps {
				if !s.Done {
					planned = append(planned, s.Name)
				}
			}
			for _, s := range mustRun(t, dir, o).Manifest.Stages {
				if !s.Skipped {
					redone = append(redone, s.Name)
				}
			}
			if !slices.Equal(redone, c.redone) {
				t.Errorf("want %q done again, found %q", c.redone, redone)
			}
			if c.planned == nil {
				c.planned = c.redone
			}
			if !slices.Equal(planned, c.planned) {
				t.Errorf("want %q planned, found %q", c.planned, planned)
			}
			again := outputs(t, o.Out)
			maps.DeleteFunc(again, func(path, _ string) bool { return c.stays != "" && strings.Contains(path, c.stays) })
			o.Out = t.TempDir()
			mustRun(t, dir, o)
			if d := cmp.Diff(outputs(t, o.Out), again); d != "" {
				t.Errorf("not what a new run writes (-new +second):\n%s", d)
			}
		})
	}
}

// outputs returns the files of a run directory besides the manifest, which
// holds times, and the state.
func outputs(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, part := range []string{"pairs", "poses", "results", "submission", "views"} {
		paths, err := filesBelow(dir, part)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(filepath.Join(dir, path))
			if err != nil {
				t.Fatal(err)
			}
			files[path] = string(text)
		}
	}
	return files
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}
