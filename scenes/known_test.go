package scenes

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestList(t *testing.T) {
	cards, err := List()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	taken := map[string]string{}
	for _, c := range cards {
		names = append(names, c.Name)
		for _, name := range append([]string{c.Name}, c.Aliases...) {
			if other, ok := taken[name]; ok || name == "" {
				t.Errorf("%s: the name or alias %q is empty or also of %s", c.Name, name, other)
			}
			taken[name] = c.Name
		}
		if c.Title == "" || c.Description == "" || c.Licence == "" {
			t.Errorf("%s: a card must have title, description and licence", c.Name)
		}
		if c.HowToGet("/data/x") == "" {
			t.Errorf("%s: the card does not say how to get the data", c.Name)
		}
	}
	for _, want := range []string{"demo", "virtual_gallery_tutorial"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is not among the known scenes %v", want, names)
		}
	}
}

func TestFindProposes(t *testing.T) {
	tests := []struct {
		name string
		near string
	}{
		{"dmeo", "demo"},
		{"Demo", "demo"},
		{"virtual_galery_tutorial", "virtual_gallery_tutorial"},
		{"virtual", "virtual_gallery_tutorial"},
		{"data/demo", "demo"},
	}
	for _, tt := range tests {
		_, err := Find(tt.name)
		unknown, ok := errors.AsType[*UnknownSceneError](err)
		if !ok {
			t.Fatalf("%s: want an UnknownSceneError, got %v", tt.name, err)
		}
		if !slices.Contains(unknown.Near, tt.near) {
			t.Errorf("%s: proposals %v lack %s", tt.name, unknown.Near, tt.near)
		}
		if !strings.Contains(err.Error(), "did you mean "+tt.near) || !strings.Contains(err.Error(), "no such directory") {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	_, err := Find("zzzzzzzz")
	if err == nil || !strings.Contains(err.Error(), "known scenes: 4seasons, ") {
		t.Errorf("without a near one, all are named: %v", err)
	}
}

func TestDataRoot(t *testing.T) {
	t.Setenv("LOCBENCH_DATA", "/env")
	t.Setenv("XDG_DATA_HOME", "/xdg")
	t.Setenv("HOME", "/home/me")
	check := func(dir, want string) {
		t.Helper()
		if got, err := DataRoot(dir); err != nil || got != filepath.FromSlash(want) {
			t.Errorf("DataRoot(%q) = %q, %v, want %q", dir, got, err, want)
		}
	}
	check("/flag", "/flag")
	check("", "/env")
	t.Setenv("LOCBENCH_DATA", "")
	check("", "/xdg/locbench")
	t.Setenv("XDG_DATA_HOME", "relative")
	check("", "/home/me/.local/share/locbench")
}

func TestHowToGet(t *testing.T) {
	demo, err := Find("demo")
	if err != nil {
		t.Fatal(err)
	}
	want := "locbench scenes generate '/my data/demo' --mapping 120 --queries 60 --size 320x240 --seed 0"
	if got := demo.HowToGet("/my data/demo"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestCards holds every embedded card against what a user needs of it.
func TestCards(t *testing.T) {
	cards, err := List()
	if err != nil {
		t.Fatal(err)
	}
	if len(cards) < 30 {
		t.Errorf("%d cards, want at least 30", len(cards))
	}
	for _, c := range cards {
		for what, text := range map[string]string{"title": c.Title, "description": c.Description, "licence": c.Licence} {
			if text == "" {
				t.Errorf("%s has no %s", c.Name, what)
			}
		}
		if c.Generate != nil {
			continue
		}
		if c.Citation == "" || len(c.Sources) == 0 {
			t.Errorf("%s names no citation or no source", c.Name)
		}
		for _, s := range c.Sources {
			if u, err := url.Parse(s.URL); err != nil || u.Host == "" || s.Title == "" {
				t.Errorf("%s: source %+v", c.Name, s)
			}
		}
		if c.Expected != nil {
			for split := range c.Expected.Splits {
				if !slices.Contains(c.Splits(), split) && !slices.ContainsFunc(c.Groups, func(g Group) bool { return g.Split == split }) {
					t.Errorf("%s expects queries in %s, which is no split", c.Name, split)
				}
			}
		}
	}
	for _, alias := range []string{"aachen", "robotcar", "baidu", "gangnam_b2"} {
		if _, err := Find(alias); err != nil {
			t.Error(err)
		}
	}
}

// TestRobotCarSplits sorts image names of RobotCar Seasons into conditions.
func TestRobotCarSplits(t *testing.T) {
	card, err := Find("robotcar")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"dawn/rear/1418132416737115.jpg": "dawn", "night/rear/1.jpg": "night", "night-rain/rear/1.jpg": "night-rain",
		"overcast-summer/rear/2.jpg": "overcast-summer", "images/sun/rear/3.jpg": "sun", "dawn/left/1.jpg": "", "rain/right/1.jpg": "",
	} {
		got := ""
		for _, q := range card.Queries {
			match, err := compilePattern(q.Pattern)
			if err != nil {
				t.Fatal(err)
			}
			if match(name) {
				got = q.Split
				break
			}
		}
		if got != want {
			t.Errorf("%s is in split %q, want %q", name, got, want)
		}
	}
}

// TestCardsInIndex: the archives that the cards name are in kapture's index.
func TestCardsInIndex(t *testing.T) {
	text, err := os.ReadFile("testdata/index_names.txt")
	if err != nil {
		t.Fatal(err)
	}
	index := Index{}
	for _, name := range strings.Fields(string(text)) {
		index[name] = IndexEntry{}
	}
	cards, err := List()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, c := range cards {
		names, err := index.match(c.Archives)
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
		found[c.Name] = len(names)
	}
	for name, want := range map[string]int{"RobotCar_Seasons-v1": 9 + 49 + 22, "RobotCar_Seasons-v2": 49 + 22, "InLoc": 2, "Aachen-Day-Night-v1.1": 10, "demo": 0} {
		if found[name] != want {
			t.Errorf("%s: want %d archives, found %d", name, want, found[name])
		}
	}
}
