package reports

import (
	"fmt"
	"io"
	"math"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"locbench/bench/record"
)

// TrainingFiles are what [WriteTraining] writes.
func TrainingFiles() []string { return []string{"training.svg", "training.png"} }

// WriteTraining draws the log of a training into a folder: loss, validation mAP,
// learning rate and images/s over the steps, as training.svg and training.png.
func WriteTraining(dir string, rows []record.TrainingStep) error {
	f := trainingFigure(rows)
	for i, write := range []func(io.Writer) error{f.writeSVG, f.writePNG} {
		if err := record.WriteFile(filepath.Join(dir, TrainingFiles()[i]), write); err != nil {
			return err
		}
	}
	return nil
}

// trainingPanel is one figure of a training over its steps.
type trainingPanel struct {
	title  string
	points plotter.XYs
	dots   bool // few points, which are marked
	note   string
}

type trainingPanels []trainingPanel

func trainingFigure(rows []record.TrainingStep) trainingPanels {
	panels := trainingPanels{
		{title: "loss of the batch"},
		{title: "validation mAP (%)", dots: true},
		{title: "learning rate"},
		{title: "images/s"},
	}
	best := math.Inf(-1)
	for _, r := range rows {
		for i, v := range []float64{r.Loss, r.ValMAP, r.LearningRate, r.ImagesPerS} {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				panels[i].points = append(panels[i].points, plotter.XY{X: float64(r.Step), Y: v})
			}
		}
		if r.ValMAP > best {
			best = r.ValMAP
			panels[1].note = fmt.Sprintf("best %.2f at step %d", best, r.Step)
		}
	}
	return panels
}

const (
	trainingWidth  = 2*panelWidth + gap
	trainingHeight = 2*panelHeight*3/4 + gap
)

func (f trainingPanels) writeSVG(w io.Writer) error {
	return drawSVG(w, trainingWidth, trainingHeight, f.draw)
}

func (f trainingPanels) writePNG(w io.Writer) error {
	return drawPNG(w, trainingWidth, trainingHeight, f.draw)
}

// draw sets the panels in two rows of two.
func (f trainingPanels) draw(c draw.Canvas) {
	c.SetColor(paperColor)
	c.Fill(c.Path())
	inner := draw.Crop(c, margin, -margin, margin, -margin)
	width, height := (inner.Size().X-gap)/2, (inner.Size().Y-gap)/2
	for i, p := range f {
		left, up := vg.Length(i%2)*(width+gap), vg.Length(1-i/2)*(height+gap)
		p.draw(draw.Crop(inner, left, left+width-inner.Size().X, up, up+height-inner.Size().Y))
	}
}

func (p trainingPanel) draw(c draw.Canvas) {
	title := p.title
	switch {
	case len(p.points) == 0:
		title += ": none"
	case p.note != "":
		title += ": " + p.note
	}
	pl := newPlot(title, "step", "")
	pl.Add(newGrid())
	m := mark{entity: 0}
	line := &plotter.Line{XYs: p.points, LineStyle: m.line()}
	if len(p.points) > 200 {
		line.Width = 0.7
	}
	if len(p.points) > 0 {
		pl.Add(line)
	}
	if p.dots || len(p.points) == 1 {
		pl.Add(&plotter.Scatter{XYs: p.points, GlyphStyle: m.glyph()})
	}
	pl.Y.Min = math.Min(pl.Y.Min, 0)
	if !(pl.X.Max > pl.X.Min) { // no points, or one
		pl.X.Min, pl.X.Max = 0, math.Max(1, pl.X.Max+1)
	}
	if !(pl.Y.Max > pl.Y.Min) {
		pl.Y.Min, pl.Y.Max = 0, 1
	}
	pl.X.Tick.Marker, pl.Y.Tick.Marker = plot.DefaultTicks{}, plot.DefaultTicks{}
	pl.Draw(c)
}
