package synth

import (
	"image/jpeg"
	"io"
	"testing"
)

// BenchmarkRender takes pictures of one worker: render, develop and encode.
func BenchmarkRender(b *testing.B) {
	p, err := newPlan(b.Context(), Options{Mapping: 40, Queries: 20, Width: 320, Height: 240, Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	all := append(p.mapping, p.queries...)
	n := 0
	for b.Loop() {
		q := &all[n%len(all)]
		img := p.town.render(&q.view).develop(q.photo, q.rand(1, "develop"))
		if err := jpeg.Encode(io.Discard, img, &jpeg.Options{Quality: 90}); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "images/s")
}
