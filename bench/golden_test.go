package bench

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/num/quat"
	"gonum.org/v1/gonum/spatial/r3"

	"locbench/bench/metrics"
	"locbench/bench/record"
	"locbench/kapture"
	"locbench/kapture/geom"
	"locbench/kapture/kapturetest"
	"locbench/scenes"
)

// runGallery runs the benchmark on the virtual gallery with the options of the
// reference run.
func runGallery(t *testing.T, ks ...int) *record.Run {
	t.Helper()
	scene, err := scenes.Open(kapturetest.Shared(t, "data", "virtual_gallery_tutorial"), scenes.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	plan, err := NewPlan(scene, Options{Out: out, TopK: ks, CSIAlpha: DefaultCSIAlpha})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	run, err := record.ReadRun(out)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

const galleryFeature = "AP-GeM-LM18"

// goldenPose is one image of pose_approximation/results.json.
type goldenPose struct {
	Image   string     `json:"image"`
	Meters  float64    `json:"translation_error_m"`
	Degrees float64    `json:"rotation_error_deg"`
	Q       [4]float64 `json:"q_wxyz_world_to_cam"`
	T       [3]float64 `json:"t_world_to_cam"`
}

// goldenRun is one run of pose_approximation/results.json.
type goldenRun struct {
	Images           []goldenPose `json:"images"`
	Bins             [][4]float64 `json:"bins"` // metres, degrees, queries, percent
	MeanMeters       float64      `json:"mean_translation"`
	MeanDegrees      float64      `json:"mean_rotation"`
	MedianMeters     float64      `json:"median_translation"`
	MedianDegrees    float64      `json:"median_rotation"`
	MedianAllMeters  float64      `json:"median_all_translation"`
	MedianAllDegrees float64      `json:"median_all_rotation"`
	Queries          float64      `json:"number_of_images"`
	Localized        float64      `json:"number_of_localized_positions"`
}

func readGoldenRuns(t *testing.T) map[string]goldenRun {
	t.Helper()
	var golden map[string]goldenRun
	kapturetest.SharedJSON(t, &golden, "golden", "virtual_gallery", "pose_approximation", "results.json")
	if len(golden) != 9 {
		t.Fatalf("want 9 reference runs, found %d", len(golden))
	}
	return golden
}

// TestVirtualGalleryPoses holds poses and errors of every method and k against
// the reference implementation, through the files of a whole run.
func TestVirtualGalleryPoses(t *testing.T) {
	golden := readGoldenRuns(t)
	run := runGallery(t, 1, 3, 10)
	for name, g := range golden {
		method, k := parseGoldenName(t, name)
		d, err := kapture.Open(filepath.Join(run.Dir, "poses", galleryFeature, method+"_top"+strconv.Itoa(k)))
		if err != nil {
			t.Fatal(err)
		}
		poses, err := d.ImagePoses()
		if err != nil {
			t.Fatal(err)
		}
		if len(g.Images) != len(poses) {
			t.Errorf("%s: want %d poses, found %d", name, len(g.Images), len(poses))
		}
		for _, want := range g.Images {
			checkPose(t, name, want, poses[want.Image])
			checkErrors(t, name, want, findRow(t, run, want.Image, method, k))
		}
	}
}

// parseGoldenName takes CSI_top10_alpha8 apart.
func parseGoldenName(t *testing.T, name string) (method string, k int) {
	t.Helper()
	parts := strings.Split(name, "_")
	k, err := strconv.Atoi(strings.TrimPrefix(parts[1], "top"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ToLower(parts[0]), k
}

// checkPose compares within 1e-6, the reference's stated tolerance; the sign of
// a quaternion is arbitrary.
func checkPose(t *testing.T, name string, want goldenPose, got kapture.PartialPose) {
	t.Helper()
	const tolerance = 1e-6
	q := quat.Number{Real: want.Q[0], Imag: want.Q[1], Jmag: want.Q[2], Kmag: want.Q[3]}
	apart := math.Min(quat.Abs(quat.Sub(got.R, q)), quat.Abs(quat.Add(got.R, q)))
	moved := r3.Norm(r3.Sub(got.T, r3.Vec{X: want.T[0], Y: want.T[1], Z: want.T[2]}))
	if !(apart <= tolerance) || !(moved <= tolerance) {
		t.Errorf("%s %s: pose is off by %g (rotation) and %g m", name, want.Image, apart, moved)
	}
}

func checkErrors(t *testing.T, name string, want goldenPose, row record.Query) {
	t.Helper()
	if math.Abs(row.TErrM-want.Meters) > 1e-5 || math.Abs(row.RErrDeg-want.Degrees) > 1e-4 {
		t.Errorf("%s %s: want errors %v m, %v°, found %v m, %v°", name, want.Image, want.Meters, want.Degrees, row.TErrM, row.RErrDeg)
	}
}

func findRow(t *testing.T, run *record.Run, query, method string, k int) record.Query {
	t.Helper()
	for _, q := range run.Queries {
		if q.Query == query && q.Method == method && q.TopK == k && q.Feature == galleryFeature {
			return q
		}
	}
	t.Fatalf("no row of %s, %s, top %d", query, method, k)
	return record.Query{}
}

// TestVirtualGalleryPairs holds the pairs files of runs against the reference:
// the order exactly, the scores within 1e-6. There are 12 mapping images: top 20
// keeps its name and lists 12.
func TestVirtualGalleryPairs(t *testing.T) {
	for _, k := range []int{5, 20} {
		run := runGallery(t, k)
		want := readPairsFile(t, kapturetest.Shared(t, "golden", "virtual_gallery", "pairs_query_top"+strconv.Itoa(k)+".txt"))
		got := readPairsFile(t, filepath.Join(run.Dir, "pairs", galleryFeature+".txt"))
		if len(want) != len(got) {
			t.Fatalf("top %d: want %d pairs, found %d", k, len(want), len(got))
		}
		for i := range want {
			if want[i].Query != got[i].Query || want[i].Map != got[i].Map || math.Abs(want[i].Score-got[i].Score) > 1e-6 {
				t.Errorf("top %d, pair %d: want %v, found %v", k, i, want[i], got[i])
			}
		}
		if note := run.Manifest.TopK[0].Note; (k == 20) != (note != "") {
			t.Errorf("top %d: found note %q", k, note)
		}
	}
}

func readPairsFile(t *testing.T, path string) kapture.Pairs {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	pairs, err := kapture.ReadPairs(f, path)
	if err != nil {
		t.Fatal(err)
	}
	return pairs
}

// TestVirtualGallerySummary holds every figure of the summary against the
// reference's: percentages exactly, errors within 1e-5 m and 1e-4 degrees.
func TestVirtualGallerySummary(t *testing.T) {
	golden := readGoldenRuns(t)
	run := runGallery(t, 1, 3, 10)
	figures := map[string]float64{}
	for _, s := range run.Summary {
		if s.Split == record.AllSplit {
			figures[s.Method+strconv.Itoa(s.TopK)+s.Metric] = s.Value
		}
	}
	for name, g := range golden {
		method, k := parseGoldenName(t, name)
		check := func(metric string, want, tolerance float64) {
			got, ok := figures[method+strconv.Itoa(k)+metric]
			if !ok || !(math.Abs(got-want) <= tolerance) {
				t.Errorf("%s %s: want %v, found %v", name, metric, want, got)
			}
		}
		for _, bin := range g.Bins {
			check(metrics.Within(geom.Threshold{Meters: bin[0], Degrees: bin[1]}), bin[3], 0)
		}
		check(metrics.Queries, g.Queries, 0)
		check(metrics.Localized, g.Localized, 0)
		check(metrics.MedianMeters, g.MedianAllMeters, 1e-5)
		check(metrics.MedianDegrees, g.MedianAllDegrees, 1e-4)
		check(metrics.MedianLocalizedMeters, g.MedianMeters, 1e-5)
		check(metrics.MedianLocalizedDegrees, g.MedianDegrees, 1e-4)
		check(metrics.MeanLocalizedMeters, g.MeanMeters, 1e-5)
		check(metrics.MeanLocalizedDegrees, g.MeanDegrees, 1e-4)
	}
}
