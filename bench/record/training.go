package record

import (
	"io"
	"math"
	"strconv"
)

var trainingColumns = []string{"step", "epoch", "loss", "val_map", "lr", "images_per_s", "seconds"}

// TrainingStep is a row of a training's log.csv. Cells of what was not computed
// at a step are empty in the file and NaN here.
type TrainingStep struct {
	Step  int     // optimizer steps so far; 0 is the network before training
	Epoch int     // full epochs so far
	Loss  float64 // of the step's batch, before the step
	// ValMAP is the mean average precision on the validation images, in percent,
	// after the step.
	ValMAP       float64
	LearningRate float64
	ImagesPerS   float64 // trained in this step
	Seconds      float64 // of training so far, all sessions together
}

// WriteTraining writes log.csv to path.
func WriteTraining(path string, rows []TrainingStep) error {
	return writeTable(path, trainingColumns, rows, func(r TrainingStep, out []string) []string {
		return append(out, strconv.Itoa(r.Step), strconv.Itoa(r.Epoch), formatFloat(r.Loss), formatFloat(r.ValMAP), formatFloat(r.LearningRate),
			formatFloat(math.Round(r.ImagesPerS*1e3)/1e3), formatFloat(math.Round(r.Seconds*1e3)/1e3))
	})
}

// ReadTraining reads log.csv from r, as [ReadQueries] does.
func ReadTraining(r io.Reader, path string) ([]TrainingStep, error) {
	return readTable(r, path, trainingColumns, func(c *cells) TrainingStep {
		return TrainingStep{
			Step: c.count(0), Epoch: c.count(1), Loss: c.number(2), ValMAP: c.length(3), LearningRate: c.length(4),
			ImagesPerS: c.length(5), Seconds: c.length(6),
		}
	})
}
