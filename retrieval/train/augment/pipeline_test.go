package augment

import (
	"bytes"
	"image"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"

	"pgregory.net/rapid"

	"locbench/retrieval/imgio"
)

func generator(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func pipeline(t testing.TB, c Config) *Pipeline {
	t.Helper()
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestApply wants from any configuration and any image one of the right size,
// the same for the same generator, and the input as it was.
func TestApply(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		share := rapid.Float64Range(0, 1)
		c := Config{Size: rapid.IntRange(1, 40).Draw(t, "size"), Upscale: rapid.Bool().Draw(t, "upscale"), Aspect: rapid.Float64Range(1, maxAspect).Draw(t, "aspect"),
			Rotation: 180 * share.Draw(t, "rotation"), Tilt: share.Draw(t, "tilt"), Flip: rapid.Bool().Draw(t, "flip"), Brightness: share.Draw(t, "brightness"),
			Contrast: share.Draw(t, "contrast"), Saturation: share.Draw(t, "saturation"), Hue: share.Draw(t, "hue") / 2, Erase: share.Draw(t, "erase")}
		if rapid.Bool().Draw(t, "scale") {
			c.ScaleMin = rapid.IntRange(1, 60).Draw(t, "min")
			c.ScaleMax = c.ScaleMin + rapid.IntRange(0, 60).Draw(t, "more")
		}
		p, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		im := noise(rapid.IntRange(1, 300).Draw(t, "width"), rapid.IntRange(1, 50).Draw(t, "height"))
		before := bytes.Clone(im.Pix)
		seed := rapid.Uint64().Draw(t, "seed")
		a, b := p.Apply(im, generator(seed)), p.Apply(im, generator(seed))
		if a.W != c.Size || a.H != c.Size || len(a.Pix) != 3*c.Size*c.Size {
			t.Fatalf("want %d×%d pixels, found %d×%d", c.Size, c.Size, a.W, a.H)
		}
		if !bytes.Equal(a.Pix, b.Pix) {
			t.Error("the same generator gives other pixels")
		}
		if !bytes.Equal(im.Pix, before) {
			t.Error("the input was changed")
		}
	})
}

// TestCropAlone cuts out what is there, and pads what is too small.
func TestCropAlone(t *testing.T) {
	im := noise(30, 20)
	p := pipeline(t, Config{Size: 12})
	seen := map[image.Point]bool{}
	for seed := range uint64(2000) {
		m := p.Apply(im, generator(seed))
		at, ok := find(im, m)
		if !ok {
			t.Fatal("a crop that is not in the image")
		}
		seen[at] = true
	}
	for _, corner := range []image.Point{{0, 0}, {18, 0}, {0, 8}, {18, 8}} {
		if !seen[corner] {
			t.Errorf("in 2000 crops none at %v", corner)
		}
	}
	m := pipeline(t, Config{Size: 40}).Apply(im, generator(1))
	if inner := m.Crop(image.Rect(5, 10, 35, 30)); !bytes.Equal(inner.Pix, im.Pix) {
		t.Error("a small image is not in the middle of its padding")
	}
	if m.Pix[0] != padGrey || m.Pix[len(m.Pix)-1] != padGrey {
		t.Errorf("want grey %d around a small image, found %d and %d", padGrey, m.Pix[0], m.Pix[len(m.Pix)-1])
	}
}

// find returns where part is in whole.
func find(whole, part *imgio.Image) (image.Point, bool) {
	for y := range whole.H - part.H + 1 {
		for x := range whole.W - part.W + 1 {
			if bytes.Equal(whole.Crop(image.Rect(x, y, x+part.W, y+part.H)).Pix, part.Pix) {
				return image.Pt(x, y), true
			}
		}
	}
	return image.Point{}, false
}

func TestScale(t *testing.T) {
	im := noise(60, 40)
	tests := []struct {
		name             string
		c                Config
		shortLo, shortHi int
		ratioLo, ratioHi float64
	}{
		{"as it is", Config{}, 40, 40, 1.5, 1.5},
		{"smaller", Config{ScaleMin: 20, ScaleMax: 30}, 20, 30, 1.45, 1.55},
		{"never larger", Config{ScaleMin: 30, ScaleMax: 80}, 30, 40, 1.45, 1.55},
		{"larger", Config{ScaleMin: 50, ScaleMax: 80, Upscale: true}, 50, 80, 1.45, 1.55},
		{"aspect", Config{Aspect: 1.3}, 40, 40, 1.5 / 1.32, 1.5 * 1.32},
		{"at most square", Config{Aspect: 2}, 40, 40, 1, 3.05},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.c.Size = 10
			p := pipeline(t, tt.c)
			lo, hi, least, most := math.Inf(1), 0.0, 1000, 0
			for seed := range uint64(300) {
				w, h := p.scale(im, generator(seed))
				ratio := float64(w) / float64(h)
				lo, hi = min(lo, ratio), max(hi, ratio)
				least, most = min(least, h), max(most, h)
			}
			if least < tt.shortLo || most > tt.shortHi || least > tt.shortLo+2 || most < tt.shortHi-2 {
				t.Errorf("want shorter sides of %d to %d, found %d to %d", tt.shortLo, tt.shortHi, least, most)
			}
			if lo < tt.ratioLo || hi > tt.ratioHi || lo > tt.ratioLo+0.1 || hi < tt.ratioHi-0.1 {
				t.Errorf("want ratios of %.2f to %.2f, found %.2f to %.2f", tt.ratioLo, tt.ratioHi, lo, hi)
			}
		})
	}
}

// TestLongImage wants that a strip does not become gigapixels.
func TestLongImage(t *testing.T) {
	m := pipeline(t, Default(128)).Apply(noise(60_000, 2), generator(1))
	if m.W != 128 || m.H != 128 {
		t.Errorf("%d×%d pixels", m.W, m.H)
	}
}

// TestWindow wants of a crop of a turned image what the turned image has there,
// though no more of the image is given than the crop may show, and by the kernel
// what comes without it.
func TestWindow(t *testing.T) {
	var r warpRow
	if unsafe.Offsetof(r.origin) != 32 || unsafe.Offsetof(r.slopes) != 48 || unsafe.Offsetof(r.ends) != 112 {
		t.Error("warpRow changed: adapt warp_amd64.s")
	}
	kernel := warpKernel
	defer func() { warpKernel = kernel }()
	rng := generator(1)
	for range 300 {
		w, h := 1+rng.IntN(60), 1+rng.IntN(50)
		im, all := noise(w, h), image.Rect(0, 0, w, h)
		back := rotation(w, h, 360*rng.Float64()).after(tilt(w, h, direction(rng.IntN(4)), 20*rng.Float64()))
		warpKernel = nil
		whole := warped(im, back)
		warpKernel = kernel
		at := image.Pt(rng.IntN(w), rng.IntN(h))
		window := image.Rectangle{Min: at, Max: at.Add(image.Pt(1+rng.IntN(w-at.X), 1+rng.IntN(h-at.Y)))}
		seen := back.seen(window, all)
		if seen.Empty() {
			seen = image.Rect(0, 0, 1, 1)
		}
		out := imgio.New(window.Dx(), window.Dy())
		warp(out, &part{im.Crop(seen), seen, all}, window, back)
		if !bytes.Equal(out.Pix, whole.Crop(window).Pix) {
			t.Fatalf("window %v of a turned image of %d×%d, of which %v is seen, is not its crop", window, w, h, seen)
		}
	}
}

func TestProjective(t *testing.T) {
	for d := range tiltDown + 1 {
		p := tilt(40, 30, d, 6)
		corners := [4][2]float64{{0, 0}, {40, 0}, {40, 30}, {0, 30}}
		moved := 0
		for _, c := range corners {
			if x, y := p.at(c[0], c[1]); math.Hypot(x-c[0], y-c[1]) > 0.5 {
				moved++
				if x < -1e-9 || y < -1e-9 || x > 40+1e-9 || y > 30+1e-9 {
					t.Errorf("direction %d: the corner %v comes from (%.2f, %.2f), outside: the side does not spread", d, c, x, y)
				}
			} else if math.Hypot(x-c[0], y-c[1]) > 1e-9 {
				t.Errorf("direction %d: the corner %v comes from (%v, %v)", d, c, x, y)
			}
		}
		if moved != 2 {
			t.Errorf("direction %d: %d corners move, want 2", d, moved)
		}
		// Doing one map after the other is their product.
		q := rotation(40, 30, 33)
		x, y := q.at(11, 7)
		x, y = p.at(x, y)
		if u, v := p.after(q).at(11, 7); math.Hypot(u-x, v-y) > 1e-9 {
			t.Errorf("product (%v, %v), want (%v, %v)", u, v, x, y)
		}
	}
	// A rotation by a positive angle is counterclockwise on the screen: what is
	// on the right of the centre afterwards was below it.
	if x, y := rotation(20, 20, 90).at(15, 10); math.Hypot(x-10, y-15) > 1e-9 {
		t.Errorf("turned by 90°, (15, 10) comes from (%v, %v)", x, y)
	}
}

func TestFlip(t *testing.T) {
	im := noise(9, 4)
	p := pipeline(t, Config{Size: 4, Flip: true})
	flipped := 0
	for seed := range uint64(200) {
		m := p.Apply(im, generator(seed))
		if _, ok := find(im, m); !ok {
			flip(m)
			if _, ok := find(im, m); !ok {
				t.Fatal("neither a crop nor a flipped one")
			}
			flipped++
		}
	}
	if flipped < 70 || flipped > 130 {
		t.Errorf("%d of 200 images flipped", flipped)
	}
}

func TestErase(t *testing.T) {
	p := pipeline(t, Config{Size: 50, Erase: 0.4})
	im := imgio.New(50, 50)
	least, most := 1<<30, 0
	for seed := range uint64(200) {
		n := 0
		m := p.Apply(im, generator(seed))
		for i := 0; i < len(m.Pix); i += 3 {
			if m.Pix[i] != 0 || m.Pix[i+1] != 0 || m.Pix[i+2] != 0 {
				n++
			}
		}
		least, most = min(least, n), max(most, n)
	}
	if least < 99 || most > 400 || least > 160 || most < 300 {
		t.Errorf("want 100 to 361 pixels erased, found %d to %d", least, most)
	}
}

// TestJitterRange looks at the mean of grey images: factors are drawn from the
// whole of their range.
func TestJitterRange(t *testing.T) {
	im := imgio.New(4, 4)
	fill(im, 100)
	p := pipeline(t, Config{Size: 4, Brightness: 0.5})
	least, most := byte(255), byte(0)
	for seed := range uint64(300) {
		v := p.Apply(im, generator(seed)).Pix[0]
		least, most = min(least, v), max(most, v)
	}
	if least < 50 || least > 53 || most > 150 || most < 147 {
		t.Errorf("want levels of 50 to 150, found %d to %d", least, most)
	}
}

func TestBox(t *testing.T) {
	p := pipeline(t, Config{Size: 4, BoxMargin: 0.5})
	if got, want := p.Box(image.Rect(20, 30, 40, 70), 100, 100), image.Rect(10, 20, 50, 80); got != want {
		t.Errorf("want %v, found %v", want, got)
	}
	if got, want := p.Box(image.Rect(2, 3, 98, 40), 100, 50), image.Rect(0, 0, 100, 50); got != want {
		t.Errorf("want %v, found %v", want, got)
	}
}

func TestCheck(t *testing.T) {
	if err := Default(224).Check(); err != nil {
		t.Errorf("the default: %v", err)
	}
	c := Config{Size: 0, ScaleMin: 9, ScaleMax: 3, Aspect: 0.5, Rotation: -1, Tilt: 2, Brightness: math.NaN(), Hue: 0.6, Erase: 1.5, BoxMargin: -1}
	err := c.Check()
	for _, want := range []string{"size: want 1 to 4096 pixels, found 0", "scale_min, scale_max: want", "found 9, 3", "aspect: want", "rotation: want 0 to 180, found -1",
		"tilt: want", "brightness: want 0 to 1, found NaN", "hue: want 0 to 0.5, found 0.6", "erase: want", "box_margin: want"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, found %v", want, err)
		}
	}
	if _, err := New(c); err == nil {
		t.Error("want an error of New too")
	}
}

// BenchmarkApply augments images of 1024×768 for crops of 224, and of 160×160
// for crops of 128.
func BenchmarkApply(b *testing.B) {
	for _, bb := range []struct {
		name       string
		w, h, size int
	}{{"1024x768-224", 1024, 768, 224}, {"160x160-128", 160, 160, 128}} {
		b.Run(bb.name, func(b *testing.B) {
			im, p := noise(bb.w, bb.h), pipeline(b, Default(bb.size))
			n := uint64(0)
			for b.Loop() {
				p.Apply(im, generator(n))
				n++
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "images/s")
		})
	}
}
