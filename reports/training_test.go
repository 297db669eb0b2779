package reports

import (
	"bytes"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"locbench/bench/record"
)

func TestWriteTraining(t *testing.T) {
	nan := math.NaN()
	full := []record.TrainingStep{{Step: 0, Loss: nan, ValMAP: 11, LearningRate: nan, ImagesPerS: nan}}
	for i := 1; i <= 40; i++ {
		row := record.TrainingStep{Step: i, Loss: 0.8 / float64(i), ValMAP: nan, LearningRate: 1e-4 * float64(40-i), ImagesPerS: 70}
		if i%10 == 0 {
			row.ValMAP = 60 - float64(i-30)*float64(i-30)/20
		}
		full = append(full, row)
	}
	for name, rows := range map[string][]record.TrainingStep{"full": full, "one step": full[:2], "before": full[:1], "none": nil} {
		t.Run(name, func(t *testing.T) {
			dir := t.ArtifactDir()
			if err := WriteTraining(dir, rows); err != nil {
				t.Fatal(err)
			}
			svg, err := os.ReadFile(filepath.Join(dir, "training.svg"))
			if err != nil {
				t.Fatal(err)
			}
			if name == "full" && !strings.Contains(string(svg), "best 60.00 at step 30") {
				t.Error("training.svg does not name the best validation figure")
			}
			picture, err := os.ReadFile(filepath.Join(dir, "training.png"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := png.Decode(bytes.NewReader(picture)); err != nil {
				t.Error(err)
			}
		})
	}
}
