package main

import (
	"encoding/json"
	"hash/fnv"
	"io"
	"math"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"locbench/kapture/kapturetest"
	"locbench/retrieval/npy"
)

// landmarkFiles writes a small landmark set in dir: 2 queries, 5 images, 3
// distractors of 4 values, and a labelled folder of the same images.
func landmarkFiles(t *testing.T, dir string) {
	t.Helper()
	put(t, dir, "gnd_roxford5k.json", `{"imlist": ["a", "b", "c", "d", "e"], "qimlist": ["p", "q"], "gnd": [
	{"bbx": [1.5, 2.5, 30, 40], "easy": [0], "hard": [1, 3], "junk": [4]}, {"bbx": [0, 0, 9, 9], "easy": [], "hard": [2], "junk": []}]}`)
	for _, name := range []string{"x/a.jpg", "x/b.jpg", "y/c.jpg", "y/d.jpg", "z/e.jpg"} {
		put(t, dir, "photos/"+name, "")
	}
	images := []float32{0.8, 0.6, 0, 0, 0.6, 0.8, 0, 0, 0, 0, 1, 0, 0, 0.6, 0, 0.8, 1, 0, 0, 0}
	matrix(t, dir, "images.npy", 5, 4, images)
	matrix(t, dir, "photos.npy", 5, 4, images)
	matrix(t, dir, "queries.npy", 2, 4, []float32{1, 0, 0, 0, 0, 0.28, 0.96, 0})
	matrix(t, dir, "r1m.npy", 3, 4, []float32{0.7, 0, 0, 0.7, 0, 0, 0.99, 0.1, 0, 1, 0, 0})
	matrix(t, dir, "scores.npy", 2, 5, []float64{0.8, 0.6, 0, 0, 1, 0.1, 0.2, 0.9, 0.1, 0})
	matrix(t, dir, "ranks.npy", 5, 2, []float64{4, 2, 0, 1, 1, 0, 2, 3, 3, 4})
}

func matrix[T npy.Real](t *testing.T, dir, name string, rows, cols int, data []T) {
	t.Helper()
	if err := npy.Write(filepath.Join(dir, name), rows, cols, data); err != nil {
		t.Fatal(err)
	}
}

type setupResult struct {
	MAP  *float64   `json:"mAP"`
	MP1  *float64   `json:"mP@1"`
	MP5  *float64   `json:"mP@5"`
	MP10 *float64   `json:"mP@10"`
	Top1 *float64   `json:"top@1"`
	APs  []*float64 `json:"APs"`
}

// evalJSON runs eval with the flags and returns the setups of its JSON.
func evalJSON(t *testing.T, args ...string) map[string]setupResult {
	t.Helper()
	path := filepath.Join(t.TempDir(), "out.json")
	mustRun(t, append([]string{"eval", "--json", path, "--quiet"}, args...)...)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(text, &parts); err != nil {
		t.Fatal(err)
	}
	setups := map[string]setupResult{}
	for _, name := range []string{"easy", "medium", "hard", "all"} {
		var s setupResult
		if parts[name] == nil {
			continue
		}
		if err := json.Unmarshal(parts[name], &s); err != nil {
			t.Fatal(err)
		}
		setups[name] = s
	}
	return setups
}

// goldenScores are the scores of the reference: U(key, q·n+i) of its page, more
// for easy and hard positives.
func goldenScores(t *testing.T, name, key string) (queries, n int, scores []float64) {
	t.Helper()
	var gnd struct {
		Imlist []string
		Gnd    []struct{ Easy, Hard []int }
	}
	kapturetest.SharedJSON(t, &gnd, "golden", "map", "gnd_"+name+".json")
	queries, n = len(gnd.Gnd), len(gnd.Imlist)
	h := fnv.New64a()
	io.WriteString(h, key)
	for i := range queries * n {
		z := h.Sum64() + uint64(i) + 0x9E3779B97F4A7C15
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		scores = append(scores, float64((z^z>>31)>>11)/(1<<53))
	}
	for q, g := range gnd.Gnd {
		for _, i := range g.Easy {
			scores[q*n+i] += 0.6
		}
		for _, i := range g.Hard {
			scores[q*n+i] += 0.3
		}
	}
	return queries, n, scores
}

type goldenResult struct {
	MAP float64    `json:"mAP"`
	APs []*float64 `json:"AP_per_query"`
	MPs []float64  `json:"mP_at_k"`
}

// TestEvalGolden holds the command against the revisited benchmark's own
// evaluation, on the real ground truth, from scores and from ranks, to 1e-9.
func TestEvalGolden(t *testing.T) {
	for _, name := range []string{"roxford5k", "rparis6k"} {
		t.Run(name, func(t *testing.T) {
			var ref struct {
				Key                string `json:"score_key"`
				Easy, Medium, Hard goldenResult
			}
			kapturetest.SharedJSON(t, &ref, "golden", "map", name+"_results.json")
			queries, n, scores := goldenScores(t, name, ref.Key)
			dir := t.TempDir()
			matrix(t, dir, "scores.npy", queries, n, scores)
			matrix(t, dir, "ranks.npy", n, queries, ranksOf(queries, n, scores))
			gnd := kapturetest.Shared(t, "golden", "map", "gnd_"+name+".pkl")
			for _, ranking := range []string{"scores", "ranks"} {
				got := evalJSON(t, "--dataset", name, "--gnd", gnd, "--"+ranking, filepath.Join(dir, ranking+".npy"))
				for setup, want := range map[string]goldenResult{"easy": ref.Easy, "medium": ref.Medium, "hard": ref.Hard} {
					want.compare(t, ranking+", "+setup, got[setup])
				}
			}
		})
	}
}

func ranksOf(queries, n int, scores []float64) []float64 {
	ranks := make([]float64, n*queries)
	order := make([]int, n)
	for q := range queries {
		for i := range order {
			order[i] = i
		}
		row := scores[q*n:][:n]
		sort.SliceStable(order, func(a, b int) bool { return row[order[a]] > row[order[b]] })
		for r, image := range order {
			ranks[r*queries+q] = float64(image)
		}
	}
	return ranks
}

func (want goldenResult) compare(t *testing.T, what string, got setupResult) {
	t.Helper()
	const tolerance = 1e-9
	for i, pair := range [][2]float64{{want.MAP, *got.MAP}, {want.MPs[0], *got.MP1}, {want.MPs[1], *got.MP5}, {want.MPs[2], *got.MP10}} {
		if !(math.Abs(100*pair[0]-pair[1]) <= tolerance) {
			t.Errorf("%s: figure %d: want %v, found %v", what, i, 100*pair[0], pair[1])
		}
	}
	for q, ap := range want.APs {
		if (ap == nil) != (got.APs[q] == nil) || ap != nil && !(math.Abs(*ap-*got.APs[q]) <= tolerance) {
			t.Errorf("%s: query %d: want %v, found %v", what, q, ap, got.APs[q])
		}
	}
}

// TestEvalRankings: scores, ranks and descriptors of the toy set that agree
// give the same figures; so do rows in another order with a list.
func TestEvalRankings(t *testing.T) {
	dir := t.TempDir()
	landmarkFiles(t, dir)
	at := func(name string) string { return filepath.Join(dir, name) }
	set := []string{"--dataset", "roxford5k", "--gnd", at("gnd_roxford5k.json")}
	want := evalJSON(t, append(set, "--scores", at("scores.npy"))...)
	// p: a, b, c, d without e, of which a, b and d are positive: (1 + 1 + (2/3 + 3/4)/2) / 3; q: c comes first.
	if got := *want["medium"].MAP; math.Abs(got-100*(65.0/72+1)/2) > 1e-12 {
		t.Errorf("mAP of medium is %v", got)
	}
	if want["easy"].APs[1] != nil {
		t.Error("want null for a query without positives")
	}
	matrix(t, dir, "turned.npy", 6, 4, []float32{0, 0.6, 0, 0.8, 9, 9, 9, 9, 0, 0, 1, 0, 0.8, 0.6, 0, 0, 1, 0, 0, 0, 0.6, 0.8, 0, 0})
	put(t, dir, "turned.txt", "jpg/d.jpg\njpg/other.jpg\njpg/c.jpg\njpg/a.jpg\njpg/e.jpg\njpg/b.jpg\n")
	for _, ranking := range [][]string{
		{"--ranks", at("ranks.npy")},
		{"--query-descriptors", at("queries.npy"), "--db-descriptors", at("images.npy")},
		{"--query-descriptors", at("queries.npy"), "--db-descriptors", at("turned.npy")},
	} {
		got := evalJSON(t, append(set, ranking...)...)
		for setup := range want {
			if *want[setup].MAP != *got[setup].MAP || *want[setup].MP1 != *got[setup].MP1 {
				t.Errorf("%v, %s: want mAP %v, found %v", ranking, setup, *want[setup].MAP, *got[setup].MAP)
			}
		}
	}
	with := evalJSON(t, append(set, "--query-descriptors", at("queries.npy"), "--db-descriptors", at("images.npy"), "--distractors", at("r1m.npy"))...)
	if got := *with["hard"].APs[0]; got >= *want["hard"].APs[0] {
		t.Errorf("want a lower AP with distractors, found %v", got)
	}
}

// TestEvalFolder: every image is a query and is left out itself.
func TestEvalFolder(t *testing.T) {
	dir := t.TempDir()
	landmarkFiles(t, dir)
	got := evalJSON(t, "--dataset", "folder", "--data", filepath.Join(dir, "photos"), "--db-descriptors", filepath.Join(dir, "photos.npy"))["all"]
	// a and b find each other first; all scores of c are 0, and so is that of c and e for d; e has nobody.
	for q, want := range []float64{1, 1, 0.25, 0.25} {
		if *got.APs[q] != want {
			t.Errorf("query %d: want AP %v, found %v", q, want, *got.APs[q])
		}
	}
	if got.APs[4] != nil || *got.MAP != 62.5 || *got.Top1 != 50 {
		t.Errorf("found mAP %v, top@1 %v", *got.MAP, *got.Top1)
	}
}

// brokenFiles adds files to those of landmarkFiles with one mistake each.
func brokenFiles(t *testing.T, dir string) {
	t.Helper()
	matrix(t, dir, "nan.npy", 2, 5, []float64{0.8, 0.6, 0, 0, 1, 0.1, 0.2, math.NaN(), 0.1, 0})
	matrix(t, dir, "twice.npy", 5, 2, []float64{4, 2, 0, 1, 1, 0, 2, 3, 2, 4})
	text, err := os.ReadFile(filepath.Join(dir, "scores.npy"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "cut.npy", string(text[:len(text)-3]))
	put(t, dir, "names.txt", "a\nb\n")
	put(t, dir, "gnd_rparis6k.json", `{"imlist": ["a"], "qimlist": ["p"], "gnd": [{"easy": [7], "hard": [], "junk": []}]}`)
}

// TestEvalBadInput wants the exit code, the file and what was expected.
func TestEvalBadInput(t *testing.T) {
	dir := t.TempDir()
	landmarkFiles(t, dir)
	at := func(name string) string { return filepath.Join(dir, name) }
	brokenFiles(t, dir)
	set := []string{"--dataset", "roxford5k", "--gnd", at("gnd_roxford5k.json")}
	descriptors := append(set, "--query-descriptors", at("queries.npy"), "--db-descriptors")
	for name, c := range map[string]struct {
		args   []string
		code   int
		stderr []string
	}{
		"scores turned":  {append(set, "--scores", at("ranks.npy")), 3, []string{"ranks.npy: want scores of 2 × 5", "found the shape [5 2]"}},
		"scores NaN":     {append(set, "--scores", at("nan.npy")), 3, []string{"nan.npy: row 1, column 2: want a score, found NaN"}},
		"scores cut":     {append(set, "--scores", at("cut.npy")), 3, []string{"cut.npy: byte 205: want 80 bytes for the shape (2, 5) of <f8, found 77"}},
		"ranks repeated": {append(set, "--ranks", at("twice.npy")), 3, []string{"twice.npy: row 4, column 0: want each image once, found image 2 as in row 3"}},
		"descriptors":    {append(descriptors, at("r1m.npy")), 3, []string{"r1m.npy: want the descriptors of 5 images", "found the shape [3 4]"}},
		"lengths":        {append(descriptors, at("images.npy"), "--distractors", at("scores.npy")), 3, []string{"scores.npy: want descriptors of 4 values as in", "queries.npy of the shape [2 4], found the shape [2 5]"}},
		"list":           {append(descriptors, at("images.npy"), "--db-list", at("names.txt")), 3, []string{"names.txt: want a name for each row of", "images.npy, which has the shape [5 4], found 2"}},
		"no list":        {append(descriptors, at("images.npy"), "--db-list", at("none.txt")), 3, []string{"none.txt: want a list of images"}},
		"truth":          {[]string{"--dataset", "rparis6k", "--data", dir, "--scores", at("scores.npy")}, 3, []string{"gnd_rparis6k.json: query 0, p: want images from 0 to 0, found 7 as easy"}},
		"no truth":       {[]string{"--dataset", "rparis6k", "--data", filepath.Join(dir, "photos"), "--scores", at("scores.npy")}, 3, []string{"photos: want gnd_rparis6k.pkl or gnd_rparis6k.json, found neither"}},
		"classic truth":  {[]string{"--dataset", "paris6k", "--data", filepath.Join(dir, "photos"), "--scores", at("scores.npy")}, 3, []string{"want ground truth files such as all_souls_1_query.txt"}},
		"no PCA":         {append(descriptors, at("images.npy"), "--whiten", at("images.npy")), 3, []string{"images.npy: byte 0: want a checkpoint"}},
		"no file":        {append(set, "--scores", at("none.npy")), 1, []string{"none.npy: no such file"}},
		"unknown set":    {[]string{"--dataset", "holidays", "--scores", "x"}, 2, []string{"found \"holidays\""}},
		"no ranking":     {set, 2, []string{"want one of --model, --db-descriptors, --scores and --ranks, found 0"}},
		"two rankings":   {append(set, "--scores", "x", "--ranks", "y"), 2, []string{"found 2"}},
		"no queries":     {append(set, "--db-descriptors", "x"), 2, []string{"--query-descriptors and --db-descriptors together"}},
		"no ground":      {[]string{"--dataset", "rparis6k", "--scores", "x"}, 2, []string{"want either --gnd FILE or --data DIR"}},
		"folder":         {[]string{"--dataset", "folder", "--scores", "x"}, 2, []string{"want --data DIR, the folder of folders"}},
		"folder queries": {[]string{"--dataset", "folder", "--data", dir, "--db-descriptors", "x", "--query-descriptors", "y"}, 2, []string{"its images are the queries"}},
		"expansion":      {append(descriptors, at("images.npy"), "--aqe", "3"), 2, []string{"want --aqe K,ALPHA such as 10,3, found \"3\""}},
		"scores expand":  {append(set, "--scores", "x", "--aqe", "3,1"), 2, []string{"want descriptors for --aqe"}},
		"both expand":    {append(descriptors, at("images.npy"), "--adba", "3,1", "--distractors", at("r1m.npy")), 2, []string{"want --adba without --distractors"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, stderr, code := locbench(t, append([]string{"eval"}, c.args...)...)
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			for _, want := range c.stderr {
				if !strings.Contains(stderr, want) {
					t.Errorf("want %q in\n%s", want, stderr)
				}
			}
		})
	}
}

// TestEvalPublished sets a ranking beside the published models.
func TestEvalPublished(t *testing.T) {
	models := publishedOf("rparis6k")
	for _, m := range models {
		if m.model == "Resnet101-AP-GeM" && m.source == "deep-image-retrieval" {
			// The file has 80.31 to one decimal in one table, and to four in another.
			if v := m.values["medium"]; v.Text != "80.3098" {
				t.Errorf("want the most exact of two figures, found %+v", m)
			}
		}
	}
	if len(models) < 8 || len(publishedOf("oxford5k")) < 5 || publishedOf("folder") != nil {
		t.Errorf("found %d models of rparis6k", len(models))
	}
	dir := t.TempDir()
	landmarkFiles(t, dir)
	said := mustRun(t, "eval", "--dataset", "roxford5k", "--gnd", filepath.Join(dir, "gnd_roxford5k.json"), "--scores", filepath.Join(dir, "scores.npy"), "--published")
	for _, want := range []string{"mAP beside published figures", "this ranking", "Resnet101-AP-GeM-LM18", "deep-image-retrieval", "cnnimageretrieval-pytorch"} {
		if !strings.Contains(said, want) {
			t.Errorf("want %q in\n%s", want, said)
		}
	}
	t.Log(said)
}
