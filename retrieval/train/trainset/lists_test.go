package trainset

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestClean reads lines as they were published, with the boxes in either order.
func TestClean(t *testing.T) {
	for name, boxes := range map[string][3]string{
		"x0 x1 y0 y1": {"10 50 20 30", "0 9 100 200", "5 6 5 6"},
		"x0 y0 x1 y1": {"10 20 50 30", "0 100 9 200", "5 5 6 6"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			list := put(t, dir, "annotation_clean_train.txt", "# made up\nhttp://h.org/a/one%20two.jpg?s=1 12 "+boxes[0]+"\n\nhttp://h.org/b/2.jpg 12 "+boxes[1]+
				"\nhttp://i.org/c/../3.jpg 580 "+boxes[2]+"\nown/4.jpg 580\nhttp://gone.org/5.jpg 580 "+boxes[2]+"\n")
			putAll(t, dir, "12/one two.jpg", "2.jpg", "i.org/3.jpg", "own/4.jpg")
			o := DefaultSource(KindClean, list)
			wantInvalid(t, o, "annotation_clean_train.txt:7: want the image", filepath.Join(dir, "580", "5.jpg"))
			o.Missing = MissingDrop
			s := mustOpen(t, o)
			wantSet(t, s, "12: 12/one two.jpg 2.jpg\n580: i.org/3.jpg own/4.jpg\n")
			wantWarnings(t, s, "1 image of 5 missing: 580/5.jpg")
			for i, want := range []Box{{Left: 10, Top: 20, Right: 50, Bottom: 30}, {Left: 0, Top: 100, Right: 9, Bottom: 200}, {Left: 5, Top: 5, Right: 6, Bottom: 6}, {}} {
				if got := s.Box(i); got != want {
					t.Errorf("image %d: want the box %v, found %v", i, want, got)
				}
			}
		})
	}
}

func TestCleanErrors(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"no label":   {"a.jpg 1\nb.jpg\n", "list.txt:2: want the class of b.jpg, found none"},
		"fields":     {"a.jpg 1 2 3\n", "list.txt:1: want an image, its class and no or four numbers, found 4 fields"},
		"number":     {"a.jpg 1 2 3 four 5\n", `list.txt:1: want a box of four numbers, found "four"`},
		"no inside":  {"a.jpg 1 9 8 7 6\n", "list.txt:1: want a box with an inside"},
		"two orders": {"a.jpg 1 1 5 2 3\nb.jpg 1 1 5 3 4\nc.jpg 1 1 2 5 3\nd.jpg 1 1 2 4 3\n", "list.txt:3: want all boxes as x0 x1 y0 y1 or all as x0 y0 x1 y1, found one that is not the first, and one that is not the second on line 1"},
		"URL":        {"http://h.org/%zz.jpg 1\n", "list.txt:1: want an image's URL or path"},
		"no name":    {"http://h.org 1\n", "list.txt:1: want an image's URL and a class"},
		"escape":     {"http://h.org/x.jpg ../..\n", "list.txt:1: want an image's URL and a class"},
		"endless":    {"a.jpg 1\n" + strings.Repeat("x", 1<<17), "list.txt:2: want an image, its class and its box, found a line without end"},
	} {
		t.Run(name, func(t *testing.T) {
			wantInvalid(t, unchecked(KindClean, put(t, t.TempDir(), "list.txt", tt.text)), tt.want)
		})
	}
}

func TestGoogle1(t *testing.T) {
	dir := t.TempDir()
	labels := put(t, dir, "train.csv", `"id","url","landmark_id"`+"\n"+`"97c0a12e07ae8dd5","http://a.org/x,y.jpg","6651"`+"\n"+
		`"650c989dd3493748","None","6651"`+"\n"+`"05e63ca9b2cde1f4","http://b.org","12"`+"\n"+`"0000000000000001","http://b.org","12"`+"\n")
	boxes := put(t, dir, "boxes_split1.csv", "id,box\n97c0a12e07ae8dd5,0.25 0.5 0.75 1.0\nffffffffffffffff,0 0 1 1\n")
	putAll(t, dir, "97c0a12e07ae8dd5.jpg", "650c989dd3493748.jpg", "05e63ca9b2cde1f4.jpg", "0000000000000001.jpg")
	o := DefaultSource(KindGoogle1, labels)
	o.Boxes = []string{boxes}
	s := mustOpen(t, o)
	wantSet(t, s, "6651: 97c0a12e07ae8dd5 650c989dd3493748\n12: 05e63ca9b2cde1f4 0000000000000001\n")
	wantWarnings(t, s, "1 box of "+boxes+" not in "+labels)
	if r := s.Box(0).Rect(200, 100); r.Min.X != 100 || r.Min.Y != 25 || r.Max.X != 200 || r.Max.Y != 75 {
		t.Errorf("found the box %v", r)
	}
	o.Boxes = []string{put(t, dir, "boxes_split2.csv", "id,box\n97c0a12e07ae8dd5,0.25 0.5 0.75\n650c989dd3493748,0 0 2 1\n")}
	wantInvalid(t, o, "boxes_split2.csv:2: want ymin xmin ymax xmax", `boxes_split2.csv:3: want ymin xmin ymax xmax as shares of the image, found "0 0 2 1"`)
}

func TestGoogle2(t *testing.T) {
	dir := t.TempDir()
	putAll(t, dir, "images/1/7/6/17660ef415d37059.jpg", "images/9/2/b/92b6290d571448f6.jpg", "images/c/d/4/cd41bf948edc0340.jpg")
	clean := unchecked(KindGoogle2, put(t, dir, "train_clean.csv", "landmark_id,images\n1,17660ef415d37059 92b6290d571448f6\n7,cd41bf948edc0340\n"))
	clean.Images, clean.Missing = filepath.Join(dir, "images"), MissingError
	s := mustOpen(t, clean)
	wantSet(t, s, "1: 17660ef415d37059 92b6290d571448f6\n")
	wantWarnings(t, s, "1 class of fewer than 2 images left out: 7")
	if got, want := s.File(1), filepath.Join(dir, "images", "9", "2", "b", "92b6290d571448f6.jpg"); got != want {
		t.Errorf("want the file %s, found %s", want, got)
	}
	all := unchecked(KindGoogle2, put(t, dir, "train.csv", "id,url,landmark_id\n17660ef415d37059,http://a,1\ncd41bf948edc0340,http://b,1\n"))
	wantSet(t, mustOpen(t, all), "1: 17660ef415d37059 cd41bf948edc0340\n")
}

func TestGoogleErrors(t *testing.T) {
	dir := t.TempDir()
	for name, tt := range map[string]struct{ text, want string }{
		"label":   {"id,url,landmark_id\nabcd,http://a,\n", `list.csv:2: want the landmark_id of abcd, found ""`},
		"None":    {"id,url,landmark_id\nabcd,http://a,None\n", `list.csv:2: want the landmark_id of abcd, found "None"`},
		"id":      {"id,url,landmark_id\n../x,http://a,1\n", `list.csv:2: want an id of letters and digits, at least three, found "../x"`},
		"short":   {"landmark_id,images\n1,ab\n", `list.csv:2: want an id of letters and digits, at least three, found "ab"`},
		"none":    {"landmark_id,images\n1, \n", "list.csv:2: want images of landmark 1, found none"},
		"columns": {"landmark,images\n", "list.csv:1: want a column landmark_id, found landmark, images"},
		"no ids":  {"landmark_id,urls\n", "list.csv:1: want a column id, found landmark_id, urls"},
	} {
		t.Run(name, func(t *testing.T) { wantInvalid(t, unchecked(KindGoogle2, put(t, dir, "list.csv", tt.text)), tt.want) })
	}
}

func TestRetrieval(t *testing.T) {
	for _, file := range []string{"lists.pkl", "arrays.pkl"} {
		t.Run(file, func(t *testing.T) {
			o := unchecked(KindRetrieval, filepath.Join("testdata", file))
			s := mustOpen(t, o)
			if s.Len() != 9 || s.Classes() != 3 || s.ClassName(1) != "7" || len(s.Members(0)) != 4 {
				t.Fatalf("found %d images in %d classes\n%s", s.Len(), s.Classes(), describe(s))
			}
			cid := s.Name(1)
			n := len(cid)
			if want := filepath.Join("testdata", "ims", cid[n-2:], cid[n-4:n-2], cid[n-6:n-4], cid); s.File(1) != want {
				t.Errorf("want the file %s, found %s", want, s.File(1))
			}
			for pair, want := range map[[2]int]Relation{{0, 0}: Positive, {0, 1}: Positive, {2, 0}: Positive, {1, 2}: Ignored, {0, 3}: Ignored,
				{4, 5}: Positive, {5, 6}: Ignored, {0, 4}: Negative, {6, 8}: Negative, {7, 8}: Ignored} {
				if a, b := s.Relation(pair[0], pair[1]), s.Relation(pair[1], pair[0]); a != want || b != want {
					t.Errorf("relation of %v: want %d, found %d and %d", pair, want, a, b)
				}
			}
			o.Split = "val"
			if s := mustOpen(t, o); s.Len() != 3 || s.Relation(0, 1) != Positive || s.Relation(1, 2) != Negative {
				t.Errorf("val has\n%s", describe(s))
			}
		})
	}
}

func TestRetrievalErrors(t *testing.T) {
	dir := t.TempDir()
	// Protocol 0 is text: a dict of train with what is given.
	train := func(entries string) string { return "(dS'train'\n(d" + entries + "s." }
	list := func(name, items string) string { return "S'" + name + "'\n(l" + items + "s" }
	cids := list("cids", "S'abcdef'\naS'abcdeg'\na")
	cluster := list("cluster", "I1\naI1\na")
	for name, tt := range map[string]struct{ text, want string }{
		"no pickle": {"hello", "db.pkl: byte 0: "},
		"list":      {"(l.", "db.pkl: want a dict of train and val"},
		"split":     {"(d.", "db.pkl: want a dict of cids, cluster, qidxs and pidxs as train"},
		"entries":   {train(""), "train: cids: want a list"},
		"lengths":   {train(cids + list("cluster", "I1\na") + list("qidxs", "") + list("pidxs", "")), "want as many cids as clusters and as many qidxs as pidxs, found 2, 1, 0 and 0"},
		"index":     {train(cids + cluster + list("qidxs", "I0\na") + list("pidxs", "I2\na")), "want images from 0 to 1 in qidxs and pidxs, found 2 as pair 0"},
		"float":     {train(cids + list("cluster", "F0.5\naI1\na") + list("qidxs", "") + list("pidxs", "")), "cluster[0]: want a whole number, found 0.5"},
		"name":      {train(list("cids", "S'abc'\naS'../../../x'\na") + cluster + list("qidxs", "") + list("pidxs", "")), `found "../../../x"`},
		"clusters":  {train(cids + list("cluster", "I1\naI2\na") + list("qidxs", "I0\na") + list("pidxs", "I1\na")), "want pairs of one cluster in train, found pair 0 of the clusters 1 and 2"},
		"no pairs":  {train(cids + cluster + list("qidxs", "") + list("pidxs", "")), "want images that show the same, found none"},
		"code":      {"cposix\nsystem\n(S'true'\ntR.", "posix.system"},
	} {
		t.Run(name, func(t *testing.T) {
			wantInvalid(t, unchecked(KindRetrieval, put(t, dir, "db.pkl", tt.text)), tt.want)
		})
	}
}
