package synth

import (
	"bytes"
	"context"
	"errors"
	"image"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gonum.org/v1/gonum/num/quat"
	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
)

// tinyLandmarks take a fraction of a second.
var tinyLandmarks = LandmarkOptions{Classes: 9, Views: 3, Size: 32, Seed: 5, Jobs: 2}

func generateLandmarks(t *testing.T, o LandmarkOptions) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "landmarks")
	if err := GenerateLandmarks(t.Context(), dir, o); err != nil {
		t.Fatal(err)
	}
	return dir
}

func newLandmarks(t testing.TB, o LandmarkOptions) *Landmarks {
	t.Helper()
	l, err := NewLandmarks(o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLandmarkFiles(t *testing.T) {
	o := tinyLandmarks
	o.Jobs = 1
	one := files(t, generateLandmarks(t, o))
	o.Jobs = 4
	sameFiles(t, one, files(t, generateLandmarks(t, o)))
	for name, want := range map[string]bool{
		"train/0000a/0000.jpg": true, "train/0000d/0002.jpg": true, "train/0002a/0001.jpg": true, "val/0001b/0000.jpg": true,
		"train/0001b/0000.jpg": false, "val/0000a/0000.jpg": false, "train/0002b/0000.jpg": false, "train/0000a/0003.jpg": false,
	} {
		if _, found := one[filepath.FromSlash(name)]; found != want {
			t.Errorf("%s: want it there %v, found %v", name, want, found)
		}
	}
	if len(one) != 9*3+2 {
		t.Errorf("%d files", len(one))
	}
	table := string(one["images.csv"])
	if !strings.HasPrefix(table, "image,label,split,night\ntrain/0000a/0000.jpg,0000a,train,0\n") || !strings.Contains(table, "\nval/0001d/0002.jpg,0001d,val,1\n") ||
		strings.Count(table, "\n") != 28 {
		t.Errorf("found the table\n%s", table)
	}
	if licence := string(one[licenceFile]); !strings.Contains(licence, "--classes 9 --views 3 --size 32 --seed 5") || !strings.Contains(licence, "CC0 1.0") {
		t.Errorf("found the licence\n%s", licence)
	}
	o.Seed++
	other := files(t, generateLandmarks(t, o))
	if name := filepath.FromSlash("train/0000a/0000.jpg"); bytes.Equal(one[name], other[name]) {
		t.Error("another seed gives the same picture")
	}
}

func TestLandmarksAreFinished(t *testing.T) {
	whole := files(t, generateLandmarks(t, tinyLandmarks))
	dir := filepath.Join(t.TempDir(), "landmarks")
	for stop := range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		o := tinyLandmarks
		o.Progress = func(done, total int) {
			if total != 27 {
				t.Errorf("want 27 pictures in all, found %d", total)
			}
			if done > stop {
				cancel()
			}
		}
		if err := GenerateLandmarks(ctx, dir, o); !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped after %d pictures: error %v", stop, err)
		}
		if _, err := os.Stat(filepath.Join(dir, landmarkTable)); err == nil {
			t.Fatal("incomplete landmarks have a table")
		}
		cancel()
	}
	if err := GenerateLandmarks(t.Context(), dir, tinyLandmarks); err != nil {
		t.Fatal(err)
	}
	sameFiles(t, whole, files(t, dir))

	o := tinyLandmarks
	o.Progress = func(int, int) { t.Error("complete landmarks are made again") }
	if err := GenerateLandmarks(t.Context(), dir, o); err != nil {
		t.Error(err)
	}
	o = tinyLandmarks
	o.Views = 4
	if err := GenerateLandmarks(t.Context(), dir, o); !errors.Is(err, ErrExists) || !strings.Contains(err.Error(), "--views 3") {
		t.Errorf("other landmarks in their place: error %v", err)
	}
	o.Force = true
	if err := GenerateLandmarks(t.Context(), dir, o); err != nil {
		t.Error(err)
	}
	if err := GenerateLandmarks(t.Context(), generate(t, tiny), o); err == nil || !strings.Contains(err.Error(), "holds something else") {
		t.Errorf("landmarks in place of a scene: error %v", err)
	}
}

func TestLandmarkErrors(t *testing.T) {
	_, err := NewLandmarks(LandmarkOptions{Classes: 7, Views: 1, Size: 4000})
	for _, want := range []string{"want 8 to 39996 classes, found 7", "want 2 to 9999 views of each class, found 1", "want 32 to 2048 pixels as size, found 4000"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, found %v", want, err)
		}
	}
}

// TestHeldOut wants whole quarters for validation, about every fifth.
func TestHeldOut(t *testing.T) {
	for classes, want := range map[int]int{8: 4, 12: 4, 20: 4, 43: 8, 400: 80} {
		l := newLandmarks(t, LandmarkOptions{Classes: classes, Views: 2, Size: 32})
		held := 0
		for c := range classes {
			if l.heldOut(c) {
				held++
			}
			if l.heldOut(c) != l.heldOut(c/quarterSize*quarterSize) {
				t.Errorf("%d classes: %s is held out and its look-alike is not", classes, l.name(c))
			}
		}
		if held != want {
			t.Errorf("%d classes: want %d held out, found %d", classes, want, held)
		}
	}
}

// TestPicturesAreTheSame asks for pictures in memory, several at once and in
// another order: they are those of the files before their compression.
func TestPicturesAreTheSame(t *testing.T) {
	o := tinyLandmarks
	var mu sync.Mutex
	var wg sync.WaitGroup
	pixels := map[[2]int][]byte{}
	for c := o.Classes - 1; c >= 0; c-- {
		m := newLandmarks(t, o).Landmark(c)
		if m.Name != m.set.name(c) || m.Validation != (c/quarterSize == 1) {
			t.Errorf("class %d is %s, for validation %v", c, m.Name, m.Validation)
		}
		for v := range o.Views {
			wg.Go(func() {
				p := m.Picture(v)
				mu.Lock()
				defer mu.Unlock()
				pixels[[2]int{c, v}] = p.Pix
			})
		}
	}
	wg.Wait()
	l := newLandmarks(t, o)
	dir := generateLandmarks(t, o)
	for c := range o.Classes {
		m := l.Landmark(c)
		for v := range o.Views {
			p := m.Picture(v)
			if !bytes.Equal(p.Pix, pixels[[2]int{c, v}]) {
				t.Errorf("class %d, view %d: other pixels", c, v)
			}
			if d := distance(p, decode(t, filepath.Join(dir, l.picture(c, v)))); d > 20 {
				t.Errorf("class %d, view %d: the file is %.0f grey levels off", c, v, d)
			}
		}
	}
}

// distance is the mean difference of the green channels, grey levels.
func distance(a, b image.Image) float64 {
	sum, n := 0.0, 0
	r := a.Bounds()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			_, g, _, _ := a.At(x, y).RGBA()
			_, h, _, _ := b.At(x, y).RGBA()
			sum += max(float64(g)-float64(h), float64(h)-float64(g)) / 257
			n++
		}
	}
	return sum / float64(n)
}

// TestViewsShowTheirLandmark casts a ray to the focus of every view: it is in
// the picture, and nothing that was built hides it.
func TestViewsShowTheirLandmark(t *testing.T) {
	o := LandmarkOptions{Classes: 32, Views: 12, Size: 64, Seed: 2}
	l := newLandmarks(t, o)
	hidden, distances := 0, map[int]int{}
	for c := range o.Classes {
		m := l.Landmark(c)
		if m.site.normal == (r3.Vec{}) != (c/quarterSize%4 == 3) {
			t.Errorf("%s: normal %v", m.Name, m.site.normal)
		}
		for v := range o.Views {
			p := m.site.view(generator(o.Seed, "landmark view", c<<16|v), l.lenses, v)
			eye := p.pose.Center()
			x, y, ok := p.lens.camera.Project(p.pose.Apply(m.site.focus))
			if !ok || x < 0 || y < 0 || x > float64(o.Size) || y > float64(o.Size) {
				t.Errorf("%s, view %d: the focus is at (%.0f, %.0f)", m.Name, v, x, y)
			}
			if down := geom.Rotate(quat.Conj(p.pose.R), r3.Vec{Y: 1}); down.Z > -0.7 || eye.Z < 1.3 || eye.Z > 2.2 {
				t.Errorf("%s, view %d: eye %v, down %v", m.Name, v, eye, down)
			}
			if !m.site.sees(eye) {
				hidden++
			}
			distances[int(norm(r3.Sub(m.site.focus, eye)))/4]++
		}
	}
	t.Logf("%d of %d views hidden; views by distance in steps of 4 m: %v", hidden, o.Classes*o.Views, distances)
	if hidden > 4 || len(distances) < 4 {
		t.Errorf("%d of %d views hidden; views by distance in steps of 4 m: %v", hidden, o.Classes*o.Views, distances)
	}
}

// TestLookAlikes compares the pixels of one view of landmarks: a look-alike has
// most of them, another landmark of the quarter few, and none all.
func TestLookAlikes(t *testing.T) {
	o := LandmarkOptions{Classes: 64, Views: 2, Size: 48, Seed: 3}
	l := newLandmarks(t, o)
	twin, other := 0.0, 0.0
	for c := 0; c < o.Classes; c += quarterSize {
		// The same camera before both of a pair.
		a, b := l.Landmark(c).site, l.Landmark(c+1).site
		p := a.view(generator(1, "test", c), l.lenses, 0)
		shot := func(s *site) image.Image { return s.town.render(&p).develop(p.photo, generator(1, "test", 0)) }
		same := distance(shot(a), shot(b))
		if same < 0.3 {
			t.Errorf("classes %s and %s look the same: %.2f grey levels apart", l.name(c), l.name(c+1), same)
		}
		twin += same
		other += distance(l.Landmark(c).Picture(0), l.Landmark(c+2).Picture(0))
	}
	t.Logf("grey levels apart: look-alikes %.1f, others %.1f", twin/16, other/16)
	if twin > 0.5*other {
		t.Errorf("grey levels apart: look-alikes %.1f, others %.1f", twin/16, other/16)
	}
}

// BenchmarkLandmarks takes pictures of one worker: build, render, develop and
// encode, 12 of each landmark.
func BenchmarkLandmarks(b *testing.B) {
	l := newLandmarks(b, LandmarkOptions{Classes: 400, Views: 12, Size: 128, Seed: 1})
	dir := b.TempDir()
	n := 0
	for b.Loop() {
		m := l.Landmark(n / 12 % 400)
		for v := range 12 {
			if err := writeJPEG(filepath.Join(dir, "view.jpg"), m.Picture(v)); err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "images/s")
}
