package imgio

import (
	"fmt"
	"image"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"locbench/kapture/kapturetest"
)

func TestResizeAsPillow(t *testing.T) {
	scene := open(t, "testdata/scene.png")
	for _, f := range []struct {
		name   string
		filter Filter
	}{{"box", Box}, {"bilinear", Bilinear}, {"bicubic", Bicubic}} {
		for _, size := range [][2]int{{17, 11}, {53, 20}, {30, 37}, {101, 80}, {1, 1}} {
			name := fmt.Sprintf("resize_%s_%dx%d.png", f.name, size[0], size[1])
			t.Run(name, func(t *testing.T) {
				got := scene.Resize(size[0], size[1], f.filter)
				if d := compare(t, got, open(t, filepath.Join("testdata", name))); d.max > 0 {
					t.Errorf("%+v", d)
				}
			})
		}
	}
}

func TestGoldenScales(t *testing.T) {
	dir := kapturetest.Shared(t, "golden", "descriptors")
	photo := open(t, filepath.Join(dir, "image0_decoded.png"))
	for name, s := range map[string]float64{"image0_scale0.7071.png": 0.7071, "image0_scale0.5.png": 0.5} {
		got := photo.Resize(int(0.5+s*float64(photo.W)), int(0.5+s*float64(photo.H)), Bilinear)
		if d := compare(t, got, open(t, filepath.Join(dir, name))); d.max > 0 {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestResizeSameSize(t *testing.T) {
	m := New(3, 2)
	if m.Resize(3, 2, Bicubic) != m {
		t.Error("want the image itself")
	}
}

// A constant image stays constant whatever the size and filter: the weights of
// each output sample sum to one.
func TestResizeConstant(t *testing.T) {
	m := New(19, 7)
	for i := range m.Pix {
		m.Pix[i] = 201
	}
	for _, f := range []Filter{Box, Bilinear, Bicubic} {
		for _, size := range [][2]int{{1, 1}, {7, 19}, {38, 3}, {500, 400}} {
			for _, v := range m.Resize(size[0], size[1], f).Pix {
				if v != 201 {
					t.Fatalf("filter %d, size %v: found %d", f, size, v)
				}
			}
		}
	}
}

// TestResizePart: a part is that of the whole, and the kernels agree with the
// code without them.
func TestResizePart(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	row, column := rowKernel, columnKernel
	defer func() { rowKernel, columnKernel = row, column }()
	for range 400 {
		m := New(1+rng.IntN(70), 1+rng.IntN(70))
		for i := range m.Pix {
			m.Pix[i] = byte(rng.IntN(2) * rng.IntN(256))
		}
		w, h := 1+rng.IntN(90), 1+rng.IntN(90)
		switch rng.IntN(6) {
		case 0:
			w = m.W
		case 1:
			h = m.H
		case 2:
			w, h = m.W, m.H
		}
		at := image.Pt(rng.IntN(w), rng.IntN(h))
		part := image.Rectangle{Min: at, Max: at.Add(image.Pt(1+rng.IntN(w-at.X), 1+rng.IntN(h-at.Y)))}
		f := Filter(rng.IntN(3))
		rowKernel, columnKernel = row, column
		got := m.ResizePart(w, h, f, part)
		rowKernel, columnKernel = nil, nil
		if want := m.Resize(w, h, f).Crop(part); got.W != want.W || got.H != want.H || !slices.Equal(got.Pix, want.Pix) {
			t.Fatalf("%d×%d to %d×%d, filter %d, part %v: differs", m.W, m.H, w, h, f, part)
		}
	}
}
