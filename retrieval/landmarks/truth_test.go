package landmarks_test

import (
	"image"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"locbench/kapture/kapturetest"
	"locbench/retrieval/landmarks"
)

// TestTruth reads the real ground truth as pickle and as JSON.
func TestTruth(t *testing.T) {
	for name, n := range map[string]int{"roxford5k": 4993, "rparis6k": 6322} {
		pickled := golden(t, name)
		plain, err := landmarks.ReadTruth(name, kapturetest.Shared(t, "golden", "map", "gnd_"+name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(pickled, plain); diff != "" {
			t.Errorf("%s: pickle and JSON differ: %s", name, diff)
		}
		if len(plain.Images) != n || len(plain.Queries) != 70 || len(plain.Setups) != 3 {
			t.Errorf("%s: found %d images, %d queries", name, len(plain.Images), len(plain.Queries))
		}
	}
}

func TestBox(t *testing.T) {
	q := toy(t).Queries
	if got, want := q[0].Box.Rect(), image.Rect(2, 2, 30, 40); got != want { // halves to even
		t.Errorf("want %v, found %v", want, got)
	}
	if q[1].Box != nil {
		t.Errorf("want no box, found %v", q[1].Box)
	}
}

func TestBadTruth(t *testing.T) {
	one := func(gnd string) string { return `{"imlist": ["a", "b"], "qimlist": ["p"], "gnd": [` + gnd + `]}` }
	for name, c := range map[string]struct {
		file, text string
		want       []string
	}{
		"json cut":     {"g.json", toyTruth[:60], []string{"g.json: byte 60: want imlist, qimlist and gnd as JSON"}},
		"json type":    {"g.json", `{"imlist": 3}`, []string{"g.json: byte 12: ", "cannot unmarshal"}},
		"outside":      {"g.json", one(`{"easy": [0], "hard": [2], "junk": [-1]}`), []string{"query 0, p: want images from 0 to 1, found 2 as hard", "found -1 as junk"}},
		"twice":        {"g.json", one(`{"easy": [0], "hard": [], "junk": [0]}`), []string{"want each image once, found 0 as easy and as junk"}},
		"other set":    {"g.json", one(`{"ok": [0], "junk": []}`), []string{`want the list "easy", found none`}},
		"box":          {"g.json", one(`{"bbx": [1, 2, 3], "easy": [], "hard": [], "junk": []}`), []string{"want the box as left, top, right, bottom, found [1 2 3]"}},
		"turned box":   {"g.json", one(`{"bbx": [5, 2, 3, 9], "easy": [], "hard": [], "junk": []}`), []string{"found [5 2 3 9]"}},
		"counts":       {"g.json", `{"imlist": ["a"], "qimlist": ["p"], "gnd": []}`, []string{"want as many entries of gnd as of qimlist, found 0 and 1"}},
		"no images":    {"g.json", `{}`, []string{"want images and queries, found 0 and 0"}},
		"no pickle":    {"g.pkl", "hello", []string{"g.pkl: byte 0: "}},
		"other pickle": {"g.pkl", "\x80\x02K\x07.", []string{"want a dict of imlist, qimlist and gnd, found int64"}},
		"refused":      {"g.pkl", "cposix\nsystem\n(S'touch /tmp/pwned'\ntR.", []string{"posix.system"}},
		"no list":      {"g.pkl", "}X\x06\x00\x00\x00imlistK\x01s.", []string{"imlist: want a list, found int64"}},
		"no names":     {"g.pkl", "}X\x06\x00\x00\x00imlist]K\x01as.", []string{"imlist[0]: want a name, found int64"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := landmarks.ReadTruth("rparis6k", filepath.Join(put(t, c.file, c.text), c.file))
			wantError(t, err, c.want...)
		})
	}
	_, err := landmarks.ReadTruth("rparis6k", t.TempDir())
	wantError(t, err, "want a ground truth file")
	_, err = landmarks.ReadTruth("holidays", filepath.Join(put(t, "g.json", toyTruth), "g.json"))
	wantError(t, err, `unknown data set "holidays"`)
}

// classicFiles are two queries of the original ground truth, and five images.
func classicFiles() []string {
	return []string{
		"gt/all_souls_1_query.txt", "oxc1_all_souls_000013 136.5 34.1 648.5 955.7\n",
		"gt/all_souls_1_good.txt", "all_souls_000013\nall_souls_000002\n",
		"gt/all_souls_1_ok.txt", "magdalen_000058\n",
		"gt/all_souls_1_junk.txt", "\nall_souls_000003\n",
		"gt/magdalen_1_query.txt", "oxc1_magdalen_000058 10 10 20 20",
		"gt/magdalen_1_good.txt", "", "gt/magdalen_1_ok.txt", "", "gt/magdalen_1_junk.txt", "paris_louvre_000136\n",
		"jpg/all_souls_000013.jpg", "", "jpg/all_souls_000002.JPG", "", "jpg/all_souls_000003.jpg", "", "jpg/magdalen_000058.jpg", "",
		"jpg/sub/paris_louvre_000001.jpg", "", "jpg/sub/paris_louvre_000136.jpg", "", "jpg/readme.txt", "",
	}
}

func TestClassic(t *testing.T) {
	d, err := landmarks.ReadClassic("oxford5k", put(t, classicFiles()...), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := &landmarks.Dataset{
		Name:   "oxford5k",
		Images: []string{"all_souls_000002", "all_souls_000003", "all_souls_000013", "magdalen_000058", "paris_louvre_000001"},
		Queries: []landmarks.Query{
			{Name: "all_souls_000013", Box: &landmarks.Box{136.5, 34.1, 648.5, 955.7}, Images: map[landmarks.Grade][]int{landmarks.OK: {2, 0, 3}, landmarks.Junk: {1}}},
			{Name: "magdalen_000058", Box: &landmarks.Box{10, 10, 20, 20}, Images: map[landmarks.Grade][]int{landmarks.OK: nil, landmarks.Junk: nil}},
		},
		Setups: []landmarks.Setup{{Name: "all", Positive: []landmarks.Grade{landmarks.OK}, Junk: []landmarks.Grade{landmarks.Junk}}},
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
}

// TestClassicFromList takes the names of the database from a list.
func TestClassicFromList(t *testing.T) {
	dir := put(t, classicFiles()[:16]...)
	names, err := landmarks.ReadList(strings.NewReader("# rows\njpg/magdalen_000058.jpg\nall_souls_000013\n\n/data/all_souls_000002.jpg\nall_souls_000003\n"), "list.txt", false, dir)
	if err != nil {
		t.Fatal(err)
	}
	d, err := landmarks.ReadClassic("oxford5k", dir, names)
	if err != nil || len(d.Images) != 4 {
		t.Fatalf("found %v, %v", d, err)
	}
	rows, err := landmarks.RowsOf(d.Images, names, "list.txt")
	if diff := cmp.Diff([]int{2, 3, 1, 0}, rows); diff != "" || err != nil {
		t.Errorf("%v: %s", err, diff)
	}
	_, err = landmarks.RowsOf([]string{"x", "magdalen_000058", "y"}, names, "list.txt")
	wantError(t, err, "list.txt: want image x, found no such line", "want image y")
	_, err = landmarks.ReadList(strings.NewReader("a.jpg\nb/a.png\n"), "list.txt", false, dir)
	wantError(t, err, "list.txt:2: want each image once, found a on line 1 too")
	_, err = landmarks.ReadList(strings.NewReader(strings.Repeat("x", 1<<17)), "list.txt", false, dir)
	wantError(t, err, "list.txt:1: want one name a line")
}

func TestBadClassic(t *testing.T) {
	for name, c := range map[string]struct {
		change []string
		want   string
	}{
		"no box":         {[]string{"gt/magdalen_1_query.txt", "oxc1_magdalen_000058 10 10\n"}, "magdalen_1_query.txt:1: want an image and its box"},
		"no number":      {[]string{"gt/magdalen_1_query.txt", "oxc1_magdalen_000058 10 10 x 20\n"}, "magdalen_1_query.txt:1: want an image and its box"},
		"turned box":     {[]string{"gt/magdalen_1_query.txt", "oxc1_magdalen_000058 10 10 20 5\n"}, "magdalen_1_query.txt:1: "},
		"unknown image":  {[]string{"gt/all_souls_1_ok.txt", "magdalen_000058\nnowhere_1\n"}, `all_souls_1_ok.txt:2: want an image of the database, found "nowhere_1"`},
		"missing list":   {[]string{"gt/trinity_1_query.txt", "oxc1_x 1 1 2 2"}, "trinity_1_good.txt: want a list of images, found no such file"},
		"two folders":    {[]string{"old/all_souls_1_query.txt", ""}, "want the ground truth files in one folder"},
		"twice":          {[]string{"gt/all_souls_1_junk.txt", "all_souls_000013\n"}, "want each image once, found 2 as ok and as junk"},
		"two of a name":  {[]string{"more/all_souls_000013.png", ""}, "all_souls_000013.png: want one image of each name"},
		"a line without": {[]string{"gt/all_souls_1_ok.txt", strings.Repeat("y", 1<<17)}, "want lines of names"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := landmarks.ReadClassic("oxford5k", put(t, append(classicFiles(), c.change...)...), nil)
			wantError(t, err, c.want)
		})
	}
	_, err := landmarks.ReadClassic("oxford5k", put(t, "a.jpg", ""), nil)
	wantError(t, err, "want ground truth files such as all_souls_1_query.txt")
}

func TestFolder(t *testing.T) {
	dir := put(t, "b/2.png", "", "a/x/1.jpg", "", "a/3.jpg", "", "c/4.webp", "", "a/notes.txt", "")
	d, err := landmarks.ReadFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a/3.jpg", "a/x/1.jpg", "b/2.png", "c/4.webp"}, d.Images); diff != "" {
		t.Error(diff)
	}
	want := landmarks.Query{Name: "a/x/1.jpg", Images: map[landmarks.Grade][]int{landmarks.OK: {0}, landmarks.Junk: {1}}}
	if diff := cmp.Diff(want, d.Queries[1]); diff != "" {
		t.Error(diff)
	}
	names, err := landmarks.ReadList(strings.NewReader("a/x/1.jpg\n"+filepath.Join(dir, "b", "2.png")+"\n./c/4.webp\na/3.jpg\n"), "list.txt", true, dir)
	if diff := cmp.Diff([]string{"a/x/1.jpg", "b/2.png", "c/4.webp", "a/3.jpg"}, names); diff != "" || err != nil {
		t.Errorf("%v: %s", err, diff)
	}
	_, err = landmarks.ReadFolder(put(t, "1.jpg", "", "a/2.jpg", ""))
	wantError(t, err, "want every image in a folder that is its label, found 1.jpg")
	_, err = landmarks.ReadFolder(t.TempDir())
	wantError(t, err, "want images and queries, found 0 and 0")
	_, err = landmarks.ReadFolder("no such folder")
	wantError(t, err, "no such folder")
}
