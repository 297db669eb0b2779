package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"locbench/kapture/kapturetest"
	"locbench/retrieval/weights"
)

// writeModel writes a checkpoint of a ResNet-18 whose weights are made up.
func writeModel(t *testing.T, path string) {
	t.Helper()
	c := &weights.Checkpoint{
		Arch: "resnet18_rmac", OutDim: 16, Pooling: "gem", GemP: 3, Mean: [3]float64{0.485, 0.456, 0.406}, Std: [3]float64{0.229, 0.224, 0.225},
		PCA: map[string]*weights.PCA{"Landmarks_clean": {
			Mean: make([]float64, 16), Components: make([]float64, 32), Variance: []float64{2, 1}, Whiten: true, DType: weights.Float32,
		}},
	}
	c.PCA["Landmarks_clean"].Components[0], c.PCA["Landmarks_clean"].Components[17] = 1, 1
	specs, err := c.Expect()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range specs {
		c.Tensors = append(c.Tensors, weights.NewTensor(s.Name, s.Shape, madeUp(s)))
	}
	if err := weights.WriteSafetensors(path, c); err != nil {
		t.Fatal(err)
	}
}

// madeUp gives a tensor values with which a network computes something.
func madeUp(s weights.Spec) []float32 {
	n := 1
	for _, d := range s.Shape {
		n *= d
	}
	values := make([]float32, n)
	for i := range values {
		switch {
		case s.Name == "adpool.p":
			values[i] = 3
		case len(s.Shape) > 1:
			values[i] = float32(i*7919%1000)/10000 - 0.05
		case strings.HasSuffix(s.Name, ".weight") || strings.HasSuffix(s.Name, ".running_var"):
			values[i] = 1
		}
	}
	return values
}

func TestModelInfo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.safetensors")
	writeModel(t, path)
	out := mustRun(t, "model", "info", path)
	for _, want := range []string{"safetensors", "resnet18_rmac", "16 values; pooling gem p 3, linear layer fc", "PCA set Landmarks_clean", "2 components of 16 values, float32, whiten true",
		"123, 11,184,721 parameters", "missing", "surplus"} {
		if !strings.Contains(out, want) {
			t.Errorf("want %q, found\n%s", want, out)
		}
	}
	if strings.Contains(out, "layer4.1.bn2.running_var") {
		t.Error("want the tensors with --verbose only")
	}
	if out := mustRun(t, "model", "info", path, "--verbose"); !strings.Contains(out, "layer4.1.conv2.weight") || !strings.Contains(out, "float32 [512 512 3 3]") {
		t.Errorf("want the tensors, found\n%s", out)
	}
}

// TestModelOfAnotherNetwork checks that what does not fit is named.
func TestModelOfAnotherNetwork(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.safetensors")
	c := &weights.Checkpoint{Arch: "resnet18_rmac", OutDim: 2, Pooling: "gem", Std: [3]float64{1, 1, 1}, Tensors: []*weights.Tensor{
		weights.NewTensor("fc.weight", []int{2, 3}, make([]float32, 6)), weights.NewTensor("other", []int{1}, make([]float32, 1)),
	}}
	write := func() {
		if err := weights.WriteSafetensors(path, c); err != nil {
			t.Fatal(err)
		}
	}
	write()
	out, stderr, code := locbench(t, "model", "info", path)
	for _, want := range []string{"  conv1.weight", "[64 3 7 7]", "  and 91 more", "[2 3], want [2 512]", "  other"} {
		if !strings.Contains(out, want) {
			t.Errorf("want %q, found\n%s", want, out)
		}
	}
	if want := "want the tensors of resnet18_rmac, found 101 missing and 1 of another shape"; code != exitInvalid || !strings.Contains(stderr, want) {
		t.Errorf("want exit code 3 with %q, found %d: %s", want, code, stderr)
	}
	if _, stderr, code := locbench(t, "model", "convert", path, path); code != exitDone || !strings.Contains(stderr, "the network cannot be built") {
		t.Errorf("want a warning, found %d: %s", code, stderr)
	}
	c.Arch = "resnet50_fpn_rmac"
	write()
	for _, args := range [][]string{{"model", "info", path}, {"model", "convert", path, filepath.Join(t.TempDir(), "x.safetensors")}} {
		_, stderr, code := locbench(t, args...)
		if code != exitInvalid || !strings.Contains(stderr, "found resnet50_fpn_rmac: feature pyramids (FPN) are not supported") {
			t.Errorf("%v: want the network refused by name, found %d: %s", args, code, stderr)
		}
	}
}

func TestModelConvert(t *testing.T) {
	dir := t.TempDir()
	path, again := filepath.Join(dir, "model.safetensors"), filepath.Join(dir, "again.safetensors")
	writeModel(t, path)
	if out := mustRun(t, "model", "convert", path, again); !strings.Contains(out, "123 tensors; PCA sets: Landmarks_clean") {
		t.Errorf("want what was written, found %q", out)
	}
	files := tree(t, dir)
	if files["model.safetensors"] != files["again.safetensors"] {
		t.Error("want the same bytes again")
	}
}

// TestModelGolden runs the commands on PyTorch's files.
func TestModelGolden(t *testing.T) {
	golden := kapturetest.Shared(t, "golden", "checkpoint")
	out, _, code := locbench(t, "model", "info", filepath.Join(golden, "ckpt_legacy.pt"))
	for _, want := range []string{"PyTorch legacy", "resnet18_rmac", "option gemp", "PCA set Landmarks_clean", "8 components of 8 values, float64, whiten true", "epoch"} {
		if !strings.Contains(out, want) {
			t.Errorf("want %q, found\n%s", want, out)
		}
	}
	if code != exitInvalid { // its tensors are too few for a network
		t.Errorf("want exit code 3, found %d", code)
	}
	for name, want := range map[string]string{
		"malicious_zip.pt": `byte 82: want data only, found the global "posix.system"`, "malicious_eval_legacy.pt": `"__builtin__.eval"`,
		"broken_truncated_zip.pt": "byte 5900", "broken_truncated_legacy.pt": "byte 4764",
	} {
		target := filepath.Join(t.TempDir(), "out.safetensors")
		for _, args := range [][]string{{"model", "info", filepath.Join(golden, name)}, {"model", "convert", filepath.Join(golden, name), target}} {
			if _, stderr, code := locbench(t, args...); code != exitInvalid || !strings.Contains(stderr, name) || !strings.Contains(stderr, want) {
				t.Errorf("%v: want exit code 3 with %s, found %d: %s", args, want, code, stderr)
			}
		}
		if _, err := os.Stat(target); err == nil {
			t.Errorf("%s: want no file written", name)
		}
	}
	if _, err := os.Stat("/tmp/pwned"); err == nil {
		t.Error("/tmp/pwned is there: code in a checkpoint was run")
	}
}
