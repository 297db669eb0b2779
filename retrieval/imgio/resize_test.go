package imgio

import (
	"fmt"
	"path/filepath"
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
