package reports_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/num/quat"
	"gonum.org/v1/gonum/spatial/r3"

	"locbench/bench/record"
	"locbench/kapture"
	"locbench/kapture/geom"
	"locbench/reports"
)

// tilt turns the made-up scene so that none of its axes points up.
var tilt = geom.Pose{R: quat.Number{Real: math.Cos(0.4), Imag: 0.6 * math.Sin(0.4), Jmag: 0.8 * math.Sin(0.4)}, T: r3.Vec{X: 400, Y: -20, Z: 1e5}}

// standing is an upright camera at x, z of the level ground, turned by degrees
// clockwise from looking along z.
func standing(x, z, degrees float64) geom.Pose {
	half := -degrees * math.Pi / 360
	level := geom.FromCenter(quat.Number{Real: math.Cos(half), Jmag: math.Sin(half)}, r3.Vec{X: x, Z: z})
	return tilt.Inverse().Then(level)
}

// mappingPose lines the mapping cameras up, two metres apart.
func mappingPose(i int) geom.Pose { return standing(2*float64(i), 3, 90) }

// truePose is of query i; every tenth has none that is known.
func truePose(i int) (geom.Pose, bool) { return standing(float64(i), 0, float64(10*i)), i%10 != 9 }

// offset is how far to the right the estimate of a query is from the truth, metres.
const offset = 0.75

// writeViews adds what a run writes for the views: cameras, matches and the
// poses of one method and k, and some image files.
func (f fixture) writeViews(t testing.TB, run *record.Run) {
	t.Helper()
	scene := t.TempDir()
	run.Manifest.Scene.Dir = scene
	var cameras []record.Camera
	add := func(name, role string, p geom.Pose, known bool) {
		c := record.Camera{Image: name, Role: role, File: fmt.Sprintf("images/%04d.jpg", len(cameras)), Width: 640, Height: 480}
		c.Pose = [7]float64{p.R.Real, p.R.Imag, p.R.Jmag, p.R.Kmag, p.T.X, p.T.Y, p.T.Z}
		if !known {
			for i := range c.Pose {
				c.Pose[i] = math.NaN()
			}
		}
		cameras = append(cameras, c)
	}
	for i := range f.mapping {
		add(fmt.Sprintf("mapping/%04d.jpg", i), record.MappingRole, mappingPose(i), true)
	}
	d := &kapture.Dataset{Sensors: []kapture.Sensor{{ID: "cam", Type: "camera", Params: []string{"UNKNOWN_CAMERA", "640", "480"}}}}
	var matches []record.ViewMatch
	for i := range f.queries {
		p, known := truePose(i)
		add(queryName(i), record.QueryRole, p, known)
		if strings.Contains(queryName(i), ",") {
			continue
		}
		d.Cameras = append(d.Cameras, kapture.FileRecord{Timestamp: int64(i), Sensor: "cam", Path: queryName(i)})
		d.Trajectories = append(d.Trajectories, kapture.DevicePose{Timestamp: int64(i), Device: "cam",
			Pose: kapture.PartialPose{Pose: standing(float64(i)+offset, 0, float64(10*i)), HasRotation: true, HasTranslation: true}})
		matches = append(matches, record.ViewMatch{Query: queryName(i), Image: fmt.Sprintf("mapping/%04d.jpg", (i*7+1)%f.mapping), Matches: 25,
			Lines: [][4]int{{10, 20, 30, 40}, {630, 470, 600, 20}, {320, 240, 320, 240}}})
	}
	views := filepath.Join(run.Dir, "views")
	err := errors.Join(os.MkdirAll(views, 0o755), os.MkdirAll(filepath.Join(scene, "images"), 0o755),
		d.Write(filepath.Join(run.Dir, "poses", f.features[0], fmt.Sprintf("%s_top%d", f.methods[0], viewTopK))),
		record.WriteCameras(filepath.Join(run.Dir, record.CamerasFile), cameras), record.WriteViewMatches(filepath.Join(run.Dir, record.ViewMatchesFile), matches))
	for i, c := range cameras {
		if i%4 != 3 { // every fourth file is not there
			err = errors.Join(err, os.WriteFile(filepath.Join(scene, c.File), picture(i), 0o644))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// walk is a run with views.
var walk = fixture{
	name: "walk", queries: 40, mapping: 30, features: []string{"AP-GeM_LM18", `tiny <b>&"image"`},
	methods: []string{"ewb", "csi"}, topks: []int{1, viewTopK}, seed: 9,
}

// viewTopK is the k whose estimates the made-up run has.
const viewTopK = 10

// picture is a JPEG of a colour of its own.
func picture(i int) []byte {
	m := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for p := range 64 * 48 {
		m.Set(p%64, p/64, color.RGBA{uint8(40 * i), uint8(7 * i), uint8(p / 16), 255})
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// viewOptions are of a report with pictures.
var viewOptions = reports.Options{Thumbnails: pictures(1000)}

// pictures takes the files as they are, as small pictures.
func pictures(most int) reports.Thumbnails {
	return reports.Thumbnails{Most: most, Make: func(file []byte) ([]byte, error) { return file, nil }}
}

// viewed writes the report of a made-up run with views to a folder.
func viewed(t testing.TB, most int) (dir string, run *record.Run) {
	t.Helper()
	run = walk.build(t)
	walk.writeViews(t, run)
	// Fewer plots, which take the time.
	run.Manifest.Scene.Splits = run.Manifest.Scene.Splits[:1]
	run.Summary = slices.DeleteFunc(run.Summary, func(s record.Summary) bool { return s.Split != record.AllSplit })
	run.Retrieval = slices.DeleteFunc(run.Retrieval, func(r record.Retrieval) bool { return r.Split != record.AllSplit })
	dir = t.TempDir()
	writeDir(t, dir, reports.Options{Thumbnails: pictures(most)}, run)
	return dir, run
}

func writeDir(t testing.TB, dir string, o reports.Options, runs ...*record.Run) {
	t.Helper()
	r, err := reports.Build(runs, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.WriteDir(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
}

// shownImage and shownQuery are what the scripts of a report hold.
type shownImage struct {
	F string
	W int
	C []float64
}

type shownQuery struct {
	shownImage
	E map[string][]float64
	M []struct {
		I, N int
		L    [][4]int
	}
}

// readScript reads a script of views.
func readScript(t *testing.T, dir, name string) (queries []shownQuery, images map[string]shownImage) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "views", name+".js"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.ContainsAny(text, "<>&") {
		t.Errorf("%s.js holds characters of HTML", name)
	}
	head, tail := fmt.Sprintf("locbenchView(%q, ", name), ");\n"
	inner, ok := strings.CutSuffix(strings.TrimPrefix(string(text), head), tail)
	if !ok || !strings.HasPrefix(string(text), head) {
		t.Fatalf("%s.js is not a call of locbenchView", name)
	}
	var out struct {
		Queries []shownQuery
		Images  map[string]shownImage
	}
	if err := json.Unmarshal([]byte(inner), &out); err != nil {
		t.Fatal(err)
	}
	return out.Queries, out.Images
}

// TestViews holds the scripts of a report against the made-up scene: the map
// must keep its distances and directions, whatever way its world is turned.
func TestViews(t *testing.T) {
	dir, _ := viewed(t, 1000)
	queries, images := readScript(t, dir, "1-0")
	if len(queries) != walk.queries || len(images) == 0 {
		t.Fatalf("%d queries and %d images in the script, want %d and some", len(queries), len(images), walk.queries)
	}
	for i, q := range queries {
		_, known := truePose(i)
		if known != (q.C != nil) {
			t.Errorf("query %d: a true place is %t on the map, want %t", i, q.C != nil, known)
		}
		if !known || strings.Contains(queryName(i), ",") {
			continue
		}
		if len(q.E) != 1 {
			t.Fatalf("query %d has %d estimates, want one", i, len(q.E))
		}
		for _, e := range q.E {
			if d := math.Hypot(e[0]-q.C[0], e[1]-q.C[1]); math.Abs(d-offset) > 0.002 || e[2] != q.C[2] {
				t.Errorf("query %d: the estimate is %.4f m from the truth and looks to %v°, the truth to %v°; want %v m and no difference", i, d, e[2], q.C[2], offset)
			}
		}
		if i > 0 && i%10 != 0 {
			before := queries[i-1].C
			if turn := math.Mod(before[2]-q.C[2]+720, 360); math.Abs(turn-10) > 1 {
				t.Errorf("query %d looks %v° to the right of query %d, want 10°", i, turn, i-1)
			}
			// From above, x grows to the right of who looks along z.
			ahead, step := (before[2]+10*float64(i-1))*math.Pi/180, [2]float64{q.C[0] - before[0], q.C[1] - before[1]}
			if right := step[0]*math.Sin(ahead) - step[1]*math.Cos(ahead); math.Abs(right-1) > 0.05 {
				t.Errorf("query %d is %.3f m to the right of query %d, want 1 m", i, right, i-1)
			}
		}
		if len(q.M) != 1 || q.M[0].N != 25 || len(q.M[0].L) != 3 {
			t.Errorf("query %d has the matches %v", i, q.M)
		}
	}
}

// countPictures counts the pictures of a report in use, which must be those that
// are there, and images without one by the reason.
func countPictures(t *testing.T, dir string) (pictures int, why map[int]int) {
	t.Helper()
	queries, images := readScript(t, dir, "1-0")
	why = map[int]int{}
	used := map[string]bool{}
	all := []shownImage{}
	for _, q := range queries {
		all = append(all, q.shownImage)
	}
	for _, im := range images {
		all = append(all, im)
	}
	for _, im := range all {
		if im.F == "" {
			why[im.W]++
			continue
		}
		used[im.F] = true
		if _, err := os.Stat(filepath.Join(dir, im.F)); err != nil {
			t.Error(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "thumbnails", "*"))
	if err != nil || len(files) != len(used) {
		t.Errorf("%d pictures are there, %d in use (%v)", len(files), len(used), err)
	}
	return len(used), why
}

// TestPictures counts pictures and the reasons for having none.
func TestPictures(t *testing.T) {
	dir, run := viewed(t, 1000)
	images := walk.queries + walk.mapping
	if n, why := countPictures(t, dir); n != images-images/4 || why[2] != images/4 || len(why) != 1 {
		t.Errorf("%d pictures, reasons %v; want %d, and %d files that are not there", n, why, images-images/4, images/4)
	}
	writeDir(t, dir, reports.Options{Thumbnails: pictures(20)}, run)
	if n, why := countPictures(t, dir); n == 0 || n > 20 || why[1] == 0 {
		t.Errorf("%d pictures and reasons %v of at most 20", n, why)
	}
	writeDir(t, dir, reports.Options{}, run)
	if n, why := countPictures(t, dir); n != 0 || why[5] != images {
		t.Errorf("%d pictures and reasons %v without pictures", n, why)
	}
	if err := os.WriteFile(filepath.Join(run.Manifest.Scene.Dir, "images", "0000.jpg"), []byte("no image"), 0o644); err != nil {
		t.Fatal(err)
	}
	broken := reports.Thumbnails{Most: 1000, Make: func(file []byte) ([]byte, error) {
		_, err := jpeg.Decode(bytes.NewReader(file))
		return file, err
	}}
	writeDir(t, dir, reports.Options{Thumbnails: broken}, run)
	if _, why := countPictures(t, dir); why[3] != 1 {
		t.Errorf("reasons %v with one broken image", why)
	}
}

// openView opens the page in a folder at the view of a query, and waits for it.
func (b *browser) openView(t *testing.T, dir string, q int) {
	t.Helper()
	b.openAt(t, filepath.Join(dir, "index.html"), fmt.Sprintf("#k=%d&data-1.open=%s", viewTopK, url.QueryEscape(queryName(q))))
	var ready bool
	b.eval(t, `new Promise(done => { const look = () => document.querySelector(".view > *") ?
		Promise.allSettled([...document.querySelectorAll(".view img")].map(i => i.decode())).then(() => done(true)) : setTimeout(look, 20); look(); })`, &ready)
}

// TestViewInBrowser opens views: pictures, lines and marks are drawn.
func TestViewInBrowser(t *testing.T) {
	b := newBrowser(t)
	dir, _ := viewed(t, 1000)
	for _, q := range []int{0, 1, 4, 9} {
		b.openView(t, dir, q)
		var alts, missing, titles []string
		b.eval(t, `[...document.querySelectorAll(".view img")].filter(i => i.complete && i.naturalWidth > 0).map(i => i.alt)`, &alts)
		b.eval(t, `[...document.querySelectorAll(".view .missing")].map(p => p.textContent)`, &missing)
		b.eval(t, `[...document.querySelectorAll(".view .map title")].map(t => t.textContent)`, &titles)
		wantPictures, wantMarks := 6, 6 // the query and five retrieved; the truth, the estimate: one more
		if strings.Contains(queryName(q), ",") {
			wantPictures, wantMarks = 1, 1
		} else if _, known := truePose(q); known {
			wantMarks++
		}
		if len(alts)+len(missing) != wantPictures || slices.Contains(alts, "") || wantPictures > 1 && len(alts) < 3 {
			t.Errorf("query %d: pictures %q and reasons %q, want %d in all", q, alts, missing, wantPictures)
		}
		if len(titles) != wantMarks {
			t.Errorf("query %d: marks %q on the map, want %d", q, titles, wantMarks)
		}
		var lines int
		b.eval(t, `document.querySelectorAll(".view .matches line").length`, &lines)
		if wantPictures > 1 && lines != 3 {
			t.Errorf("query %d: %d lines of matches, want 3", q, lines)
		}
		for _, s := range b.complaints() {
			t.Error(s)
		}
	}
	for _, v := range []struct {
		name  string
		width int
		dark  bool
	}{{"view_light", 1280, false}, {"view_dark", 1280, true}, {"view_phone", 390, false}} {
		b.open(t, filepath.Join(dir, "index.html"), v.width, v.dark)
		b.openView(t, dir, 2)
		b.shot(t, v.name, v.width)
		b.check(t)
	}
}

// TestViewMissing opens pages that lack what views show: they say so.
func TestViewMissing(t *testing.T) {
	b := newBrowser(t)
	dir, run := viewed(t, 1000)
	alone := t.TempDir()
	writePage(t, alone, []*record.Run{run})
	var text string
	b.openView(t, alone, 0)
	if b.eval(t, `document.querySelector(".view").textContent`, &text); !strings.Contains(text, "without maps and pictures") {
		t.Errorf("a page alone says %q", text)
	}
	if err := os.RemoveAll(filepath.Join(dir, "views")); err != nil {
		t.Fatal(err)
	}
	b.openView(t, dir, 0)
	if b.eval(t, `document.querySelector(".view").textContent`, &text); !strings.Contains(text, "not beside this page") {
		t.Errorf("a page without its folder says %q", text)
	}
}
