package main

import (
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"locbench/retrieval/npy"
)

// picture is a made-up photo: stripes of a place, seen from somewhere.
func picture(place, view int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, 48+4*view, 40))
	for y := range 40 {
		for x := range m.Rect.Dx() {
			m.SetRGBA(x, y, color.RGBA{uint8((x + 3*view) * (2 + 9*place)), uint8(y * (3 + 7*place)), uint8((x+y)*place + 5*view), 255})
		}
	}
	return m
}

// putPicture writes an image as PNG.
func putPicture(t *testing.T, path string, m image.Image) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(png.Encode(f, m), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// landmarkImages writes the images of a small landmark set, 5 of the database
// and 2 queries with boxes, and its ground truth, revisited and classic.
func landmarkImages(t *testing.T, dir string) {
	t.Helper()
	for i, name := range []string{"a", "b", "c", "d", "e", "p", "q"} {
		putPicture(t, filepath.Join(dir, "jpg", name+".png"), picture(1+i%3, i/3))
	}
	put(t, dir, "gnd_roxford5k.json", `{"imlist": ["a", "b", "c", "d", "e"], "qimlist": ["p", "q", "p"], "gnd": [
	{"bbx": [1.5, 2.5, 30, 40], "easy": [2], "hard": [1], "junk": [4]},
	{"bbx": [0, 0, 19.4, 33], "easy": [0], "hard": [3], "junk": []},
	{"easy": [2], "hard": [], "junk": []}]}`)
	put(t, dir, "gt/p_1_query.txt", "oxc1_p 1.5 2.5 30 40\n")
	put(t, dir, "gt/p_1_good.txt", "b\n")
	put(t, dir, "gt/p_1_ok.txt", "c\n")
	put(t, dir, "gt/p_1_junk.txt", "p\n")
}

// TestEvalModel: the figures are those of descriptors of the images, of the
// queries' boxes cut out beforehand; kept descriptors give them again.
func TestEvalModel(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	landmarkImages(t, "set")
	writeModel(t, "net.safetensors")
	for name, m := range map[string]*image.RGBA{"p": picture(3, 1), "q": picture(1, 2)} {
		box := map[string]image.Rectangle{"p": image.Rect(2, 2, 30, 40), "q": image.Rect(0, 0, 19, 33)}[name] // rounded to even
		putPicture(t, filepath.Join("cut", name+".png"), m.SubImage(box))
	}
	put(t, dir, "queries.txt", "cut/p.png\ncut/q.png\nset/jpg/p.png\n")
	put(t, dir, "images.txt", "set/jpg/a.png\nset/jpg/b.png\nset/jpg/c.png\nset/jpg/d.png\nset/jpg/e.png\n")
	settings := []string{"--model", "net.safetensors", "--scales", "1,0.5", "--whiten", "Landmarks_clean", "--whiten-power", "0.5"}
	for list, out := range map[string]string{"queries.txt": "cutqueries.npy", "images.txt": "whole.npy"} {
		mustRun(t, append([]string{"extract", "--quiet", "--images", list, "--out", out}, settings...)...)
	}
	removeFile(t, "cutqueries.txt") // its rows are in the order of the queries, one of which comes twice
	set := []string{"--dataset", "roxford5k", "--aqe", "2,1"}
	want := evalJSON(t, append(set, "--gnd", "set/gnd_roxford5k.json", "--query-descriptors", "cutqueries.npy", "--db-descriptors", "whole.npy")...)
	model := append(append(set, "--data", "set"), settings...)
	for _, args := range [][]string{model, append(model, "--save", "kept"), append(model, "--save", "kept", "--gnd", "set/gnd_roxford5k.json")} {
		got := evalJSON(t, args...)
		for setup := range want {
			for q, ap := range want[setup].APs {
				if (ap == nil) != (got[setup].APs[q] == nil) || ap != nil && *ap != *got[setup].APs[q] {
					t.Errorf("%v: %s, query %d: want AP %v, found %v", args, setup, q, ap, got[setup].APs[q])
				}
			}
		}
	}
	for mine, theirs := range map[string]string{"kept/query.npy": "cutqueries.npy", "kept/db.npy": "whole.npy"} {
		_, _, got, err := npy.ReadAll[float32](mine)
		_, _, want, err2 := npy.ReadAll[float32](theirs)
		if errors.Join(err, err2) != nil || !slices.Equal(got, want) {
			t.Errorf("%s differs from %s: %v, %v", mine, theirs, err, err2)
		}
	}
	mustRun(t, "eval", "--dataset", "oxford5k", "--data", "set", "--model", "net.safetensors", "--quiet")
}

func removeFile(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// TestEvalModelFolder: the images of a labelled folder are described whole, once.
func TestEvalModelFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	for i, name := range []string{"x/a", "x/b", "y/c", "y/d"} {
		putPicture(t, filepath.Join("photos", name+".png"), picture(1+2*(i/2), i%2))
	}
	writeModel(t, "net.safetensors")
	mustRun(t, "extract", "--images", "photos", "--model", "net.safetensors", "--out", "photos.npy", "--quiet")
	set := []string{"--dataset", "folder", "--data", "photos"}
	want := evalJSON(t, append(set, "--db-descriptors", "photos.npy")...)["all"]
	got := evalJSON(t, append(set, "--model", "net.safetensors", "--save", "kept")...)["all"]
	if *got.MAP != *want.MAP || *got.Top1 != *want.Top1 {
		t.Errorf("found mAP %v, want %v", *got.MAP, *want.MAP)
	}
	if _, err := os.Stat("kept/query.npy"); err == nil {
		t.Error("want no queries of their own")
	}
	// The same names below another folder are other images.
	for i, name := range []string{"x/a", "y/b", "y/c", "x/d"} {
		putPicture(t, filepath.Join("more", name+".png"), picture(1+2*(i/2), i%2))
	}
	set[3] = "more"
	if other := evalJSON(t, append(set, "--model", "net.safetensors", "--save", "kept")...)["all"]; *other.MAP >= *want.MAP {
		t.Errorf("labels across places give mAP %v, as much as %v", *other.MAP, *want.MAP)
	}
}

// TestEvalModelBadInput: what is missing is named before any work, what cannot
// be read afterwards, and the others are kept.
func TestEvalModelBadInput(t *testing.T) {
	t.Chdir(t.TempDir())
	landmarkImages(t, "set")
	writeModel(t, "net.safetensors")
	set := []string{"eval", "--dataset", "roxford5k", "--data", "set", "--model", "net.safetensors"}
	put(t, ".", "tiny.json", `{"imlist": ["a"], "qimlist": ["p"], "gnd": [{"bbx": [1, 2, 1.3, 9], "easy": [0], "hard": [], "junk": []}]}`)
	put(t, ".", "away.json", `{"imlist": ["a"], "qimlist": ["b"], "gnd": [{"bbx": [500, 2, 510, 9], "easy": [0], "hard": [], "junk": []}]}`)
	fails := func(code int, args []string, wants ...string) {
		t.Helper()
		_, stderr, got := locbench(t, args...)
		if got != code {
			t.Errorf("%v: exit code %d, want %d", args, got, code)
		}
		for _, want := range wants {
			if !strings.Contains(stderr, want) {
				t.Errorf("%v: want %q in\n%s", args, want, stderr)
			}
		}
	}
	fails(exitInvalid, append(set, "--gnd", "tiny.json"), "want a box of at least a pixel for query p")
	fails(exitInvalid, append(set, "--gnd", "away.json"), "b.png: want a crop of the image of 48×40 pixels, found (500,2)-(510,9)")
	for _, name := range []string{"c", "p"} {
		if err := os.Truncate(filepath.Join("set", "jpg", name+".png"), 100); err != nil {
			t.Fatal(err)
		}
	}
	fails(exitInvalid, append(set, "--save", "kept"), "error: set/jpg/p.png: want an image, found", "error: set/jpg/c.png: want an image, found", "1 of 5 images could not be read, the others are done")
	putPicture(t, "set/jpg/c.png", picture(3, 0))
	putPicture(t, "set/jpg/p.png", picture(3, 1))
	if _, stderr, code := locbench(t, append(set, "--save", "kept")...); code != exitDone || !strings.Contains(stderr, "describe images  extracted=1  skipped=4") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	fails(exitUsage, append(set, "--save", "kept", "--scales", "0.5"), "kept/query.npy holds features that were made otherwise")
	removeFile(t, "set/jpg/a.png")
	removeFile(t, "set/jpg/q.png")
	fails(exitInvalid, append(set, "--save", "none"), "set: want the image a, found no such file", "set: want the image q, found no such file")
	if _, err := os.Stat("none"); err == nil {
		t.Error("want no work before all images are there")
	}
}

// TestEvalInterrupted: it says that descriptors are kept only where they are.
func TestEvalInterrupted(t *testing.T) {
	t.Chdir(t.TempDir())
	landmarkImages(t, "set")
	writeModel(t, "net.safetensors")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for save, kept := range map[string]bool{"--quiet": false, "--save=kept": true} {
		var stdout, stderr strings.Builder
		code := run(ctx, []string{"eval", "--dataset", "roxford5k", "--data", "set", "--model", "net.safetensors", save}, &stdout, &stderr)
		if code != exitInterrupted || strings.Contains(stderr.String(), "what was finished is kept") != kept {
			t.Errorf("%s: exit code %d\n%s", save, code, &stderr)
		}
	}
}
