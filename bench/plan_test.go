package bench

import (
	"errors"
	"fmt"
	"locbench/bench/record"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"locbench/kapture"
	"locbench/scenes"
)

func openToy(t *testing.T) *scenes.Scene {
	t.Helper()
	scene, err := scenes.Open(toyScene(t), scenes.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return scene
}

// TestChoicesThatCannotBeMet wants each refused as wrong usage, in words that
// help.
func TestChoicesThatCannotBeMet(t *testing.T) {
	scene := openToy(t)
	named := func(name string) func(*Options) {
		return func(o *Options) { o.Pairs = []PairsFile{{name, "p.txt"}} }
	}
	for _, tt := range []struct {
		change func(*Options)
		want   string
	}{
		{func(o *Options) { o.Out = "" }, "want a run directory, found none"},
		{func(o *Options) { o.Methods = []string{"ewb", "pnp"} }, `unknown method "pnp": this version has ewb, bdi, csi`},
		{func(o *Options) { o.TopK = []int{5, 0} }, "want top k of at least 1, found 0"},
		{func(o *Options) { o.CSIAlpha = -0.5 }, "want a CSI alpha of at least 0, found -0.5"},
		{named("a/b"), `want a plain name for the pairs file p.txt, found "a/b"`},
		{named(`a\b`), `want a plain name for the pairs file p.txt, found "a\\b"`},
		{named(".."), `want a plain name for the pairs file p.txt, found ".."`},
		{named("."), `want a plain name for the pairs file p.txt, found "."`},
		{named(""), `want a plain name for the pairs file p.txt, found ""`},
		{func(o *Options) { o.Features = []string{"toys"} }, `unknown global feature "toys": the scene has toy; tiny-image`},
		{func(o *Options) { o.Features = []string{"toy", "toy"} }, `two features are named "toy"`},
		{func(o *Options) { o.Features, o.Pairs = []string{"toy"}, []PairsFile{{"toy", "p.txt"}} }, `two features are named "toy"`},
	} {
		o := Options{Out: "run"}
		tt.change(&o)
		_, err := NewPlan(scene, o)
		if _, ok := errors.AsType[*UsageError](err); !ok || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("want a usage error %q, found %v", tt.want, err)
		}
	}
}

// TestDefaultTopK takes the usual numbers as far as there are mapping images,
// and names the others.
func TestDefaultTopK(t *testing.T) {
	p, err := NewPlan(openToy(t), Options{Out: "run"})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(p.topk); got != "[{1 1 } {2 2 } {3 3 } {4 4 }]" {
		t.Errorf("of 4 mapping images: found %s", got)
	}
	var left []string
	for _, l := range p.leftOut {
		left = append(left, l.Kind+" "+l.Name+": "+l.Reason)
	}
	want := []string{"method local-sfm: the scene has no local features", "method local-sfm+: the scene has no local features", "method global-map: the scene has no local features",
		"topk 5: there are 4 mapping images", "topk 10: there are 4 mapping images", "topk 20: there are 4 mapping images", "topk 50: there are 4 mapping images"}
	if !slices.Equal(left, want) {
		t.Errorf("want %q left out, found %q", want, left)
	}
	if len(p.features) != 1 || p.features[0].kind != kindStored || !slices.Equal(p.o.Methods, []string{"ewb", "bdi", "csi"}) {
		t.Errorf("found features %v and methods %v", p.features, p.o.Methods)
	}
}

// TestTopKThatWasAskedFor stays, in order and once, and uses what there is.
func TestTopKThatWasAskedFor(t *testing.T) {
	p, err := NewPlan(openToy(t), Options{Out: "run", TopK: []int{9, 4, 1, 4}})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(p.topk); got != "[{1 1 } {4 4 } {9 4 uses all 4 mapping images}]" || p.maxK() != 4 || slices.ContainsFunc(p.leftOut, func(l record.LeftOut) bool { return l.Kind == "topk" }) {
		t.Errorf("of 4 mapping images: found %s, the largest %d, left out %v", got, p.maxK(), p.leftOut)
	}
	if w := p.warnings; !slices.Contains(w, "top 9: uses all 4 mapping images") {
		t.Errorf("want a warning about top 9, found %q", w)
	}
}

// TestPairsFilesThatDoNotFit names every line, ten at most.
func TestPairsFilesThatDoNotFit(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		want []string
	}{
		"unknown images": {"\nq0.jpg, m9.jpg, 1\nq0.jpg, m0.jpg, 1\n# why not\nq9.jpg, m0.jpg, 1\n", []string{
			"pairs.txt:3: want a mapping image of the scene with a pose, found m9.jpg", "pairs.txt:6: want a query image of the scene, found q9.jpg"}},
		"turned round":  {"m0.jpg, q0.jpg, 1\n", []string{"pairs.txt:2: want a query image of the scene, found m0.jpg"}},
		"no pairs file": {"q0.jpg m0.jpg\n", []string{"pairs.txt:2: want 3 fields"}},
	} {
		dir := toyScene(t)
		put(t, dir, "pairs.txt", "# kapture format: 1.1\n"+tt.text)
		p := newPlan(t, dir, Options{Out: t.TempDir(), Pairs: []PairsFile{{"mine", filepath.Join(dir, "pairs.txt")}}})
		_, err := p.Run(t.Context())
		if _, ok := errors.AsType[*kapture.InputError](err); !ok {
			t.Errorf("%s: want an input error, found %v", name, err)
			continue
		}
		for _, w := range tt.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: want %q, found\n%v", name, w, err)
			}
		}
	}
}

// TestRetrievePairs ranks by one feature: queries against the map, and the map
// against itself without pairs of an image with itself.
func TestRetrievePairs(t *testing.T) {
	scene := openToy(t)
	for _, tt := range []struct {
		mapping bool
		want    []string
	}{
		{false, []string{"n0.jpg m3.jpg 1", "n0.jpg m0.jpg 0", "q0.jpg m0.jpg 0.8", "q0.jpg m1.jpg 0.6", "q1.jpg m2.jpg 0.8", "q1.jpg m1.jpg 0.6"}},
		{true, []string{"m0.jpg m1.jpg 0", "m0.jpg m2.jpg 0", "m1.jpg m0.jpg 0", "m1.jpg m2.jpg 0", "m2.jpg m0.jpg 0", "m2.jpg m1.jpg 0", "m3.jpg m0.jpg 0", "m3.jpg m1.jpg 0"}},
	} {
		pairs, err := RetrievePairs(t.Context(), scene, PairsOptions{TopK: 2, Mapping: tt.mapping})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range pairs {
			got = append(got, fmt.Sprintf("%s %s %v", p.Query, p.Map, math.Round(p.Score*1e6)/1e6)) // descriptors are float32
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("mapping %v: want %q, found %q", tt.mapping, tt.want, got)
		}
	}
	for _, o := range []PairsOptions{{TopK: 0}, {TopK: 1, Features: []string{"toy", "toy"}}, {TopK: 1, Features: []string{"toys"}}} {
		_, err := RetrievePairs(t.Context(), scene, o)
		if _, ok := errors.AsType[*UsageError](err); !ok {
			t.Errorf("%+v: want a usage error, found %v", o, err)
		}
	}
}
