package trainset

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	putAll(t, dir, "b/2.jpg", "b/1.PNG", "a/x/deep.jpg", "a/1.webp", "a/notes.txt", "lonely/1.jpg", ".hidden/1.jpg", "a/.3.jpg", "c/1.jpg")
	s := mustOpen(t, DefaultSource(KindFolder, dir))
	wantSet(t, s, "a: a/1.webp a/x/deep.jpg\nb: b/1.PNG b/2.jpg\n")
	wantWarnings(t, s, "2 classes of fewer than 2 images left out: c, lonely")
	if got, want := s.File(1), filepath.Join(dir, "a", "x", "deep.jpg"); got != want {
		t.Errorf("want the file %s, found %s", want, got)
	}
	for i := range s.Len() {
		for j := range s.Len() {
			want := Negative
			if s.Class(i) == s.Class(j) {
				want = Positive
			}
			if got := s.Relation(i, j); got != want {
				t.Errorf("relation of %d and %d: want %d, found %d", i, j, want, got)
			}
		}
	}
	if b := s.Box(0); !b.IsZero() || b.Rect(30, 20).Dx() != 30 || b.Rect(30, 20).Dy() != 20 {
		t.Errorf("want no box, found %v", b)
	}
}

func TestFolderErrors(t *testing.T) {
	dir := t.TempDir()
	wantInvalid(t, DefaultSource(KindFolder, dir), dir, "want images that show the same, found none among 0 images")
	putAll(t, dir, "a/1.jpg", "b/1.jpg")
	wantInvalid(t, DefaultSource(KindFolder, dir), "found none among 2 images", "2 classes of fewer than 2 images left out: a, b")
	putAll(t, dir, "top.jpg")
	wantInvalid(t, DefaultSource(KindFolder, dir), "want every image in a folder that is its class, found top.jpg")
	if _, err := Open(t.Context(), DefaultSource(KindFolder, filepath.Join(dir, "none"))); err == nil {
		t.Error("want an error for a folder that is not there")
	}
}

// TestSelection cuts classes down, to the same images whatever the order of the
// others.
func TestSelection(t *testing.T) {
	dir := t.TempDir()
	for c := range 12 {
		for i := range c + 1 {
			putAll(t, dir, string(rune('a'+c))+"/"+string(rune('a'+i))+".jpg")
		}
	}
	o := DefaultSource(KindFolder, dir)
	o.MinPerClass, o.MaxPerClass = 6, 8
	s := mustOpen(t, o)
	wantWarnings(t, s, "5 classes of fewer than 6 images left out: a, b, c, d, e", "4 classes of more than 8 images cut to that")
	for c := range s.Classes() {
		if want := min(c+6, 8); len(s.Members(c)) != want {
			t.Errorf("class %s: want %d images, found %d", s.ClassName(c), want, len(s.Members(c)))
		}
	}
	if describe(s) != describe(mustOpen(t, o)) {
		t.Error("another choice with the same seed")
	}
	o.Seed = 1
	if describe(s) == describe(mustOpen(t, o)) {
		t.Error("the same choice with another seed")
	}
	o.MinPerClass = 3
	if w := mustOpen(t, o).Warnings()[0]; w != "2 classes of fewer than 3 images left out: a, b" {
		t.Errorf("found %q", w)
	}
}

func TestSourceCheck(t *testing.T) {
	_, err := Open(t.Context(), Source{Kind: "foldr", MinPerClass: 1, MaxPerClass: -1, Missing: "no", Boxes: []string{"b"}, Datasets: []string{"d"}})
	for _, want := range []string{"training data: kind: want one of", `found "foldr"; did you mean folder?`, "path: want", "min_per_class: want at least 2, found 1",
		"max_per_class: want", "missing: want", "boxes: want", "datasets: want"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, found %v", want, err)
		}
	}
	k := DefaultSource(KindKapture, "x")
	k.Near = Near{Meters: 9, FarMeters: 5, IoU: 2}
	r := DefaultSource(KindRetrieval, "x")
	r.Split = "test"
	for want, s := range map[string]Source{"far_meters of at least meters": k, "iou of 0 to 1": k, `split: want train or val, found "test"`: r} {
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, found %v", want, err)
		}
	}
	k.Images = "elsewhere"
	if err := k.Check(); err == nil || !strings.Contains(err.Error(), "images: want none with kind folder or kapture, found elsewhere") {
		t.Errorf("found %v", err)
	}
	k.Near = Near{}
	if err := k.Check(); err == nil || !strings.Contains(err.Error(), "want meters, iou or both") {
		t.Errorf("found %v", err)
	}
}

func TestFromLabels(t *testing.T) {
	s, err := FromLabels([]string{"x", "y", "z"}, []string{"a", "b", "a"})
	if err != nil {
		t.Fatal(err)
	}
	wantSet(t, s, "a: x z\n")
	if s.File(1) != "z" {
		t.Errorf("found the file %s", s.File(1))
	}
	for want, labels := range map[string][]string{"found 3 and 1": {"a"}, "none among 3 images": {"a", "b", "c"}} {
		if _, err := FromLabels([]string{"x", "y", "z"}, labels); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, found %v", want, err)
		}
	}
}
