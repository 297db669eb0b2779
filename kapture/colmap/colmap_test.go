package colmap

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
	"locbench/kapture/kapturetest"
)

// small is a model with a name that has blanks, an image without keypoints and a
// point that nobody sees.
func small() *Model {
	return &Model{
		Cameras: []Camera{{3, "OPENCV", 640, 480, []float64{500, 501, 320, 240, 0.1, -0.2, 1e-7, 0}}, {7, "FOV", 64, 48, []float64{50, 50, 32, 24, 0.9}}},
		Images: []Image{
			{1, geom.Pose{R: geom.Exp(r3.Vec{X: 0.3}), T: r3.Vec{X: 1, Y: -2, Z: 1e6}}, 3, "a b/c 1.jpg", []Keypoint{{1.5, 2.25, 9}, {3, 4, NoPoint}, {5, 6, 1 << 40}}},
			{2, geom.Identity(), 7, "d.jpg", []Keypoint{{10, 20, 9}}},
			{5, geom.Identity(), 7, "empty.jpg", []Keypoint{}},
		},
		Points: []Point{
			{9, r3.Vec{X: 0.1, Y: 1. / 3, Z: 1e-300}, [3]uint8{1, 2, 255}, 0.5, []Observation{{1, 0}, {2, 0}}},
			{1 << 40, r3.Vec{X: 1}, [3]uint8{}, -1, []Observation{{1, 2}}},
		},
	}
}

func TestRoundTrip(t *testing.T) {
	for _, form := range []Form{Text, Binary} {
		dir, again := t.TempDir(), t.TempDir()
		if err := small().Write(dir, form); err != nil {
			t.Fatal(err)
		}
		m, err := Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(small(), m); d != "" {
			t.Errorf("%s (-want +got):\n%s", form, d)
		}
		if err := m.Write(again, form); err != nil {
			t.Fatal(err)
		}
		for _, part := range parts {
			a, _ := os.ReadFile(file(dir, part, form))
			if b, err := os.ReadFile(file(again, part, form)); err != nil || !bytes.Equal(a, b) {
				t.Errorf("%s.%s: other bytes the second time, %v", part, form, err)
			}
		}
	}
}

// TestReference reads what COLMAP wrote, both forms alike, and writes it back: the
// same lines, but for their order.
func TestReference(t *testing.T) {
	dir := kapturetest.Shared(t, "golden", "colmap_virtual_gallery", "map")
	binaryModel, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	only := t.TempDir()
	for _, part := range parts {
		text, err := os.ReadFile(file(dir, part, Text))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file(only, part, Text), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	textModel, err := Read(only)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(binaryModel, textModel); d != "" {
		t.Errorf("the text and the binary model differ:\n%.2000s", d)
	}
	if len(textModel.Cameras) != 2 || len(textModel.Images) != 12 || len(textModel.Points) != 634 {
		t.Errorf("want 2 cameras, 12 images and 634 points, found %d, %d and %d", len(textModel.Cameras), len(textModel.Images), len(textModel.Points))
	}
	out := t.TempDir()
	if err := textModel.Write(out, Text); err != nil {
		t.Fatal(err)
	}
	for _, part := range parts {
		if want, got := sortedLines(t, file(only, part, Text)), sortedLines(t, file(out, part, Text)); !slices.Equal(want, got) {
			for i := range want {
				if i >= len(got) || want[i] != got[i] {
					t.Errorf("%s.txt: want %.300q, found %.300q", part, want[i], got[min(i, len(got)-1)])
					break
				}
			}
		}
	}
	if err := textModel.Write(t.TempDir(), Binary); err != nil {
		t.Fatal(err)
	}
}

func sortedLines(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	slices.Sort(lines)
	return lines
}

// TestReconstruction turns the small model into kapture's tables.
func TestReconstruction(t *testing.T) {
	points, seen := small().Reconstruction("sift")
	if len(points.XYZ) != 2 || points.Colors[0] != [3]float32{1, 2, 255} || seen.Len() != 2 || seen.Views() != 3 {
		t.Errorf("found %+v, %d lines, %d views", points, seen.Len(), seen.Views())
	}
}

// TestRefuses holds broken models to their messages, in both forms.
func TestRefuses(t *testing.T) {
	for want, spoil := range map[string]func(m *Model){
		"want every camera once, found 3 twice":        func(m *Model) { m.Cameras[1].ID = 3 },
		"camera 7: want 5 parameters":                  func(m *Model) { m.Cameras[1].Params = m.Cameras[1].Params[:4] },
		"found \"SPHERE\"":                             func(m *Model) { m.Cameras[1].Model = "SPHERE" },
		"want every image once, found 1 twice":         func(m *Model) { m.Images[1].ID = 1 },
		"want a different name for each image":         func(m *Model) { m.Images[1].Name = m.Images[0].Name },
		"image 2: want a camera of the model, found 8": func(m *Model) { m.Images[1].Camera = 8 },
		"want every point once":                        func(m *Model) { m.Points[1].ID = 9 },
		"want images of the model, found 4":            func(m *Model) { m.Points[0].Track[1].Image = 4 },
		"found keypoint 7 of image 2":                  func(m *Model) { m.Points[0].Track[1].Keypoint = 7 },
		"found keypoint 1 of image 1":                  func(m *Model) { m.Points[0].Track[0].Keypoint = 1 },
		"found -1 views more there than here":          func(m *Model) { m.Points[0].Track = m.Points[0].Track[:1] },
	} {
		m := small()
		spoil(m)
		if err := m.check(func(part string) string { return part }); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, found %v", want, err)
		}
	}
}

// TestBadText changes a line of a text model.
func TestBadText(t *testing.T) {
	for _, c := range []struct{ part, old, new, want string }{
		{"cameras", "3 OPENCV 640", "3 OPENCV -640", "cameras.txt:4: want a whole number from 0 up as field 3, found \"-640\""},
		{"cameras", "7 FOV 64 48 50 50 32 24 0.9", "7 FOV", "want CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[], found 2 fields"},
		{"cameras", " 501 ", " nan ", "want a finite number as field 6, found \"nan\""},
		{"images", "2 1 0 0 0 0 0 0 7 d.jpg", "2 1 0 0 0 0 0 0 7", "images.txt:7: want IMAGE_ID"},
		{"images", "2 1 0 0 0 0 0 0 7 d.jpg", "2 0 0 0 0 0 0 0 7 d.jpg", "want a rotation"},
		{"images", " d.jpg", " ../d.jpg", "image 2: want a path inside the dataset"},
		{"images", "10 20 9", "10 20", "images.txt:8: want three numbers a keypoint of image 2, found 2 fields"},
		{"points3D", "1 2 255 0.5", "1 2 256 0.5", "points3D.txt:4: want a whole number from 0 up as field 7, found \"256\""},
		{"points3D", "-1 1 2", "-1 1", "want two numbers a view of a point"},
	} {
		dir := t.TempDir()
		if err := small().Write(dir, Text); err != nil {
			t.Fatal(err)
		}
		path := file(dir, c.part, Text)
		text, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(text), c.old) {
			t.Fatalf("%s does not hold %q: %s", c.part, c.old, text)
		}
		if err := os.WriteFile(path, []byte(strings.Replace(string(text), c.old, c.new, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: want an error with %q, found %v", c.new, c.want, err)
		}
	}
}

// TestCutShort cuts the files of a binary model at every byte, and lies about
// counts: an error with the place, no panic, no memory for what is not there.
func TestCutShort(t *testing.T) {
	whole := t.TempDir()
	if err := small().Write(whole, Binary); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files := map[string][]byte{}
	restore := func() {
		for part, text := range files {
			if err := os.WriteFile(file(dir, part, Binary), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, part := range parts {
		text, err := os.ReadFile(file(whole, part, Binary))
		if err != nil {
			t.Fatal(err)
		}
		files[part] = text
	}
	restore()
	for part, text := range files {
		path := file(dir, part, Binary)
		for n := range len(text) {
			if err := os.WriteFile(path, text[:n], 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), part+".bin: byte ") {
				t.Fatalf("%s cut at %d of %d bytes: %v", part, n, len(text), err)
			}
		}
		for _, lie := range []uint64{math.MaxUint64, 1 << 40, uint64(len(text))} {
			bad := slices.Clone(text)
			binary.LittleEndian.PutUint64(bad, lie)
			if err := os.WriteFile(path, bad, 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), "bytes that are left") {
				t.Errorf("%s with %d entries: %v", part, lie, err)
			}
		}
		if err := os.WriteFile(path, append(slices.Clone(text), 0), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), "want the end of the file, found 1 bytes more") {
			t.Errorf("%s with a byte more: %v", part, err)
		}
		restore()
	}
	if _, err := Read(t.TempDir()); err == nil || !strings.Contains(err.Error(), "want a COLMAP model") {
		t.Errorf("an empty folder: %v", err)
	}
	if err := small().Write(dir, Text); err == nil || !strings.Contains(err.Error(), "want a folder without cameras.bin") {
		t.Errorf("a text model beside a binary one: %v", err)
	}
}

// FuzzRead reads what it is given as each of the files: no panic.
func FuzzRead(f *testing.F) {
	for _, form := range []Form{Text, Binary} {
		dir := f.TempDir()
		if err := small().Write(dir, form); err != nil {
			f.Fatal(err)
		}
		for i, part := range parts {
			text, err := os.ReadFile(file(dir, part, form))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text, i, form == Text)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, part int, text bool) {
		form := Binary
		if text {
			form = Text
		}
		dir := t.TempDir()
		if err := small().Write(dir, form); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, parts[uint(part)%3]+"."+string(form)), data, 0o644); err != nil {
			t.Fatal(err)
		}
		if m, err := Read(dir); err == nil {
			if err := m.Write(t.TempDir(), form); err != nil {
				t.Errorf("what was read cannot be written: %v", err)
			}
		}
	})
}

// BenchmarkRead reads a binary model of 500 images with 10,000 keypoints.
func BenchmarkRead(b *testing.B) {
	m := &Model{Cameras: small().Cameras}
	for i := range 500 {
		im := Image{ID: uint32(i), Pose: geom.Identity(), Camera: 3, Name: "image" + string(rune('a'+i%26)) + strings.Repeat("x", i/26), Keypoints: make([]Keypoint, 10_000)}
		for k := range im.Keypoints {
			im.Keypoints[k] = Keypoint{float64(k), 1, NoPoint}
		}
		m.Images = append(m.Images, im)
	}
	dir := b.TempDir()
	if err := m.Write(dir, Binary); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(500 * 10_000 * 24)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read(dir); err != nil {
			b.Fatal(err)
		}
	}
}
