package augment

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"os"
	"testing"

	"locbench/retrieval/imgio"
)

// noise is the image of testdata/pillow.py.
func noise(w, h int) *imgio.Image {
	m := imgio.New(w, h)
	state := uint64(1)
	for i := range m.Pix {
		state = (state*1103515245 + 12345) % (1 << 31)
		m.Pix[i] = byte(state >> 16)
	}
	return m
}

// cube holds the colours of testdata/pillow.py.
func cube() *imgio.Image {
	m := imgio.New(1024, 32)
	i := 0
	level := func(k int) byte { return byte(min(8*k+k/4, 255)) }
	for r := range 32 {
		for g := range 32 {
			for b := range 32 {
				m.Pix[i], m.Pix[i+1], m.Pix[i+2] = level(r), level(g), level(b)
				i += 3
			}
		}
	}
	return m
}

// TestPillow wants the bytes of Pillow and torchvision.
func TestPillow(t *testing.T) {
	text, err := os.ReadFile("testdata/pillow.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Width, Height int
		Cases         []struct {
			Name           string
			Args           []float64
			Pixels, SHA256 string
		}
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Cases) < 20 {
		t.Fatalf("want 20 cases, found %d", len(golden.Cases))
	}
	for _, c := range golden.Cases {
		t.Run(fmt.Sprint(c.Name, c.Args), func(t *testing.T) {
			m := noise(golden.Width, golden.Height)
			switch c.Name {
			case "brightness":
				brightness(m, c.Args[0])
			case "contrast":
				contrast(m, c.Args[0])
			case "saturation":
				saturation(m, c.Args[0])
			case "hue":
				m = cube()
				hue(m, c.Args[0])
			case "rotation":
				m = warped(m, rotation(m.W, m.H, c.Args[0]))
			case "projective":
				m = warped(m, (*projective)(c.Args))
			default:
				t.Fatal("an unknown case")
			}
			if c.SHA256 != "" {
				if got := fmt.Sprintf("%x", sha256.Sum256(m.Pix)); got != c.SHA256 {
					t.Errorf("want pixels with the hash %s, found %s", c.SHA256, got)
				}
				return
			}
			want, err := hex.DecodeString(c.Pixels)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(m.Pix, want) {
				t.Errorf("%d of %d bytes differ", differing(m.Pix, want), len(want))
			}
		})
	}
}

// warped is the whole image after a map.
func warped(m *imgio.Image, back *projective) *imgio.Image {
	out := imgio.New(m.W, m.H)
	all := image.Rect(0, 0, m.W, m.H)
	warp(out, &part{m, all, all}, all, back)
	return out
}

func differing(a, b []byte) (n int) {
	for i := range a {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}
