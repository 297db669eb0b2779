package imgio

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"image/color"
	"image/png"
	"path/filepath"
	"strings"
	"testing"

	"locbench/kapture/kapturetest"
)

func open(t testing.TB, path string) *Image {
	t.Helper()
	m, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// difference is how far two images are apart.
type difference struct {
	max   int     // levels
	exact float64 // percent of samples that are equal
}

func compare(t testing.TB, got, want *Image) difference {
	t.Helper()
	if got.W != want.W || got.H != want.H || len(got.Pix) != len(want.Pix) {
		t.Fatalf("got %d×%d, want %d×%d", got.W, got.H, want.W, want.H)
	}
	var d difference
	for i, v := range got.Pix {
		e := int(v) - int(want.Pix[i])
		e = max(e, -e)
		d.max = max(d.max, e)
		if e == 0 {
			d.exact++
		}
	}
	d.exact *= 100 / float64(len(got.Pix))
	return d
}

func TestDecodeAsPillow(t *testing.T) {
	wants, err := filepath.Glob("testdata/*.*.png")
	if err != nil || len(wants) < 20 {
		t.Fatalf("found %d images, %v", len(wants), err)
	}
	for _, want := range wants {
		name := strings.TrimSuffix(want, ".png")
		t.Run(filepath.Base(name), func(t *testing.T) {
			if d := compare(t, open(t, name), open(t, want)); d.max > 0 {
				t.Errorf("%+v", d)
			}
		})
	}
}

type goldenImage struct {
	Name   string
	JPEG   string `json:"path_in_sample"`
	PNG    string `json:"decoded_png"`
	SHA256 string `json:"sha256_rgb_bytes_rowmajor"`
}

func goldenImages(t testing.TB) []goldenImage {
	t.Helper()
	var all, photos []goldenImage
	kapturetest.SharedJSON(t, &all, "golden", "descriptors", "images.json")
	for _, g := range all {
		if g.JPEG != "" && g.PNG != "" && strings.HasSuffix(g.PNG, "_decoded.png") {
			photos = append(photos, g)
		}
	}
	return photos
}

// Real photographs: the pixels from PNG and from JPEG are those of the reference.
func TestGoldenPhotos(t *testing.T) {
	photos := goldenImages(t)
	if len(photos) != 4 {
		t.Fatalf("want 4 photographs, found %d", len(photos))
	}
	for _, g := range photos {
		t.Run(g.Name, func(t *testing.T) {
			for _, path := range []string{
				kapturetest.Shared(t, "golden", "descriptors", g.PNG),
				kapturetest.Shared(t, "data", "virtual_gallery_tutorial", g.JPEG),
			} {
				if sum := sha256.Sum256(open(t, path).Pix); hex.EncodeToString(sum[:]) != g.SHA256 {
					t.Errorf("%s: the pixels have another SHA-256", path)
				}
			}
		})
	}
}

func TestSixteenBits(t *testing.T) {
	deep := image.NewNRGBA64(image.Rect(0, 0, 2, 1))
	deep.SetNRGBA64(0, 0, color.NRGBA64{R: 0x12ff, G: 0x3480, B: 0x5600, A: 0x8000})
	deep.SetNRGBA64(1, 0, color.NRGBA64{R: 0xffff, G: 0x00ff, B: 0x0100, A: 0xffff})
	gray := image.NewGray16(image.Rect(0, 0, 2, 1))
	gray.SetGray16(0, 0, color.Gray16{Y: 0x12ff})
	gray.SetGray16(1, 0, color.Gray16{Y: 0xff00})
	for name, tt := range map[string]struct {
		in   image.Image
		want []byte
	}{
		"rgba": {deep, []byte{0x12, 0x34, 0x56, 0xff, 0x00, 0x01}},
		"grey": {gray, []byte{0x12, 0x12, 0x12, 0xff, 0xff, 0xff}},
	} {
		var file bytes.Buffer
		if err := png.Encode(&file, tt.in); err != nil {
			t.Fatal(err)
		}
		m, err := Decode(bytes.NewReader(file.Bytes()), name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(m.Pix, tt.want) {
			t.Errorf("%s: got %v, want %v", name, m.Pix, tt.want)
		}
	}
}
