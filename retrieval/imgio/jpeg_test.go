package imgio

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"strings"
	"testing"
)

// The standard library's decoder rounds its transform otherwise: the planes
// differ by a level or two, whatever the image.
func TestJPEGNearStandard(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		file := randomJPEG(t, rng)
		std, err := jpeg.Decode(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		d := &jpegDecoder{in: bitReader{data: file}}
		if err := d.decode(); err != nil {
			t.Fatal(err)
		}
		switch m := std.(type) {
		case *image.Gray:
			nearPlane(t, &d.components[0].plane, m.Pix, m.Stride)
		case *image.YCbCr:
			nearPlane(t, &d.components[0].plane, m.Y, m.YStride)
			nearPlane(t, &d.components[1].plane, m.Cb, m.CStride)
			nearPlane(t, &d.components[2].plane, m.Cr, m.CStride)
		}
	}
}

// randomJPEG is waves and noise, in grey or in colour.
func randomJPEG(t *testing.T, rng *rand.Rand) []byte {
	t.Helper()
	size := image.Rect(0, 0, 1+rng.IntN(90), 1+rng.IntN(90))
	noise, a, b := 1+rng.IntN(120), rng.IntN(9), rng.IntN(9)
	rgba, gray := image.NewRGBA(size), image.NewGray(size)
	for y := range size.Max.Y {
		for x := range size.Max.X {
			level := func(k int) uint8 { return uint8(((a*x+b*y*k)%256 + rng.IntN(noise)) / 2) }
			rgba.SetRGBA(x, y, color.RGBA{R: level(1), G: level(2), B: level(3), A: 255})
			gray.SetGray(x, y, color.Gray{Y: level(1)})
		}
	}
	var m image.Image = rgba
	if rng.IntN(3) == 0 {
		m = gray
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, m, &jpeg.Options{Quality: 1 + rng.IntN(100)}); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func nearPlane(t *testing.T, p *plane, want []byte, stride int) {
	t.Helper()
	for y := range p.h {
		for x, v := range p.line(y) {
			if e := int(v) - int(want[y*stride+x]); e < -2 || e > 2 {
				t.Fatalf("(%d, %d) of %d×%d: want about %d, found %d", x, y, p.w, p.h, want[y*stride+x], v)
			}
		}
	}
}

// change returns the image with other bytes at an offset behind a marker.
func change(t *testing.T, name string, marker byte, offset int, with ...byte) []byte {
	t.Helper()
	data := read(t, "testdata/"+name)
	at := bytes.Index(data, []byte{0xff, marker})
	if at < 0 {
		t.Fatalf("%s has no marker %#x", name, marker)
	}
	copy(data[at+offset:], with)
	return data
}

func TestBadJPEGs(t *testing.T) {
	base := read(t, "testdata/sample2x2.jpg")
	scan := bytes.Index(base, []byte{0xff, markSOS})
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"arithmetic", change(t, "sample2x2.jpg", markSOF0, 1, 0xc9), "found process SOF9"},
		{"lossless", change(t, "sample2x2.jpg", markSOF0, 1, 0xc3), "found process SOF3"},
		{"12 bits", change(t, "sample2x2.jpg", markSOF0, 4, 12), "want samples of 8 bits, found 12"},
		{"two components", change(t, "sample2x2.jpg", markSOF0, 9, 2), "want 1, 3 or 4 components, found 2"},
		{"sampling 5×2", change(t, "sample2x2.jpg", markSOF0, 11, 0x52), "found 5×2"},
		{"sampling 3:2", change(t, "sample2x2.jpg", markSOF0, 11, 0x32, 0, 2, 0x22), "divide 3×2, found 2×2"},
		{"one component twice", change(t, "sample2x2.jpg", markSOF0, 13, 1), "found 1 twice"},
		{"no quantization table", change(t, "sample2x2.jpg", markSOF0, 12, 3), "want quantization table 3"},
		{"too many codes", change(t, "sample2x2.jpg", markDHT, 5, 3, 3, 0), "found too many of a length"},
		{"no Huffman table", change(t, "sample2x2.jpg", markSOS, 6, 0x33), "want Huffman tables 0x33"},
		{"a component of no frame", change(t, "sample2x2.jpg", markSOS, 5, 9), "want a component of the frame, found 9"},
		{"two frames", append(base[:scan:scan], base[bytes.Index(base, []byte{0xff, markSOF0}):]...), "found a second"},
		{"no frame", append([]byte{0xff, markSOI}, base[scan:]...), "found none"},
		{"no scan", append(base[:scan:scan], 0xff, markEOI), "want a scan of component 1"},
		{"end marker in the data", append(base[:scan+100:scan+100], 0xff, markEOI), "want more image data, found marker 0xd9"},
		{"no end", base[:len(base)-2], "the file ends"},
		{"another restart marker", change(t, "restart.jpg", markRST0, 1, markRST0+1), "want restart marker 0xd0, found marker 0xd1"},
		{"progressive bits", change(t, "progressive.jpg", markSOS, 13, 0x31), "want a scan of one bit"},
		{"a size without the data", claim(t, "progressive.jpg", bytes.Index(read(t, "testdata/progressive.jpg"), []byte{0xff, markSOF2})+5, 2, 14000, 14000), "want at least"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Decode(bytes.NewReader(tt.data), "x")
			if _, ok := errors.AsType[*FormatError](err); !ok || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// A file cut anywhere is an error.
func TestCutJPEGs(t *testing.T) {
	for _, name := range []string{"sample2x2.jpg", "progressive_restart.jpg", "scans.jpg", "cmyk.jpg"} {
		data := read(t, "testdata/"+name)
		for n := range data {
			if _, err := Decode(bytes.NewReader(data[:n]), name); err == nil {
				t.Fatalf("%s: no error after %d of %d bytes", name, n, len(data))
			}
		}
	}
}

// Bytes between segments and behind the image are skipped, as libjpeg does.
func TestJPEGWithMore(t *testing.T) {
	data := read(t, "testdata/sample2x2.jpg")
	at := bytes.Index(data, []byte{0xff, markDHT})
	more := bytes.Join([][]byte{data[:at], {0, 7, 0xff}, data[at : len(data)-2], {0xff, 0, 3}, data[len(data)-2:], {1, 2}}, nil)
	m, err := Decode(bytes.NewReader(more), "more")
	if err != nil {
		t.Fatal(err)
	}
	if d := compare(t, m, open(t, "testdata/sample2x2.jpg")); d.max > 0 {
		t.Errorf("%+v", d)
	}
}
