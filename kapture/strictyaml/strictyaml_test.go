package strictyaml

import (
	"strings"
	"testing"
)

type outer struct {
	Name  string `yaml:"name"`
	Inner struct {
		Count int     `yaml:"count"`
		Rate  float64 `yaml:"rate"`
		Seed  uint64  `yaml:"-"`
	} `yaml:"inner"`
	List []string `yaml:"list"`
}

func TestDefaultsStay(t *testing.T) {
	var o outer
	o.Name, o.Inner.Count, o.Inner.Rate = "kept", 7, 0.5
	file, err := Decode("x.yaml", []byte("list: [a]\ninner:\n  count: 8\n"), &o)
	if err != nil {
		t.Fatal(err)
	}
	if o.Name != "kept" || o.Inner.Count != 8 || o.Inner.Rate != 0.5 || len(o.List) != 1 {
		t.Errorf("decoded %+v: what is not mentioned must stay", o)
	}
	if line := Line(file, "$.inner.count"); line != 3 {
		t.Errorf("inner.count is on line %d, want 3", line)
	}
	if line := Line(file, "$.name"); line != 0 {
		t.Errorf("name, which is not there, is on line %d, want 0", line)
	}
}

func TestErrors(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unknown":       {"nane: x\n", `x.yaml:1: unknown key "nane"; did you mean`},
		"unknown below": {"inner:\n  count: 1\n  cuont: 2\n", "x.yaml:3: unknown key"},
		"one below":     {"inner:\n  cuont: 2\n", "x.yaml:2: unknown key"},
		"not settable":  {"inner:\n  seed: 2\n", `x.yaml:2: unknown key "seed"`},
		"type":          {"inner:\n  count: many\n", `x.yaml:2: want a whole number, found text at "many"`},
		"two documents": {"name: a\n---\nname: b\n", "want one document, found 2"},
		"empty":         {"", "found an empty file"},
		"broken":        {"name: [", "x.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			var o outer
			_, err := Decode("x.yaml", []byte(c.text), &o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}
