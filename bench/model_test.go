package bench

import (
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"locbench/kapture"
	"locbench/retrieval/extract"
	"locbench/retrieval/extract/extracttest"
)

// toyPhotos is toyScene without its features, with images of noise, and a small
// network named net.
func toyPhotos(t *testing.T) (dir, model string) {
	t.Helper()
	dir = toyScene(t)
	if err := os.RemoveAll(filepath.Join(dir, "global_features")); err != nil {
		t.Fatal(err)
	}
	for i, name := range toyImages() {
		m := image.NewGray(image.Rect(0, 0, 40, 32))
		for k := range m.Pix {
			m.SetGray(k%40, k/40, color.Gray{uint8(k * (7*i + 3))})
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(png.Encode(f, m), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	model = filepath.Join(t.TempDir(), "net.safetensors")
	extracttest.Checkpoint(t, model, "resnet18", 8)
	return dir, model
}

func toyImages() []string {
	const data = "sensors/records_data/"
	return []string{"mapping/" + data + "m0.jpg", "mapping/" + data + "m1.jpg", "mapping/" + data + "m2.jpg", "mapping/" + data + "m3.jpg",
		"day/" + data + "q0.jpg", "day/" + data + "q1.jpg", "night/" + data + "n0.jpg"}
}

// counting counts the images that are described, and ends the run after some.
type counting struct {
	noProgress
	total int
	left  int64
	done  atomic.Int64
	stop  context.CancelFunc
}

func (c *counting) Start(name string, total int) {
	if name == "describe net" {
		c.total = total
	}
}

func (c *counting) Add(n int) {
	if c.done.Add(int64(n)) >= c.left && c.stop != nil {
		c.stop()
	}
}

const netTar = "global_features/net/global_features/global_features.tar"

func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestNetworkGoesOn: a run that was stopped among the images, or by a bad one,
// does the rest, and ends with the bytes of one that was not.
func TestNetworkGoesOn(t *testing.T) {
	dir, model := toyPhotos(t)
	whole := Options{Out: t.TempDir(), Model: model, TopK: []int{1}}
	run := mustRun(t, dir, whole)
	want := "net.safetensors (resnet18, sha256 "
	if f := run.Manifest.Features; len(f) != 1 || f[0].Name != "net" || f[0].Dim != 8 || !strings.HasPrefix(f[0].Settings, want) {
		t.Errorf("the manifest has features %+v", f)
	}
	o := whole
	o.Out = t.TempDir()
	bad := filepath.Join(dir, toyImages()[6])
	text := read(t, dir, toyImages()[6])
	put(t, dir, toyImages()[6], text[:len(text)/2])
	_, err := newPlan(t, dir, o).Run(t.Context())
	if _, ok := errors.AsType[*kapture.InputError](err); !ok || !strings.Contains(err.Error(), bad) {
		t.Fatalf("got %v", err)
	}
	put(t, dir, toyImages()[6], text)
	p := &counting{}
	o.Progress = p
	mustRun(t, dir, o)
	if p.total != 1 {
		t.Errorf("%d images were described again, want the one that was bad", p.total)
	}
	if read(t, o.Out, netTar) != read(t, whole.Out, netTar) {
		t.Error("the descriptors differ")
	}
}

func TestNetworkInterrupted(t *testing.T) {
	dir, model := toyPhotos(t)
	ctx, stop := context.WithCancel(t.Context())
	o := Options{Out: t.TempDir(), Model: model, TopK: []int{1}, Progress: &counting{left: 1, stop: stop}}
	if _, err := newPlan(t, dir, o).Run(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(o.Out, netTar)); err == nil {
		t.Error("descriptors of some images are there")
	}
	o.Progress = nil
	mustRun(t, dir, o)
	again := newPlan(t, dir, o)
	steps, err := again.Steps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		if !s.Done {
			t.Errorf("%s is not done", s.Name)
		}
	}
}

// TestNetworkRefused: what cannot be met is said before any work.
func TestNetworkRefused(t *testing.T) {
	dir, model := toyPhotos(t)
	scene := newPlan(t, dir, Options{Out: t.TempDir()}).scene
	for want, o := range map[string]Options{
		"want a model for protocol eval": {Protocol: extract.ProtocolEval},
		`unknown protocol "netvlad"`:     {Model: model, Protocol: "netvlad"},
		"with a name":                    {Model: filepath.Join(dir, ".pt")},
		"no such file":                   {Model: filepath.Join(dir, "none.pt")},
	} {
		o.Out = t.TempDir()
		if _, err := NewPlan(scene, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	for _, name := range toyImages()[2:5] {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := newPlan(t, dir, Options{Out: t.TempDir(), Model: model}).Run(t.Context())
	if _, ok := errors.AsType[*kapture.InputError](err); !ok || strings.Count(err.Error(), "found no such file") != 3 {
		t.Errorf("got %v", err)
	}
}
