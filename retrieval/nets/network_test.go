package nets

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"locbench/retrieval/imgio"
)

// TestDescribeIsDeterministic: the same bytes alone, in a batch of other sizes,
// after a larger image, and for any number of jobs.
func TestDescribeIsDeterministic(t *testing.T) {
	images := mixed()
	all := proceduralTensors("resnet18", 40)
	for name, cfg := range headCases() {
		var first []float32
		for _, jobs := range []int{1, 2, 7} {
			b := open(t)
			b.Jobs = jobs
			n, err := New(b, cfg, all)
			if err != nil {
				t.Fatal(err)
			}
			rows, err := n.Describe(t.Context(), images)
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = rows
			}
			if len(rows) != len(images)*n.Dim() || !slices.Equal(rows, first) {
				t.Errorf("%s: %d jobs give another result than 1", name, jobs)
			}
			for i := range images {
				alone, err := n.Describe(t.Context(), images[i:i+1])
				if err != nil {
					t.Fatal(err)
				}
				row := rows[i*n.Dim():][:n.Dim()]
				if !slices.Equal(alone, row) {
					t.Errorf("%s: image %d alone differs from the batch, with %d jobs", name, i, jobs)
				}
				if length := cosine(row, row) * dot(row, row); math.Abs(length-1) > 1e-6 {
					t.Errorf("%s: image %d: want unit length, found %g", name, i, math.Sqrt(length))
				}
			}
		}
	}
}

func dot(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

func TestDescribeNothing(t *testing.T) {
	n := goldenNetwork(t, "resnet18_rmac")
	if rows, err := n.Describe(t.Context(), nil); err != nil || len(rows) != 0 {
		t.Errorf("want no rows, found %v, %v", rows, err)
	}
	_, err := n.Describe(t.Context(), []*imgio.Image{{W: 2, H: 2, Pix: make([]byte, 3)}})
	if err == nil || !strings.Contains(err.Error(), "image 0") {
		t.Errorf("want an error that names image 0, found %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := n.Describe(ctx, mixed()); !errors.Is(err, context.Canceled) {
		t.Errorf("want the context's error, found %v", err)
	}
}

func TestNewErrors(t *testing.T) {
	good := headCases()["gem"]
	change := func(f func(*Config)) Config {
		c := good
		f(&c)
		return c
	}
	all := proceduralTensors("resnet18", 512)
	without := func(name string) Tensors {
		return func(key string) ([]int, []float32, bool) {
			if key == name {
				return nil, nil, false
			}
			return all(key)
		}
	}
	cases := map[string]struct {
		cfg     Config
		tensors Tensors
		want    []string
	}{
		"arch":            {change(func(c *Config) { c.Arch = "vgg16" }), nil, []string{`"vgg16"`, "resnet101"}},
		"pyramid":         {change(func(c *Config) { c.Arch = "resnet50_fpn0_rmac" }), nil, []string{"resnet50_fpn0_rmac", "not supported"}},
		"pooling":         {change(func(c *Config) { c.Pooling = "netvlad" }), without(""), []string{"netvlad", "want gem"}},
		"std":             {change(func(c *Config) { c.Std[1] = 0 }), without(""), []string{"positive standard deviation"}},
		"negative dim":    {change(func(c *Config) { c.OutDim = -1 }), without(""), []string{"positive output dimension"}},
		"missing tensor":  {good, without("layer3.1.conv2.weight"), []string{"layer3.1.conv2.weight", "want shape [256 256 3 3]", "found none"}},
		"no p":            {good, without("adpool.p"), []string{"positive exponent"}},
		"no fc":           {good, without("fc.weight"), []string{"fc.weight", "found none"}},
		"other dimension": {change(func(c *Config) { c.OutDim = 100 }), without(""), []string{"fc.weight", "want shape [100 512], found [512 512]"}},
		"other network":   {change(func(c *Config) { c.Arch = "resnet50" }), without(""), []string{"layer1.0.conv1.weight", "want shape [64 64 1 1], found [64 64 3 3]", "more"}},
		"short data": {good, func(string) ([]int, []float32, bool) { return []int{64, 3, 7, 7}, make([]float32, 5), true },
			[]string{"conv1.weight", "want 9408 values", "found 5"}},
	}
	for name, c := range cases {
		_, err := New(open(t), c.cfg, c.tensors)
		if err == nil {
			t.Errorf("%s: want an error", name)
			continue
		}
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: want an error with %q, found %v", name, part, err)
			}
		}
		if lines := strings.Count(err.Error(), "\n"); lines > maxProblems {
			t.Errorf("%s: the error has %d lines", name, lines+1)
		}
	}
}

// TestAssignSlots: no layer writes over a value that is needed later or that it
// reads through a filter.
func TestAssignSlots(t *testing.T) {
	for _, name := range []string{"resnet18", "resnet50", "resnet101", "resnet152"} {
		layers := mustArch(t, name).layers()
		slots := assignSlots(layers)
		holds := map[int]int{} // by slot: the value in it
		for i, l := range layers {
			if i < 2 {
				holds[slots[i+1]] = i + 1
				continue
			}
			if holds[slots[l.in]] != l.in || l.add >= 0 && holds[slots[l.add]] != l.add {
				t.Fatalf("%s layer %d (%s): its input is gone", name, i, l.conv)
			}
			if slots[i+1] == slots[l.in] || l.add >= 0 && slots[i+1] != slots[l.add] {
				t.Fatalf("%s layer %d (%s): wrong buffer for the result", name, i, l.conv)
			}
			holds[slots[i+1]] = i + 1
		}
		if n := slices.Max(slots) + 1; n > 4 {
			t.Errorf("%s: want four buffers, found %d", name, n)
		}
	}
}

// TestArchitectures counts the convolutions and their multiplications, which
// torchvision states as 1.81, 4.09, 7.80 and 11.51 GMAC at 224×224 with the
// classifier's 0.002.
func TestArchitectures(t *testing.T) {
	for name, want := range map[string]struct {
		convolutions int
		gmac         float64
	}{"resnet18": {20, 1.81}, "resnet50": {53, 4.09}, "resnet101": {104, 7.80}, "resnet152": {155, 11.51}} {
		e := embedded{layers: mustArch(t, name).layers()}
		shapes := e.shapes(224, 224)
		count, macs := 0, 0
		for i, l := range e.layers {
			if l.kind == convolution {
				count++
				macs += shapes[i+1].h * shapes[i+1].w * l.from * l.to * l.size * l.size
			}
		}
		if count != want.convolutions || math.Abs(float64(macs)/1e9-want.gmac) > 0.015 {
			t.Errorf("%s: want %d convolutions and %g GMAC, found %d and %g", name, want.convolutions, want.gmac, count, float64(macs)/1e9)
		}
	}
}
