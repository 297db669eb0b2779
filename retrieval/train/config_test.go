package train

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.yaml")
	text := "model:\n  arch: resnet18\ndata:\n  path: images\naugment:\n  size: 64\nloss:\n  bins: 10\n"
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	c, err := ReadConfig(path, []string{"loss.min=0", "augment.erase=0", "steps=7"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Loss.Bins != 10 || c.Loss.Min != 0 || c.Loss.Max != 1 || c.Steps != 7 || c.Data.MinPerClass != 2 {
		t.Errorf("read %+v", c)
	}
	if c.Augment.ScaleMax != 96 || c.Augment.Erase != 0 {
		t.Errorf("augment is %+v: its defaults follow from the size", c.Augment)
	}
	out, err := c.encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, out, 0o666); err != nil {
		t.Fatal(err)
	}
	again, err := ReadConfig(path, nil)
	if err != nil {
		t.Fatalf("the resolved settings cannot be read: %v\n%s", err, out)
	}
	second, err := again.encode()
	if err != nil || string(second) != string(out) {
		t.Errorf("settings that were written and read are\n%s\nwant\n%s", second, out)
	}
}

func TestBadConfig(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		set  []string
		want []string
	}{
		"unknown key":      {text: "loss:\n  binz: 3\n", want: []string{`c.yaml:2: unknown key "binz"`, "bins"}},
		"unknown in --set": {set: []string{"los.bins=3"}, want: []string{`--set los.bins=3:1: unknown key "los"`, "loss"}},
		"no value":         {set: []string{"steps"}, want: []string{"want KEY=VALUE"}},
		"wrong type":       {set: []string{"steps=many"}, want: []string{"want a whole number, found text"}},
		"no data":          {text: "model: {arch: resnet18}\n", want: []string{"data: path: want a file or folder, found none"}},
		"bad loss":         {text: "model: {arch: resnet18}\ndata: {path: x}\nloss:\n  name: aploss\n", want: []string{"c.yaml:4: loss: name: want one of", `found "aploss"`}},
		"no network":       {text: "data: {path: x}\n", want: []string{"model: want from"}},
		"no steps":         {text: "data: {path: x}\nmodel: {arch: resnet18}\nsteps: 0\n", want: []string{"c.yaml:3: steps: want at least 1, found 0"}},
		"mining":           {text: "data: {path: x}\nmodel: {arch: resnet18}\nmining: {every: 5, negatives: 9}\nsampler: {batch: 8}\n", want: []string{"want a sampler.batch of at least 11"}},
		"not a loss range": {text: "data: {path: x}\nmodel: {arch: resnet18}\nloss: {min: 1, max: 0}\n", want: []string{"want -2 ≤ min < max ≤ 2, found 1 and 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := ""
			if c.text != "" {
				path = filepath.Join(t.TempDir(), "c.yaml")
				if err := os.WriteFile(path, []byte(c.text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			_, err := ReadConfig(path, c.set)
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want one with %q", err, want)
				}
			}
		})
	}
}

func TestRate(t *testing.T) {
	c := DefaultConfig()
	c.Steps, c.Optimizer.LearningRate, c.Optimizer.Warmup = 4, 1, 2
	for step, want := range []float64{0.5, 0.75, 0.5, 0.25} {
		if got := c.rate(step); got != want {
			t.Errorf("rate of step %d is %g, want %g", step, got, want)
		}
	}
}
