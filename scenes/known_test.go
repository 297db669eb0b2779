package scenes

import (
	"errors"
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
	if err == nil || !strings.Contains(err.Error(), "known scenes: demo, ") {
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
