package scenes

import (
	"fmt"
	"path/filepath"
	"testing"

	"locbench/kapture"
)

// BenchmarkVerify checks a scene of RobotCar's size: 30,000 images with global
// features of 256 values in one tar.
func BenchmarkVerify(b *testing.B) {
	const images = 30_000
	dir := b.TempDir()
	var mapping, queries []string
	for i := range images {
		name := fmt.Sprintf("rear/%06d.jpg", i)
		if i%10 == 0 {
			queries = append(queries, name)
		} else {
			mapping = append(mapping, name)
		}
	}
	for part, names := range map[string][]string{"mapping": mapping, "query": queries} {
		if err := dataset("rear", names...).Write(filepath.Join(dir, part)); err != nil {
			b.Fatal(err)
		}
	}
	w, err := kapture.CreateFeaturesTar(globalDir(dir), kapture.GlobalFeatures,
		kapture.FeatureHeader{Name: "gf", DType: kapture.Float32, DSize: 256, Metric: "L2"})
	if err != nil {
		b.Fatal(err)
	}
	row := make([]float32, 256)
	row[0] = 1
	for _, names := range [][]string{mapping, queries} {
		for _, name := range names {
			if err := w.Write(name, row); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := Open(dir, Options{})
		if err != nil {
			b.Fatal(err)
		}
		problems, err := s.Verify(b.Context())
		if err != nil || len(problems) != 2 { // neither part has image files
			b.Fatal(problems, err)
		}
	}
	b.ReportMetric(float64(images)*float64(b.N)/b.Elapsed().Seconds(), "images/s")
}
