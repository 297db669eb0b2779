package retrieval

import (
	"math"
	"math/rand/v2"
	"testing"

	"locbench/retrieval/imgio"
)

func cosine(a, b []float32) float64 {
	dot := 0.0
	for i, x := range a {
		dot += float64(x) * float64(b[i])
	}
	return dot
}

// blobs draws an image of large soft patches of colour.
func blobs(seed uint64, w, h int) *imgio.Image {
	rng := rand.New(rand.NewPCG(seed, 3))
	coarse := imgio.New(5, 4)
	for i := range coarse.Pix {
		coarse.Pix[i] = byte(40 + rng.IntN(120))
	}
	return coarse.Resize(w, h, imgio.Bicubic)
}

// expose returns the image with gain and offset on each colour.
func expose(m *imgio.Image, gain float64, offset [3]float64) *imgio.Image {
	out := imgio.New(m.W, m.H)
	for i, v := range m.Pix {
		out.Pix[i] = byte(min(max(math.Round(float64(v)*gain+offset[i%3]), 0), 255))
	}
	return out
}

func TestTinyImage(t *testing.T) {
	m := blobs(1, 320, 240)
	d := TinyImage(m)
	if len(d) != TinyImageDim {
		t.Fatalf("length %d, want %d", len(d), TinyImageDim)
	}
	if n := cosine(d, d); math.Abs(n-1) > 1e-6 {
		t.Errorf("norm² %v", n)
	}
	tests := []struct {
		name     string
		other    *imgio.Image
		low, top float64
	}{
		{"darker, with a cast of colour", expose(m, 0.5, [3]float64{30, 0, 10}), 0.999, 1},
		{"brighter", expose(m, 1.4, [3]float64{}), 0.999, 1},
		{"another size", blobs(1, 200, 150), 0.995, 1},
		{"another image", blobs(2, 320, 240), -1, 0.6},
	}
	for _, tt := range tests {
		if s := cosine(d, TinyImage(tt.other)); s < tt.low || s > tt.top+1e-6 {
			t.Errorf("%s: similarity %v, want in [%v, %v]", tt.name, s, tt.low, tt.top)
		}
	}
}

// TestTinyImageByHand describes an image that has the size of the grid, black
// but for one red pixel. Of the 192 reds, one is 255 and the mean 255/192; at
// unit length they are √(191/192) and -1/√(191·192).
func TestTinyImageByHand(t *testing.T) {
	m := imgio.New(16, 12)
	red := (2*16 + 3) * 3 // row 2, column 3
	m.Pix[red] = 255
	d := TinyImage(m)
	if len(d) != 16*12*3 {
		t.Fatalf("want 16×12 pixels of 3 numbers, found %d numbers", len(d))
	}
	for i, got := range d {
		want := 0.0
		switch {
		case i == red:
			want = math.Sqrt(191. / 192)
		case i%3 == 0:
			want = -1 / math.Sqrt(191*192)
		}
		if math.Abs(float64(got)-want) > 1e-7 { // float32
			t.Errorf("number %d: want %v, found %v", i, want, got)
		}
	}
}

func TestTinyImageFlat(t *testing.T) {
	flat := expose(imgio.New(33, 20), 1, [3]float64{211, 37, 99})
	d := TinyImage(flat)
	if n := cosine(d, d); math.Abs(n-1) > 1e-6 {
		t.Errorf("norm² %v", n)
	}
	if s := cosine(d, TinyImage(blobs(1, 64, 48))); math.Abs(s) > 1e-6 {
		t.Errorf("similarity of a flat image %v, want 0", s)
	}
}

func BenchmarkTinyImage(b *testing.B) {
	m := blobs(1, 1920, 1080)
	for b.Loop() {
		TinyImage(m)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
}
