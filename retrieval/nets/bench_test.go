package nets

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"testing"

	"locbench/retrieval/imgio"
)

// benchmarkJPEG is a smooth image with some noise, about as large as a
// photograph of that size.
func benchmarkJPEG(b *testing.B, h, w int) []byte {
	b.Helper()
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	noise := fnv1a64("benchmark")
	for y := range h {
		for x := range w {
			v := uint8(20 * uniform(noise, y*w+x))
			m.Set(x, y, color.RGBA{uint8(x*200/w) + v, uint8(y*200/h) + v, uint8((x/64+y/64)%2*100) + v, 255})
		}
	}
	var buffer bytes.Buffer
	if err := jpeg.Encode(&buffer, m, &jpeg.Options{Quality: 90}); err != nil {
		b.Fatal(err)
	}
	return buffer.Bytes()
}

// BenchmarkDescribe describes JPEG images, decoding included, two at a time.
func BenchmarkDescribe(b *testing.B) {
	for _, c := range []struct {
		arch   string
		h, w   int
		gflops float64 // an image
	}{
		{"resnet101_rmac", 768, 1024, 245},
		{"resnet50_rmac", 768, 1024, 128},
		{"resnet101_rmac", 480, 640, 96},
	} {
		b.Run(fmt.Sprintf("%s/%dx%d", c.arch, c.h, c.w), func(b *testing.B) {
			n := goldenNetwork(b, c.arch)
			file := benchmarkJPEG(b, c.h, c.w)
			describeJPEGs(b, n, file, 2) // buffers, page faults
			for b.Loop() {
				describeJPEGs(b, n, file, 2)
			}
			perImage := b.Elapsed().Seconds() / float64(2*b.N)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(1/perImage, "images/s")
			b.ReportMetric(perImage, "s/image")
			b.ReportMetric(c.gflops/perImage, "GFLOP/s")
		})
	}
}

func describeJPEGs(b *testing.B, n *Network, file []byte, count int) {
	b.Helper()
	images := make([]*imgio.Image, count)
	for i := range images {
		m, err := imgio.Decode(bytes.NewReader(file), "benchmark.jpg")
		if err != nil {
			b.Fatal(err)
		}
		images[i] = m
	}
	if _, err := n.Describe(b.Context(), images); err != nil {
		b.Fatal(err)
	}
}
