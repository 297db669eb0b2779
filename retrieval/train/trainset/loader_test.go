package trainset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"locbench/kapture"
	"locbench/retrieval/imgio"
	"locbench/retrieval/train/augment"
)

func pipeline(t testing.TB, c augment.Config) *augment.Pipeline {
	t.Helper()
	p, err := augment.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// numbered makes image i of a set in memory: its colour says which one it is.
func numbered(i int) (*imgio.Image, error) {
	m := imgio.New(20, 16)
	for k := range m.Pix {
		m.Pix[k] = byte(i)
	}
	return m, nil
}

// drain loads draws to the end.
func drain(t *testing.T, l *Loader, draws []Draw) (out []Loaded, err error) {
	t.Helper()
	for m, err := range l.Load(t.Context(), slices.Values(draws)) {
		if err != nil {
			return out, err
		}
		out = append(out, m)
	}
	return out, nil
}

func drawsOf(images ...int) []Draw {
	out := make([]Draw, len(images))
	for i, image := range images {
		out[i] = Draw{Image: image, Key: key(9, "test", uint64(i))}
	}
	return out
}

// TestLoaderOrder wants the same pixels in the order of the draws, whatever the
// number of workers is.
func TestLoaderOrder(t *testing.T) {
	set := newSet(t, 30, 30)
	s := newSampler(t, set, SamplerOptions{Batch: 60})
	draws := s.Batch(0, 0)
	var first []Loaded
	for _, o := range []LoaderOptions{{}, {Workers: 1, Ahead: 4}, {Workers: 3}, {Workers: 8, Ahead: 50}} {
		o.Pipeline = pipeline(t, augment.Default(8))
		o.Open = func(i int) (*imgio.Image, error) {
			time.Sleep(time.Duration(i%3) * 100 * time.Microsecond)
			return numbered(i)
		}
		got, err := drain(t, NewLoader(set, o), draws)
		if err != nil || len(got) != len(draws) {
			t.Fatalf("%d images, error %v", len(got), err)
		}
		if first == nil {
			first = got
		}
		for i, m := range got {
			if m.Draw != draws[i] || m.Image != draws[i].Image || !bytes.Equal(m.Pixels.Pix, first[i].Pixels.Pix) {
				t.Fatalf("%+v: image %d is %d, of other pixels", o, i, m.Image)
			}
		}
	}
	if bytes.Equal(first[0].Pixels.Pix, first[1].Pixels.Pix) {
		t.Error("two draws have the same pixels")
	}
}

// TestLoaderMemory wants no more images in work and ready than are allowed,
// however slow the caller is.
func TestLoaderMemory(t *testing.T) {
	set := newSet(t, 100)
	var mu sync.Mutex
	opened, used, most := 0, 0, 0
	l := NewLoader(set, LoaderOptions{Pipeline: pipeline(t, augment.Config{Size: 4}), Workers: 3, Ahead: 7,
		Open: func(i int) (*imgio.Image, error) {
			mu.Lock()
			defer mu.Unlock()
			opened++
			most = max(most, opened-used)
			return numbered(i)
		}})
	for _, err := range l.Load(t.Context(), slices.Values(newSampler(t, set, SamplerOptions{Batch: 100}).Batch(0, 0))) {
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(200 * time.Microsecond)
		mu.Lock()
		used++
		mu.Unlock()
	}
	if opened != 100 || most > 7+1 || most < 6 { // one more is with the caller
		t.Errorf("%d images opened, %d of them at once, want at most 8", opened, most)
	}
}

// TestLoaderStops wants no goroutine left when the caller stops or is stopped:
// the bubble of synctest ends only then.
func TestLoaderStops(t *testing.T) {
	set := newSet(t, 50)
	draws := newSampler(t, set, SamplerOptions{Batch: 50}).Batch(0, 0)
	endless := func(yield func(Draw) bool) {
		for i := 0; yield(draws[i%len(draws)]); i++ {
		}
	}
	l := NewLoader(set, LoaderOptions{Pipeline: pipeline(t, augment.Config{Size: 4}), Workers: 4, Ahead: 9, Open: numbered})
	synctest.Test(t, func(t *testing.T) {
		n := 0
		for range l.Load(t.Context(), endless) {
			if n++; n == 120 {
				break
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		n := 0
		var last error
		for _, err := range l.Load(ctx, endless) {
			last = err
			if n++; n == 80 {
				cancel()
			}
		}
		if !errors.Is(last, context.Canceled) || n < 80 {
			t.Errorf("after %d images the error %v, want that of the context", n, last)
		}
	})
}

// folderOfImages writes n PNG images of two classes.
func folderOfImages(t *testing.T, n int) (string, *Set) {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		m := image.NewGray(image.Rect(0, 0, 12, 10))
		for k := range m.Pix {
			m.Pix[k] = byte(10 * i)
		}
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		put(t, dir, fmt.Sprintf("%c/%d.png", 'a'+i%2, i), b.String())
	}
	return dir, mustOpen(t, DefaultSource(KindFolder, dir))
}

// TestBadImages breaks images in the middle of an epoch.
func TestBadImages(t *testing.T) {
	dir, set := folderOfImages(t, 8) // a: 0 2 4 6, b: 1 3 5 7
	put(t, dir, "a/2.png", "no image at all")
	draws := drawsOf(0, 1, 4, 5, 2)
	p := pipeline(t, augment.Config{Size: 4})

	got, err := drain(t, NewLoader(set, LoaderOptions{Pipeline: p, Workers: 2}), draws)
	bad, ok := errors.AsType[*BadImageError](err)
	if !ok || bad.Image != 1 || bad.File != filepath.Join(dir, "a", "2.png") || len(got) != 1 {
		t.Fatalf("after %d images the error %v", len(got), err)
	}
	if _, ok := errors.AsType[*kapture.InputError](err); !ok || !strings.HasPrefix(err.Error(), bad.File+": want an image: ") {
		t.Errorf("want an input error that begins with the file, found %v", err)
	}

	var told []string
	var mu sync.Mutex
	o := LoaderOptions{Pipeline: p, Workers: 2, Replace: true, OnReplace: func(bad *BadImageError) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, bad.File)
	}}
	got, err = drain(t, NewLoader(set, o), draws)
	if err != nil || len(got) != len(draws) || !slices.Equal(told, []string{bad.File}) {
		t.Fatalf("%d images, told of %v, error %v", len(got), told, err)
	}
	if m := got[1]; m.Image == 1 || set.Class(m.Image) != set.Class(1) || m.Pixels.Pix[0] != byte(20*m.Image) {
		t.Errorf("image 1 is replaced by %d, of level %d", m.Image, m.Pixels.Pix[0])
	}
	again, err := drain(t, NewLoader(set, o), draws)
	if err != nil || again[1].Image != got[1].Image || !bytes.Equal(again[1].Pixels.Pix, got[1].Pixels.Pix) {
		t.Errorf("another replacement the second time: %d, error %v", again[1].Image, err)
	}

	for i := 0; i < 8; i += 2 {
		put(t, dir, fmt.Sprintf("a/%d.png", i), "")
	}
	told = nil
	if _, err = drain(t, NewLoader(set, o), draws); err == nil || !strings.Contains(err.Error(), "nor can another image be used that shows the same") || len(told) < 3 {
		t.Errorf("a class without any good image: %d tried, error %v", len(told), err)
	}
}

// TestLoaderBoxes crops to the box before all else.
func TestLoaderBoxes(t *testing.T) {
	set := newSet(t, 3)
	set.boxes = []Box{{Left: 2, Top: 1, Right: 8, Bottom: 6}, {Left: 0.5, Top: 0.5, Right: 1, Bottom: 1, Relative: true}, {Left: 50, Top: 50, Right: 60, Bottom: 60}}
	l := NewLoader(set, LoaderOptions{Pipeline: pipeline(t, augment.Config{Size: 30}), Open: func(int) (*imgio.Image, error) {
		m := imgio.New(20, 16)
		for i := range m.Pix {
			m.Pix[i] = byte(i / 3)
		}
		return m, nil
	}})
	got, err := drain(t, l, drawsOf(0, 1, 2))
	if err == nil || !strings.Contains(err.Error(), "0/2: want a box in the image of 20×16 pixels, found (50,50)-(60,60)") || len(got) != 2 {
		t.Fatalf("%d images, error %v", len(got), err)
	}
	// Nothing but the box is in the crop: around it is the grey of the padding,
	// which no pixel of the boxes has.
	for i, want := range []struct {
		pixels int
		first  byte
	}{{6 * 5, 22}, {10 * 8, 170}} {
		var levels []byte
		for k := 0; k < len(got[i].Pixels.Pix); k += 3 {
			if v := got[i].Pixels.Pix[k]; v != 127 {
				levels = append(levels, v)
			}
		}
		if len(levels) != want.pixels || levels[0] != want.first {
			t.Errorf("image %d: want %d pixels from level %d, found %d from %v", i, want.pixels, want.first, len(levels), levels[:1])
		}
	}
}

// BenchmarkLoader loads pictures of 160×160 pixels as PNG for crops of 128.
func BenchmarkLoader(b *testing.B) {
	set := newSet(b, 64)
	m := imgio.New(160, 160)
	l := NewLoader(set, LoaderOptions{Pipeline: pipeline(b, augment.Default(128)), Workers: runtime.GOMAXPROCS(0), Ahead: 16,
		Open: func(int) (*imgio.Image, error) { return m, nil }})
	timeLoads(b, l, newSampler(b, set, SamplerOptions{Batch: 64}).Batch(0, 0))
}

// timeLoads loads the draws again and again.
func timeLoads(b *testing.B, l *Loader, draws []Draw) {
	n := 0
	for b.Loop() {
		for _, err := range l.Load(b.Context(), slices.Values(draws)) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "images/s")
}

// BenchmarkLoaderFiles decodes and augments the images of the folder of folders
// that LOCBENCH_IMAGES names, on one thread, for crops of 224 pixels.
// docs/benchmarks/torch_train.py times the same with torchvision.
func BenchmarkLoaderFiles(b *testing.B) {
	path := os.Getenv("LOCBENCH_IMAGES")
	if path == "" {
		b.Skip("LOCBENCH_IMAGES names no folder: skipped")
	}
	set, err := Open(b.Context(), DefaultSource(KindFolder, path))
	if err != nil {
		b.Fatal(err)
	}
	l := NewLoader(set, LoaderOptions{Pipeline: pipeline(b, augment.Default(224))})
	var draws []Draw
	for i := range set.Len() {
		draws = append(draws, Draw{Image: i, Key: uint64(i)})
	}
	timeLoads(b, l, draws)
}
