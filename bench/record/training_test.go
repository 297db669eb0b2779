package record

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTrainingRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.csv")
	nan := math.NaN()
	rows := []TrainingStep{
		{Step: 0, Loss: nan, ValMAP: 12.5, LearningRate: nan, ImagesPerS: nan, Seconds: 0.25},
		{Step: 1, Epoch: 2, Loss: -1e-9, ValMAP: nan, LearningRate: 1e-4, ImagesPerS: 73.125, Seconds: 3},
	}
	if err := WriteTraining(path, rows); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := "step,epoch,loss,val_map,lr,images_per_s,seconds\n0,0,,12.5,,,0.25\n1,2,-1e-09,,0.0001,73.125,3\n"
	if string(text) != want {
		t.Errorf("log.csv is\n%swant\n%s", text, want)
	}
	got, err := ReadTraining(strings.NewReader(string(text)), path)
	if err != nil || len(got) != 2 {
		t.Fatalf("read %d rows, %v", len(got), err)
	}
	for i := range got {
		a, b := got[i], rows[i]
		for _, v := range [][2]float64{{a.Loss, b.Loss}, {a.ValMAP, b.ValMAP}, {a.LearningRate, b.LearningRate}, {a.ImagesPerS, b.ImagesPerS}, {a.Seconds, b.Seconds}} {
			if v[0] != v[1] && !(math.IsNaN(v[0]) && math.IsNaN(v[1])) {
				t.Errorf("row %d: read %+v, want %+v", i, a, b)
			}
		}
	}
}

func TestTrainingBadLines(t *testing.T) {
	_, err := ReadTraining(strings.NewReader("step,epoch,loss,val_map,lr,images_per_s,seconds\n1,0,high,,0.1,1,1\n"), "log.csv")
	if err == nil || !strings.Contains(err.Error(), `log.csv:2: want a number or nothing for loss, found "high"`) {
		t.Errorf("error %v does not say what is wrong with line 2", err)
	}
}
