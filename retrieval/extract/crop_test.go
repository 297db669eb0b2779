package extract

import (
	"errors"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"locbench/kapture"
	"locbench/retrieval/npy"
)

// cutOut writes a part of an image as a file of its own.
func cutOut(t *testing.T, im Image, r image.Rectangle) Image {
	t.Helper()
	in, err := os.Open(im.File)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	whole, err := png.Decode(in)
	if err != nil {
		t.Fatal(err)
	}
	part := image.NewRGBA(image.Rect(0, 0, r.Dx(), r.Dy()))
	draw.Draw(part, part.Bounds(), image.Black, image.Point{}, draw.Src)
	draw.Draw(part, whole.Bounds().Sub(r.Min), whole, image.Point{}, draw.Src)
	path := filepath.Join(t.TempDir(), "part.png")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(png.Encode(out, part), out.Close()); err != nil {
		t.Fatal(err)
	}
	return Image{Name: "part.png", File: path}
}

// TestCropped: a crop is described as a file of its pixels is, before anything
// else is done to it.
func TestCropped(t *testing.T) {
	im := drawn(t, 1)[0] // 40×32
	s := Defaults()
	s.Scales, s.MaxSize = []float64{1, 0.5}, 24
	e := tiny(t, s)
	for _, r := range []image.Rectangle{image.Rect(5, 3, 36, 30), image.Rect(0, 0, 12, 20), image.Rect(-3, 8, 20, 40)} {
		cropped := im
		cropped.Crop = r
		got := rows(t, e, []Image{cropped, cutOut(t, im, r), im}, RunOptions{})
		if !slices.Equal(got[0], got[1]) {
			t.Errorf("%v differs from a file of the same pixels", r)
		}
		if slices.Equal(got[0], got[2]) {
			t.Errorf("%v is described as the whole image", r)
		}
	}
}

// TestCropsInMatrix: crops of one image have rows of their own, are kept, and
// are described again when they change.
func TestCropsInMatrix(t *testing.T) {
	images := drawn(t, 2)
	e, path := tiny(t, Defaults()), filepath.Join(t.TempDir(), "q.npy")
	with := func(i int, r image.Rectangle) Image {
		im := images[i]
		im.Crop = r
		return im
	}
	a, b := image.Rect(0, 0, 20, 20), image.Rect(10, 8, 40, 32)
	for _, c := range []struct {
		list            []Image
		extracted, kept int
	}{
		{[]Image{with(0, a), with(0, b), images[1]}, 3, 0},
		{[]Image{with(0, a), with(0, b), images[1]}, 0, 3},
		{[]Image{with(0, b), with(0, a), with(1, a)}, 1, 2},
		{[]Image{images[0], with(1, a)}, 1, 1},
		{[]Image{images[0]}, 0, 1},
	} {
		result, err := e.ToMatrix(t.Context(), c.list, path, RunOptions{})
		if err != nil || result.Extracted != c.extracted || result.Kept != c.kept {
			t.Errorf("got %+v, %v, want %d extracted and %d kept", result, err, c.extracted, c.kept)
		}
		_, _, got, err := npy.ReadAll[float32](path)
		if err != nil || !slices.Equal(got, slices.Concat(rows(t, e, c.list, RunOptions{})...)) {
			t.Errorf("%v: other rows, %v", c.list, err)
		}
	}
	meta, err := ReadMetadata(strings.TrimSuffix(path, "npy") + "json")
	if err != nil || meta.Crops != nil {
		t.Errorf("want no crops for whole images, found %v, %v", meta, err)
	}
}

// TestUnfinishedMatrix: of a matrix that was being replaced nothing is
// believed, since its files may not fit each other.
func TestUnfinishedMatrix(t *testing.T) {
	images := drawn(t, 2)
	e, path := tiny(t, Defaults()), filepath.Join(t.TempDir(), "d.npy")
	if _, err := e.ToMatrix(t.Context(), images, path, RunOptions{}); err != nil {
		t.Fatal(err)
	}
	want := contents(t, filepath.Dir(path))
	names := images[1].Name + "\n" + images[0].Name + "\n" // the next matrix's, with the rows of this
	if err := errors.Join(os.WriteFile(filepath.Join(filepath.Dir(path), "d.txt"), []byte(names), 0o644), os.Mkdir(path+".partial", 0o755)); err != nil {
		t.Fatal(err)
	}
	if _, err := e.ToMatrix(t.Context(), images, path, RunOptions{}); err != nil {
		t.Fatal(err)
	}
	same(t, want, contents(t, filepath.Dir(path)))
}

func TestBadCrops(t *testing.T) {
	im := drawn(t, 1)[0] // 40×32
	s := Defaults()
	s.EXIF = true
	for _, e := range []*Extractor{tiny(t, Defaults()), tiny(t, s)} {
		var images []Image
		for _, r := range []image.Rectangle{image.Rect(40, 0, 50, 10), image.Rect(-1, 0, 81, 10), image.Rect(0, 0, 5, 1<<40), image.Rect(0, 33, 40, 36)} {
			im.Crop = r
			images = append(images, im)
		}
		bad, err := e.Run(t.Context(), images, RunOptions{}, nil)
		if err != nil || len(bad) != len(images) {
			t.Fatalf("%d bad, %v", len(bad), err)
		}
		for i, err := range bad {
			want := "of 40×32 pixels, found " + images[i].Crop.String()
			if e.meta.Settings.EXIF && i < 3 {
				want = "pixels, found " + images[i].Crop.String()
			}
			if _, ok := errors.AsType[*kapture.InputError](err); !ok || !strings.Contains(err.Error(), want) {
				t.Errorf("want %q, found %v", want, err)
			}
		}
	}
	if _, err := tiny(t, Defaults()).ToFeatures(t.Context(), []Image{im}, t.TempDir(), "x", RunOptions{}); err == nil || !strings.Contains(err.Error(), "want whole images") {
		t.Errorf("got %v", err)
	}
}
