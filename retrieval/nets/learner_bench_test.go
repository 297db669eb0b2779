package nets

import (
	"fmt"
	"os"
	"runtime"
	"testing"

	"locbench/retrieval/backend"
	"locbench/retrieval/imgio"
	"locbench/retrieval/train/loss"
	"locbench/retrieval/train/trainset"
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
				step := learning(b, l, images)
				step() // compiles
				for b.Loop() {
					step()
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

// learning returns one step of training with the AP loss, on images of which
// eight show the same: the three stages of multi-stage backpropagation, and Adam.
func learning(b *testing.B, l *Learner, images []*imgio.Image) (step func()) {
	ap, err := loss.New(loss.DefaultOptions(), runtime.GOMAXPROCS(0))
	if err != nil {
		b.Fatal(err)
	}
	relation := func(i, j int) trainset.Relation {
		if i/8 == j/8 {
			return trainset.Positive
		}
		return trainset.Negative
	}
	return func() {
		rows, err := l.Describe(b.Context(), images)
		if err != nil {
			b.Fatal(err)
		}
		grad := make([]float32, len(rows))
		if _, err := ap.Of(b.Context(), &loss.Batch{Dim: l.Dim(), Descriptors: rows, Relation: relation}, grad); err != nil {
			b.Fatal(err)
		}
		if err := l.Accumulate(b.Context(), images, grad); err != nil {
			b.Fatal(err)
		}
		if err := l.Step(DefaultAdam()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLearner is a training step on 32 images by multi-stage
// backpropagation: descriptors, the AP loss, gradients, then Adam.
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
			step := learning(b, l, images)
			for b.Loop() {
				step()
			}
			b.ReportMetric(float64(len(images)*b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}
