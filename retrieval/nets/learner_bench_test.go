package nets

import (
	"fmt"
	"testing"

	"locbench/retrieval/imgio"
)

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
			b.ReportMetric(float64(len(images)*b.N)/b.Elapsed().Seconds(), "images/s")
		})
	}
}
