package weights_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"locbench/kapture/kapturetest"
	"locbench/retrieval/weights"
)

// network makes a checkpoint that has the tensors of its network.
func network(t *testing.T, c *weights.Checkpoint) *weights.Checkpoint {
	t.Helper()
	specs, err := c.Expect()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range specs {
		c.Tensors = append(c.Tensors, &weights.Tensor{Name: s.Name, Shape: s.Shape, DType: weights.Float32})
	}
	return c
}

// TestExpectGolden compares names, order and shapes with PyTorch's state dicts.
func TestExpectGolden(t *testing.T) {
	for _, arch := range []string{"resnet18_rmac", "resnet50_rmac", "resnet101_rmac"} {
		t.Run(arch, func(t *testing.T) {
			var want struct {
				OutDim int `json:"out_dim"`
				Keys   []struct {
					Key   string `json:"key"`
					Shape []int  `json:"shape"`
				}
			}
			kapturetest.SharedJSON(t, &want, "golden", "descriptors", "weights_"+arch+".json")
			specs, err := (&weights.Checkpoint{Arch: arch, OutDim: want.OutDim, Pooling: "gem"}).Expect()
			if err != nil {
				t.Fatal(err)
			}
			var names, wantNames []string
			for _, s := range specs {
				names = append(names, s.String())
			}
			for _, k := range want.Keys {
				wantNames = append(wantNames, weights.Spec{Name: k.Key, Shape: k.Shape}.String())
			}
			if diff := cmp.Diff(wantNames, names); diff != "" || len(names) < 100 {
				t.Errorf("%d tensors: %s", len(names), diff)
			}
		})
	}
}

// TestParameters compares with the numbers that torchvision publishes.
func TestParameters(t *testing.T) {
	for arch, want := range map[string]int64{"resnet18": 11_689_512, "resnet50": 25_557_032, "resnet101": 44_549_160, "resnet152": 60_192_808} {
		c := network(t, &weights.Checkpoint{Arch: arch, OutDim: 1000, Pooling: "avg"})
		if got := c.Parameters(); got != want {
			t.Errorf("%s: want %d parameters, found %d", arch, want, got)
		}
	}
}

func TestExpectRefused(t *testing.T) {
	for _, arch := range []string{"resnet50_fpn_rmac", "resnet101_fpn0_rmac", "senet154_rmac", "vgg16", ""} {
		_, err := (&weights.Checkpoint{Path: "x.pt", Arch: arch}).Expect()
		if e := (*weights.FormatError)(nil); !errors.As(err, &e) || !strings.Contains(err.Error(), arch) || strings.Contains(arch, "fpn") != strings.Contains(err.Error(), "FPN") {
			t.Errorf("want an error that names %q, found %v", arch, err)
		}
	}
}

func TestCheck(t *testing.T) {
	c := network(t, &weights.Checkpoint{Arch: "resnet18_rmac", OutDim: 16, Pooling: "gem"})
	d, err := c.Check()
	if err != nil || d.Err("x.pt") != nil || len(d.Surplus) != 0 {
		t.Errorf("want no differences, found %v, %v", d, err)
	}
	kept := c.Tensors[:0]
	for _, tensor := range c.Tensors {
		switch tensor.Name {
		case "bn1.bias", "bn1.num_batches_tracked", "adpool.p": // the last two may be missing
			continue
		case "fc.weight":
			tensor.Shape = []int{16, 2048}
		}
		kept = append(kept, tensor)
	}
	c.Tensors = append(kept, &weights.Tensor{Name: "extra", Shape: []int{3}})
	d, err = c.Check()
	if err != nil {
		t.Fatal(err)
	}
	want := &weights.Differences{
		Missing:  []weights.Spec{{Name: "bn1.bias", Shape: []int{64}}},
		Surplus:  []weights.Spec{{Name: "extra", Shape: []int{3}}},
		Reshaped: []weights.Reshaped{{Name: "fc.weight", Want: []int{16, 512}, Found: []int{16, 2048}}},
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
	message := "x.pt: want tensor bn1.bias [64], found none\nx.pt: want tensor fc.weight of shape [16 512], found [16 2048]"
	if got := d.Err("x.pt").Error(); got != message {
		t.Errorf("want %q, found %q", message, got)
	}
	c.Tensors = nil
	d, err = c.Check()
	if err != nil || !strings.HasSuffix(d.Err("x.pt").Error(), "and 92 more") {
		t.Errorf("want ten missing tensors and how many more, found %v, %v", d.Err("x.pt"), err)
	}
}

// TestPlain checks what is worked out for a state dict alone, as torchvision's
// files are.
func TestPlain(t *testing.T) {
	tests := map[string]struct {
		arch             string
		out              int // rows of fc.weight, 0: none
		pooling          string
		wantOut          int
		wantWithoutFC    bool
		wantSurplusCount int
	}{
		"classifier": {"resnet50", 1000, "avg", 2048, true, 2},
		"deepest":    {"resnet152", 1000, "avg", 2048, true, 2},
		"retrieval":  {"resnet18", 1000, "gem", 1000, false, 0},
		"smaller fc": {"resnet18", 64, "avg", 64, false, 0},
		"no fc":      {"resnet101", 0, "avg", 2048, true, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			specs, err := (&weights.Checkpoint{Arch: test.arch, OutDim: test.out, WithoutFC: test.out == 0, Pooling: test.pooling}).Expect()
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "plain.safetensors")
			writeSparse(t, path, specs)
			got := open(t, path)
			if got.Arch != test.arch || got.OutDim != test.wantOut || got.WithoutFC != test.wantWithoutFC {
				t.Errorf("want %s, %d dimensions, without fc %v; found %s, %d, %v", test.arch, test.wantOut, test.wantWithoutFC, got.Arch, got.OutDim, got.WithoutFC)
			}
			d, err := got.Check()
			if err != nil || d.Err("") != nil || len(d.Surplus) != test.wantSurplusCount {
				t.Errorf("want %d surplus tensors, found %v, %v", test.wantSurplusCount, d, err)
			}
		})
	}
}

// writeSparse writes a plain safetensors file of tensors of zero bytes, which
// take no room on the disk.
func writeSparse(t *testing.T, path string, specs []weights.Spec) {
	t.Helper()
	header, at := "{", 0
	for i, s := range specs {
		shape, err := json.Marshal(s.Shape)
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			header += ","
		}
		header += fmt.Sprintf(`"%s":{"dtype":"U8","shape":%s,"data_offsets":[%d,%d]}`, s.Name, shape, at, at+count(s.Shape))
		at += count(s.Shape)
	}
	head := safetensors(header+"}", 0)
	if err := os.WriteFile(path, []byte(head), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, int64(len(head)+at)); err != nil {
		t.Fatal(err)
	}
}
