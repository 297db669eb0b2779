package imgio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"locbench/kapture/kapturetest"
)

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// claim returns the scene as PNG or JPEG with another size in its header.
func claim(t *testing.T, name string, at, bytes int, w, h uint32) []byte {
	t.Helper()
	data := read(t, "testdata/"+name)
	if bytes == 4 { // PNG: width, height; its checksum is not read that far
		binary.BigEndian.PutUint32(data[at:], w)
		binary.BigEndian.PutUint32(data[at+4:], h)
	} else { // JPEG: height, width
		binary.BigEndian.PutUint16(data[at:], uint16(h))
		binary.BigEndian.PutUint16(data[at+2:], uint16(w))
	}
	return data
}

func TestBadImages(t *testing.T) {
	jpg := read(t, "testdata/sample2x2.jpg")
	sof := bytes.Index(jpg, []byte{0xff, 0xc0}) + 5 // marker, length, precision
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "found an empty file"},
		{"text", []byte("# kapture format: 1.1\n"), `starts with "# kaptur"`},
		{"JPEG cut in half", jpg[:len(jpg)/2], "x: byte 1136: want more image data, found the end of the file"},
		{"JPEG cut in its header", jpg[:10], "the file ends before the image does"},
		{"PNG cut in half", read(t, "testdata/scene.png")[:300], "x: png: invalid format: not enough pixel data"},
		{"JPEG of 30000×30000", claim(t, "sample2x2.jpg", sof, 2, 30000, 30000), "found 30000×30000"},
		{"JPEG of 0×0", claim(t, "sample2x2.jpg", sof, 2, 0, 0), "found 0×0"},
		{"WebP cut", read(t, "testdata/lossy.webp")[:100], "ends before"},
		{"BMP cut", read(t, "testdata/rgb.bmp")[:400], "ends before"},
		{"PPM cut", []byte("P6 2 2 255\nabcdef"), "ends before"},
		{"PPM of 30000×30000", []byte("P6 30000 30000 255\n"), "found 30000×30000"},
		{"PPM of 0×0", []byte("P6\n0 0\n255\n"), "found 0×0"},
		{"PPM of a huge width", []byte("P6 99999999999 1 255\n"), "want a number below"},
		{"PPM of no levels", []byte("P6 1 1 0\nabc"), "found 0"},
		{"PPM with letters", []byte("P6 one 1 255\nabc"), "found 'o'"},
		{"TIFF cut", read(t, "testdata/rgb.tif")[:100], "x: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Decode(bytes.NewReader(tt.data), "x")
			if e, ok := errors.AsType[*FormatError](err); !ok || e.Path != "x" || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestOpenMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.jpg")
	if _, err := Open(path); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("Open: %v", err)
	}
	if _, _, err := Size(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Size: %v", err)
	}
}

func TestSize(t *testing.T) {
	if w, h, err := Size("testdata/sample2x2.jpg"); w != 53 || h != 37 || err != nil {
		t.Errorf("got %d×%d, %v", w, h, err)
	}
}

// FuzzDecode looks for panics of our conversions. Images of more than 1/16
// megapixel are left out to keep it fast.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{"sample2x2.jpg", "sample2x1.jpg", "sample4x1.jpg", "narrow.jpg", "one.jpg", "cmyk.jpg", "ycck.jpg", "rgb.jpg", "grey.jpg", "restart.jpg", "progressive.jpg", "progressive_restart.jpg", "scans.jpg", "mixed.jpg", "coarse.jpg", "palette.png", "grey4.png", "lossy.webp", "lossy_alpha.webp", "rgb.bmp", "grey.tif"} {
		f.Add(read(f, "testdata/"+name))
	}
	f.Add([]byte("P6 #\n2 1 300\nabcdefghijkl"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, c, err := header(bytes.NewReader(data), "x")
		if err != nil || c.Width*c.Height > 1<<16 {
			return
		}
		m, err := Decode(bytes.NewReader(data), "x")
		if err == nil && len(m.Pix) != 3*m.W*m.H {
			t.Errorf("%d×%d with %d bytes", m.W, m.H, len(m.Pix))
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	photo := goldenImages(b)[0]
	data := read(b, kapturetest.Shared(b, "data", "virtual_gallery_tutorial", photo.JPEG))
	b.ReportAllocs()
	var pixels int
	for b.Loop() {
		m, err := Decode(bytes.NewReader(data), photo.JPEG)
		if err != nil {
			b.Fatal(err)
		}
		pixels = m.W * m.H
	}
	b.ReportMetric(float64(b.N)*float64(pixels)/1e6/b.Elapsed().Seconds(), "MP/s")
}

func BenchmarkResize(b *testing.B) {
	m := New(1920, 1080)
	for i := range m.Pix {
		m.Pix[i] = byte(i * 7)
	}
	for name, f := range map[string]Filter{"bilinear": Bilinear, "bicubic": Bicubic} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				m.Resize(1024, 576, f)
			}
			b.ReportMetric(float64(b.N)*1920*1080/1e6/b.Elapsed().Seconds(), "MP/s")
		})
	}
}
