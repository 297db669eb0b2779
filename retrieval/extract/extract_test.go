package extract

import (
	"errors"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"locbench/kapture"
	"locbench/kapture/kapturetest"
	"locbench/retrieval/backend"
	"locbench/retrieval/extract/extracttest"
	"locbench/retrieval/npy"
)

// tinyDim is the length of the descriptors of the test's own network.
const tinyDim = 16

// models makes each checkpoint once for all tests of the package.
var models = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "locbench-extract-test-")
	if err != nil {
		panic(err)
	}
	return dir
})

func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(models())
	os.Exit(code)
}

func model(t testing.TB, arch string, dim int) string {
	t.Helper()
	path := filepath.Join(models(), arch+".safetensors")
	if _, err := os.Stat(path); err != nil {
		extracttest.Checkpoint(t, path, arch, dim)
	}
	return path
}

func tiny(t testing.TB, s Settings) *Extractor {
	t.Helper()
	return open(t, model(t, "resnet18", tinyDim), s)
}

func open(t testing.TB, path string, s Settings) *Extractor {
	t.Helper()
	b, err := backend.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	e, err := Open(path, b, s)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// drawn makes n small images of several sizes.
func drawn(t testing.TB, n int) []Image {
	t.Helper()
	dir := t.TempDir()
	images := make([]Image, n)
	for i := range images {
		w, h := 40+8*(i%3), 32+4*(i%2)
		m := image.NewRGBA(image.Rect(0, 0, w, h))
		for y := range h {
			for x := range w {
				m.SetRGBA(x, y, color.RGBA{uint8(x * (3 + i)), uint8(y * (5 + 2*i)), uint8(x*y + 40*i), 255})
			}
		}
		name := string(rune('a'+i)) + ".png"
		images[i] = Image{Name: name, File: filepath.Join(dir, name)}
		f, err := os.Create(images[i].File)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(png.Encode(f, m), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return images
}

// rows runs the extractor and returns what the sink got.
func rows(t testing.TB, e *Extractor, images []Image, o RunOptions) [][]float32 {
	t.Helper()
	var out [][]float32
	bad, err := e.Run(t.Context(), images, o, func(i int, row []float32) error {
		if i != len(out) {
			t.Errorf("row %d came after %d rows", i, len(out))
		}
		out = append(out, row)
		return nil
	})
	if err != nil || len(bad) > 0 {
		t.Fatal(err, bad)
	}
	return out
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}

// TestBatches: neither batches nor workers change a byte of a descriptor, and
// descriptors tell images apart.
func TestBatches(t *testing.T) {
	images := drawn(t, 7)
	s := Defaults()
	s.Scales = []float64{1, 0.7071, 0.5}
	e := tiny(t, s)
	want := rows(t, e, images, RunOptions{Batch: 1, Jobs: 1})
	for _, o := range []RunOptions{{}, {Batch: 3, Jobs: 1}, {Batch: 16, Jobs: 5}} {
		for i, row := range rows(t, e, images, o) {
			if !slices.Equal(row, want[i]) {
				t.Errorf("batch %d, jobs %d: image %d differs, cosine %.9f", o.Batch, o.Jobs, i, cosine(row, want[i]))
			}
		}
	}
	if c := cosine(want[0], want[1]); c > 0.999 {
		t.Errorf("two images have cosine %v", c)
	}
}

// TestGolden holds the extractor against deep-image-retrieval at several
// scales.
func TestGolden(t *testing.T) {
	picture := kapturetest.Shared(t, "golden", "descriptors", "image0_decoded.png")
	path := model(t, "resnet18_rmac", 512)
	const tolerance = 2e-6 // of the reference's page
	for _, pool := range []string{PoolGeM, PoolMean} {
		s := Defaults()
		s.Scales, s.Pool = []float64{1, 0.7071, 0.5}, pool
		got := rows(t, open(t, path, s), []Image{{Name: "image0", File: picture}}, RunOptions{})[0]
		_, _, want, err := npy.ReadAll[float32](kapturetest.Shared(t, "golden", "descriptors", "desc_resnet18_rmac_image0_multiscale_"+pool+".npy"))
		if err != nil {
			t.Fatal(err)
		}
		worst := 0.0
		for i := range want {
			worst = max(worst, math.Abs(float64(got[i])-float64(want[i])))
		}
		t.Logf("%s: largest difference %.2g, 1 − cosine %.2g", pool, worst, 1-cosine(got, want))
		if !(worst <= tolerance) {
			t.Errorf("%s: differs by %g", pool, worst)
		}
	}
}

// TestWhitening computes the whitening of the test's own PCA set, which turns
// and scales axes, by hand.
func TestWhitening(t *testing.T) {
	images := drawn(t, 2)
	plain := rows(t, tiny(t, Defaults()), images, RunOptions{})
	s, err := Preset(ProtocolEval)
	if err != nil {
		t.Fatal(err)
	}
	s.WhitenDim = 5
	for k, got := range rows(t, tiny(t, s), images, RunOptions{}) {
		want, squares := make([]float64, 5), 0.0
		for i := range want {
			// x − mean along axis i+1, over variance^0.25 with variance 1/(i+1).
			want[i] = (float64(plain[k][i+1]) - 0.01*float64((i+1)%3)) * math.Pow(float64(i+1), 0.25)
			squares += want[i] * want[i]
		}
		for i, v := range got {
			if math.Abs(float64(v)-want[i]/math.Sqrt(squares)) > 1e-6 {
				t.Fatalf("image %d: got %v, want %v / %v", k, got, want, math.Sqrt(squares))
			}
		}
	}
}

func TestShrinking(t *testing.T) {
	s := Defaults()
	s.MaxSize, s.Scales = 1024, []float64{1, 0.5}
	for _, c := range []struct{ in, want extent }{
		{extent{2048, 1000}, extent{1024, 500}},
		{extent{1000, 3000}, extent{341, 1024}},
		{extent{1024, 7}, extent{1024, 7}},
		{extent{30000, 3}, extent{1024, 1}},
	} {
		got := s.inputs(c.in)
		if got[0] != c.want || got[1] != scaled(c.want, 0.5) {
			t.Errorf("%v became %v, want %v", c.in, got, c.want)
		}
	}
	images := drawn(t, 1)
	s.MaxSize, s.Scales = 20, []float64{1}
	small, err := s.prepare(images[0])
	if err != nil || small[0].W != 20 || small[0].H != 16 {
		t.Errorf("got %v, %v", small, err)
	}
}

// spoil cuts an image in half and returns what its error must name.
func spoil(t *testing.T, im Image) string {
	t.Helper()
	info, err := os.Stat(im.File)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(im.File, info.Size()/2); err != nil {
		t.Fatal(err)
	}
	return im.File
}

func TestBadImage(t *testing.T) {
	images := drawn(t, 5)
	broken := spoil(t, images[2])
	e, dir := tiny(t, Defaults()), filepath.Join(t.TempDir(), "f")
	for range 2 { // the second time nothing is left to do but that image
		result, err := e.ToFeatures(t.Context(), images, dir, "toy", RunOptions{Batch: 2})
		if err != nil {
			t.Fatal(err)
		}
		if result.Extracted+result.Kept != 4 || len(result.Bad) != 1 {
			t.Errorf("got %+v", result)
		}
		err = result.Err()
		if _, ok := errors.AsType[*kapture.InputError](err); !ok || !strings.Contains(err.Error(), broken) {
			t.Errorf("got %v", err)
		}
	}
	features, err := kapture.OpenFeatures(dir, kapture.GlobalFeatures)
	if err != nil {
		t.Fatal(err)
	}
	defer features.Close()
	if got := features.Images(); !slices.Equal(got, []string{"a.png", "b.png", "d.png", "e.png"}) {
		t.Errorf("got %v", got)
	}
}

// TestLargeImages: an image beyond what may be decoded ahead, and many that
// fill the budget, get through; one that is too large for the network does not.
func TestLargeImages(t *testing.T) {
	dir := t.TempDir()
	var images []Image
	header := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		images = append(images, Image{Name: name, File: path})
	}
	header("a.ppm", "P6 30000 30000 255\n")
	header("b.pgm", "P5 7000 7000 255\n")
	header("c.pgm", "P5 7000 7000 255\n")
	header("d.pgm", "P5 9000 9000 255\n")
	if err := os.Truncate(images[2].File, 7000*7000+17); err != nil {
		t.Fatal(err)
	}
	images = append(images, drawn(t, 3)...) // a, b and d are bad
	s := Defaults()
	s.MaxSize = 32
	count := 0
	bad, err := tiny(t, s).Run(t.Context(), images, RunOptions{}, func(int, []float32) error { count++; return nil })
	if err != nil || count != 4 || len(bad) != 3 || !strings.Contains(bad[0].Error(), "found 30000×30000") || !strings.Contains(bad[1].Error(), "ends before") {
		t.Errorf("%d rows, %v, %v", count, bad, err)
	}
	bad, err = tiny(t, Defaults()).Run(t.Context(), images[3:4], RunOptions{}, nil)
	if err != nil || len(bad) != 1 || !strings.Contains(bad[0].Error(), "want at most 67 megapixels for the network, found 9000×9000") {
		t.Errorf("%v, %v", bad, err)
	}
}
