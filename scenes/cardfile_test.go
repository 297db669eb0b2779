package scenes

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"locbench/kapture"
	"locbench/kapture/geom"
)

const goodCard = `name: place
title: A place
mapping: [mapping]
queries:
  - {dir: query_day, split: day}
  - {dir: query_night, split: night, pattern: "night/*.jpg"}
thresholds: [[0.25, 2], [0.5, 5]]
recall_thresholds: [[10, 45], [5, 30]]
submission: robotcar
licence: LICENSE.txt
citation: nobody
sources: [{title: here, url: "https://example.org", note: by hand}]
`

func TestParseCard(t *testing.T) {
	got, err := parseCard("scene.yaml", []byte(goodCard))
	if err != nil {
		t.Fatal(err)
	}
	want := &Card{
		Name: "place", Kind: KindLocalization, Title: "A place", Mapping: []string{"mapping"},
		Queries:    []QuerySet{{Dir: "query_day", Split: "day"}, {Dir: "query_night", Split: "night", Pattern: "night/*.jpg"}},
		Features:   []string{"."},
		Thresholds: []geom.Threshold{{Meters: 0.25, Degrees: 2}, {Meters: 0.5, Degrees: 5}},
		RecallThresholds: []geom.Threshold{
			{Meters: 5, Degrees: 30}, {Meters: 25, Degrees: 180}, {Meters: 10, Degrees: 45}},
		Submission: StyleRobotCar, Licence: "LICENSE.txt", Citation: "nobody",
		Sources: []Source{{Title: "here", URL: "https://example.org", Note: "by hand"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("card (-want +got):\n%s", diff)
	}
	if got := got.Splits(); !slices.Equal(got, []string{"day", "night"}) {
		t.Errorf("splits: %v", got)
	}
}

func TestParseCardErrors(t *testing.T) {
	tests := []struct {
		name, old, new string // goodCard with old replaced by new
		want           []string
	}{
		{"unknown key", "thresholds: [[0", "threshold: [[0",
			[]string{`scene.yaml:7: unknown key "threshold"; did you mean thresholds?`}},
		{"two unknown keys", "{dir: query_day, split: day}\n", "{dri: query_day, split: day}\nfrobnicate: 1\n",
			[]string{`scene.yaml:5: unknown key "dri"; did you mean dir?`, `scene.yaml:6: unknown key "frobnicate"; want one of name, kind, title,`}},
		{"key alone in a block", "  - {dir: query_day, split: day}\n", "  - dirs: query_day\n",
			[]string{`scene.yaml:5: unknown key "dirs"; did you mean dir?`}},
		{"no thresholds", "thresholds: [[0.25, 2], [0.5, 5]]\nrecall_", "recall_",
			[]string{"scene.yaml: want thresholds: the scene's own, such as [[0.25, 2], [0.5, 5], [5, 10]] (metres, degrees), found none"}},
		{"threshold of one number", "[0.5, 5]", "[0.5]",
			[]string{"scene.yaml:7: thresholds: want [metres, degrees], found 1 values"}},
		{"negative threshold", "[0.5, 5]", "[-0.5, 5]",
			[]string{"scene.yaml:7: thresholds: want two positive numbers (metres, degrees), found [-0.5 5]"}},
		{"infinite threshold", "[0.5, 5]", "[.inf, 5]", []string{"scene.yaml:7: thresholds: want two positive numbers"}},
		{"threshold twice", "[0.5, 5]", "[0.25, 2]", []string{"scene.yaml:7: thresholds: [0.25 2] comes twice"}},
		{"threshold is a word", "[0.5, 5]", "[near, 5]", []string{"scene.yaml:7: "}},
		{"submission", "robotcar", "robot-car",
			[]string{`scene.yaml:9: submission: want one of default, robotcar, full-path, rio10, found "robot-car"; did you mean robotcar?`}},
		{"split all", "split: day", "split: all", []string{"scene.yaml:5: queries: split: want", "found \"all\""}},
		{"bad glob", `"night/*.jpg"`, `"night/["`, []string{`scene.yaml:6: queries: pattern "night/[": want a glob such as night/*.jpg: syntax error in pattern`}},
		{"bad regexp", `"night/*.jpg"`, `"/night(/"`, []string{`scene.yaml:6: queries: pattern "/night(/": want a regular expression between the slashes`}},
		{"query without dir", "{dir: query_day, split: day}", "{split: day}", []string{"scene.yaml:5: queries: want dir"}},
		{"several at once", "name: place", "name: a/b\nsubmission: x", []string{"scene.yaml:"}},
		{"no mapping", "mapping: [mapping]\n", "", []string{"scene.yaml: want mapping: the folders of the mapping datasets, found none"}},
		{"not YAML", "title: A place", "title: [A place", []string{"scene.yaml:"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(goodCard, tt.old, tt.new, 1)
			if text == goodCard {
				t.Fatalf("%q is not in the card", tt.old)
			}
			_, err := parseCard("scene.yaml", []byte(text))
			if err == nil {
				t.Fatal("no error")
			}
			if _, ok := errors.AsType[*kapture.InputError](err); !ok {
				t.Errorf("%T is no InputError", err)
			}
			for _, w := range tt.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("message lacks %q:\n%v", w, err)
				}
			}
		})
	}
}

func TestParseCardNotACard(t *testing.T) {
	for _, text := range []string{"", "# only a comment\n", "- a\n- b\n", "just text", "a: &a [*a]", "\x00", "name: *x"} {
		_, err := parseCard("s.yaml", []byte(text))
		if _, ok := errors.AsType[*kapture.InputError](err); !ok {
			t.Errorf("%q: want an InputError, got %v", text, err)
		}
	}
}

func TestPattern(t *testing.T) {
	tests := []struct {
		pattern, name string
		want          bool
	}{
		{"", "any/thing.jpg", true},
		{"night/*", "night/1.jpg", true},
		{"night/*", "night/rear/1.jpg", false},
		{"*/rear/*", "night/rear/1.jpg", true},
		{"/^night/", "night-rain/rear/1.jpg", true},
		{"/^night$/", "night-rain/rear/1.jpg", false},
		{"/(dawn|dusk)/rear/", "dusk/rear/1.jpg", true},
		{"/n/", "one.jpg", true},
		{"/n/", "two.jpg", false},
	}
	for _, tt := range tests {
		match, err := compilePattern(tt.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := match(tt.name); got != tt.want {
			t.Errorf("pattern %s, name %s: got %v", tt.pattern, tt.name, got)
		}
	}
}

func TestPlainName(t *testing.T) {
	for name, want := range map[string]bool{
		"day": true, "A-Z_a-z.0-9": true, "z": true, "Z": true, "9": true, "_": true,
		"": false, ".day": false, "-day": false, "a b": false, "a/b": false, "ä": false, "a,b": false,
	} {
		if got := plainName(name); got != want {
			t.Errorf("%q: want %v, found %v", name, want, got)
		}
	}
}

func TestSplitsOnce(t *testing.T) {
	c := Card{Queries: []QuerySet{{Split: "night"}, {Split: "day"}, {}, {Split: "night"}}}
	if got := c.Splits(); !slices.Equal(got, []string{"night", "day"}) {
		t.Errorf("want night and day, found %v", got)
	}
}

func FuzzParseCard(f *testing.F) {
	f.Add([]byte(goodCard))
	f.Add([]byte("thresholds: [[1"))
	f.Add([]byte("a: {b: [c, &d e]}\n? f\n: *d"))
	f.Fuzz(func(t *testing.T, text []byte) {
		card, err := parseCard("s.yaml", text)
		if err == nil && len(card.Mapping) > 0 && len(card.Thresholds) == 0 {
			t.Errorf("a card without thresholds passed")
		}
	})
}
