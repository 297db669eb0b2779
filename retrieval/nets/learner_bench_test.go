package nets

import (
	"fmt"
	"os"
	"testing"

	"locbench/retrieval/backend"
	"locbench/retrieval/imgio"
)

// BenchmarkDeviceLearner is a training step on 1024 images in memory, on the
// backend that LOCBENCH_BACKEND names: docs/benchmarks/gpu.sh runs it.
func BenchmarkDeviceLearner(b *testing.B) {
	spec := os.Getenv("LOCBENCH_BACKEND")
	if spec == "" || spec == "go" {
		b.Skip("LOCBENCH_BACKEND names no device: skipped")
	}
	device, err := backend.Open(spec)
	if err != nil {
		b.Fatal(err)
	}
	defer device.Close()
	for _, size := range []int{224, 512} {
		for _, half := range []bool{false, true} {
			b.Run(fmt.Sprintf("resnet50/%d/bfloat16=%v", size, half), func(b *testing.B) {
				images := make([]*imgio.Image, 1024)
				for i := range images {
					images[i] = photo(fmt.Sprint("bench", i%16), size, size)
				}
				cfg := learnerConfig("resnet50", "gem")
				cfg.OutDim = 2048
				l, err := NewLearner(device, cfg, drawn(archOf(b, cfg), cfg, 1), LearnerOptions{Half: half})
				if err != nil {
					b.Fatal(err)
				}
				grad := randomGradient(len(images) * l.Dim())
				learn(b, l, images, grad) // compiles
				for b.Loop() {
					learn(b, l, images, grad)
				}
				b.ReportMetric(float64(len(images)*b.N)/b.Elapsed().Seconds(), "images/s")
			})
		}
	}
}

func archOf(b *testing.B, cfg Config) arch {
	a, err := findArch(cfg.Arch)
	if err != nil {
		b.Fatal(err)
	}
	return a
}

// learn is one step of training.
func learn(b *testing.B, l *Learner, images []*imgio.Image, grad []float32) {
	if _, err := l.Describe(b.Context(), images); err != nil {
		b.Fatal(err)
	}
	if err := l.Accumulate(b.Context(), images, grad); err != nil {
		b.Fatal(err)
	}
	if err := l.Step(DefaultAdam()); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkLearner is a training step on 32 images by multi-stage
// backpropagation: descriptors, then gradients, then Adam.
// docs/benchmarks/torch_train.py times the same in PyTorch.
func BenchmarkLearner(b *testing.B) {
	for _, c := range []struct {
		arch string
		size int
	}{{"resnet10_w16", 64}, {"resnet18", 64}, {"resnet50", 224}} {
		b.Run(fmt.Sprintf("%s/%d", c.arch, c.size), func(b *testing.B) {
			var images []*imgio.Image
			for i := range 32 {
				images = append(images, photo(fmt.Sprint("bench", i), c.size, c.size))
			}
			cfg := learnerConfig(c.arch, "gem")
			cfg.OutDim = 0
			l := newTestLearner(b, cfg, scratchTensors(b, cfg, images[:8]), LearnerOptions{}, 0)
			grad := randomGradient(len(images) * l.Dim())
			for b.Loop() {
				learn(b, l, images, grad)
			}
			b.ReportMetric(float64(len(images)*b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}
