package extract

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"locbench/kapture"
	"locbench/retrieval/weights"
)

func TestPresets(t *testing.T) {
	for protocol, want := range map[string]string{
		"":              "original size, no whitening",
		ProtocolKapture: "protocol kapture: original size, no whitening",
		ProtocolEval:    "protocol eval: original size, whitening Landmarks_clean at power 0.25",
		ProtocolHLOC:    "protocol hloc: longer side at most 1024 px (box), whitening Landmarks_clean at power 0.25",
	} {
		s, err := Preset(protocol)
		if err != nil || s.Summary() != want || s.Check() != nil {
			t.Errorf("%q: got %q, %v, want %q", protocol, s.Summary(), err, want)
		}
	}
	s, err := Preset(ProtocolEval)
	if err != nil {
		t.Fatal(err)
	}
	s.Scales, s.WhitenDim, s.EXIF = []float64{1, 0.5}, 128, true
	want := "protocol eval (changed): original size, turned by EXIF, scales 1, 0.5 pooled by gem 3, whitening Landmarks_clean at power 0.25 to 128 dimensions"
	if got := s.Summary(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := Preset("delf"); err == nil || !strings.Contains(err.Error(), "eval, kapture, hloc") {
		t.Errorf("got %v", err)
	}
}

// TestRefused are choices that make no sense, or that the model cannot meet.
func TestRefused(t *testing.T) {
	path := model(t, "resnet18", tinyDim)
	for want, change := range map[string]func(*Settings){
		"found none":                         func(s *Settings) { s.Scales = nil },
		"found 0":                            func(s *Settings) { s.Scales = []float64{1, 0} },
		`unknown pooling of scales "max"`:    func(s *Settings) { s.Pool = "max" },
		"GeM exponent":                       func(s *Settings) { s.GemP = 0 },
		"whitening power":                    func(s *Settings) { s.WhitenPower = -1 },
		"whitening factor":                   func(s *Settings) { s.WhitenMult = 0 },
		"largest side":                       func(s *Settings) { s.MaxSize = -1 },
		"want a PCA set":                     func(s *Settings) { s.WhitenDim = 3 },
		"resnet18.safetensors has Landmarks": func(s *Settings) { s.Whiten = "Landmarks_full" },
		"PCA set Landmarks_clean":            func(s *Settings) { s.Whiten, s.WhitenDim = landmarksClean, 9 },
	} {
		s := Defaults()
		change(&s)
		_, err := Inspect(path, s)
		if _, ok := errors.AsType[*OptionError](err); !ok || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestWrongCheckpoints: a network that is not ours, and one that lacks tensors.
func TestWrongCheckpoints(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, c *weights.Checkpoint) string {
		path := filepath.Join(dir, name)
		if err := weights.WriteSafetensors(path, c); err != nil {
			t.Fatal(err)
		}
		return path
	}
	c, err := weights.Open(model(t, "resnet18", tinyDim))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	lacking := *c
	lacking.Tensors = slices.DeleteFunc(slices.Clone(c.Tensors), func(t *weights.Tensor) bool {
		return t.Name == "layer2.0.conv1.weight" || t.Name == "fc.bias"
	})
	fpn := *c
	fpn.Arch = "resnet101_fpn_rmac"
	truncated := filepath.Join(dir, "cut.safetensors")
	whole, err := os.ReadFile(model(t, "resnet18", tinyDim))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(truncated, whole[:len(whole)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	for path, wants := range map[string][]string{
		write("lacking", &lacking): {"layer2.0.conv1.weight [128 64 3 3]", "fc.bias [16]"},
		write("fpn", &fpn):         {"resnet101_fpn_rmac"},
		truncated:                  {truncated},
	} {
		_, err := Inspect(path, Defaults())
		if _, ok := errors.AsType[*weights.FormatError](err); !ok {
			t.Errorf("got %v", err)
			continue
		}
		for _, want := range wants {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		}
	}
}

func TestLists(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.JPG", "a/x.png", "notes.txt", ".hidden/y.png", ".z.jpg"} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, nil, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	images, err := FromFolder(dir)
	if err != nil || len(images) != 2 || images[0].Name != "a/x.png" || images[1].File != filepath.Join(dir, "b.JPG") {
		t.Errorf("got %v, %v", images, err)
	}
	list := filepath.Join(dir, "list.txt")
	if err := os.WriteFile(list, []byte("# mine\r\nb.JPG\r\n\n/c.jpg\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	images, err = FromList(list)
	if err != nil || len(images) != 2 || images[0] != (Image{Name: "b.JPG", File: filepath.Join(dir, "b.JPG")}) || images[1].File != "/c.jpg" {
		t.Errorf("got %v, %v", images, err)
	}
	if err := os.WriteFile(list, []byte("\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, errList := FromList(list)
	_, errFolder := FromFolder(t.TempDir())
	_, errKapture := FromKapture(t.TempDir())
	for _, err := range []error{errList, errFolder, errKapture} {
		if _, ok := errors.AsType[*kapture.InputError](err); !ok {
			t.Errorf("got %v", err)
		}
	}
}
