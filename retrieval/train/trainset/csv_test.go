package trainset

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// unchecked is a source whose images need not be there.
func unchecked(kind, path string) Source {
	s := DefaultSource(kind, path)
	s.Missing = MissingUnchecked
	return s
}

func TestCSV(t *testing.T) {
	dir := t.TempDir()
	abs := filepath.Join(dir, "elsewhere", "4.jpg")
	path := put(t, dir, "list.csv", "\ufefflabel; note ;IMAGE;x0;y0;x1;y1\n"+
		`tower;"a; b";1.jpg;1;2;30.5;40`+"\nbridge;;sub/2.jpg;;;;\ntower;;3.jpg;;;;\nbridge;;"+abs+";0;0;5;5\n")
	putAll(t, dir, "images/1.jpg", "images/sub/2.jpg", "images/3.jpg", "elsewhere/4.jpg")
	o := DefaultSource(KindCSV, path)
	o.Images = filepath.Join(dir, "images")
	s := mustOpen(t, o)
	wantSet(t, s, "tower: 1.jpg 3.jpg\nbridge: sub/2.jpg "+abs+"\n")
	if b := s.Box(0); b != (Box{Left: 1, Top: 2, Right: 30.5, Bottom: 40}) || b.Rect(100, 100).Max.X != 30 {
		t.Errorf("found the box %v, in pixels %v", b, b.Rect(100, 100))
	}
	if !s.Box(1).IsZero() || s.Box(3).IsZero() {
		t.Errorf("found the boxes %v and %v", s.Box(1), s.Box(3))
	}
	if got, want := s.File(1), filepath.Join(dir, "images", "sub", "2.jpg"); got != want {
		t.Errorf("want the file %s, found %s", want, got)
	}
	if s.File(3) != abs {
		t.Errorf("want the file %s, found %s", abs, s.File(3))
	}
}

// TestCSVSplit reads the table of generated landmarks' parts apart.
func TestCSVSplit(t *testing.T) {
	path := put(t, t.TempDir(), "images.csv", "image,label,split,night\na1,a,train,0\na2,a,train,1\nb1,b,val,0\nb2,b,val,1\n")
	o := unchecked(KindCSV, path)
	wantSet(t, mustOpen(t, o), "a: a1 a2\n")
	o.Split = "val"
	wantSet(t, mustOpen(t, o), "b: b1 b2\n")
}

func TestCSVErrors(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{"want a table with a header, found an empty file"}},
		{"no columns", "picture,kind\n1,2\n", []string{"list.csv:1: want a column image or file or path or name, found picture, kind", "want a column label"}},
		{"labels", "image,label\n1.jpg,a\n2.jpg,\n,b\n3.jpg,a\n", []string{"list.csv:3: want the label of 2.jpg, found none", "list.csv:4: want an image, found none"}},
		{"ragged", "image,label\n1.jpg,a\n2.jpg\n", []string{"list.csv:3: want a row of the table: wrong number of fields"}},
		{"quote", "image,label\n\"1.jpg,a\n", []string{"list.csv:", "want a row of the table"}},
		{"boxes", "image,label,xmin,ymin,xmax,ymax\n1,a,5,5,5,9\n2,a,x,1,2,3\n3,a,NaN,0,1,1\n", []string{
			"list.csv:2: want a box of left < right and top < bottom, found [5 5 5 9]", `list.csv:3: want a box of four numbers, found "x"`, `list.csv:4: want a box of four numbers, found "NaN"`}},
		{"two classes", "image,label\n1,a\n2,b\n1,b\n2,b\n", []string{"list.csv:4: want each image in one class, found 1 in a and in b (line 2)"}},
	} {
		t.Run(tt.name, func(t *testing.T) { wantInvalid(t, unchecked(KindCSV, put(t, dir, "list.csv", tt.text)), tt.want...) })
	}
	wantInvalid(t, DefaultSource(KindCSV, dir), "want a file, found a folder")
}

// TestMissingFiles lists ten, with their lines, and how many more there are.
func TestMissingFiles(t *testing.T) {
	dir := t.TempDir()
	var text strings.Builder
	text.WriteString("image,label\n")
	for i := range 15 {
		fmt.Fprintf(&text, "%d.jpg,a\n", i)
	}
	putAll(t, dir, "3.jpg", "4.jpg")
	put(t, dir, "5.jpg/x", "")
	path := put(t, dir, "list.csv", text.String())
	o := DefaultSource(KindCSV, path)
	wantInvalid(t, o, "list.csv:2: want the image "+filepath.Join(dir, "0.jpg")+", found no such file", "list.csv:7: want", "found a folder", "and 3 more")
	o.Missing = MissingDrop
	wantInvalid(t, o, "list.csv:7: want the image") // what is there and no file is still an error
	o.Path = put(t, dir, "list.csv", strings.Replace(text.String(), "5.jpg,a\n", "", 1))
	o.Jobs = 3
	s := mustOpen(t, o)
	wantSet(t, s, "a: 3.jpg 4.jpg\n")
	wantWarnings(t, s, "12 images of 14 missing: 0.jpg, 1.jpg, 2.jpg, 6.jpg, 7.jpg and 7 more")
	o.Path = put(t, dir, "list.csv", "image,label\n3.jpg,a\n3.jpg,a\n4.jpg,a\n")
	s = mustOpen(t, o)
	wantSet(t, s, "a: 3.jpg 4.jpg\n")
	wantWarnings(t, s, "1 image listed more than once: 3.jpg")
}
