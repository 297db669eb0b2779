package reports

import (
	"bytes"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Sizes of a figure, in points. A panel is as wide as the screen of a phone, so
// that its text stays readable there at the size it is drawn.
const (
	onePanelWidth = 390
	panelWidth    = 230 // of several side by side
	panelHeight   = 215
	margin        = 8
	gap           = 10 // between panels
	titleSize     = 10
	labelSize     = 9
	tickSize      = 8
	legendRow     = 14
	legendSample  = 26
	pngDPI        = 192
)

// writeSVG writes the whole figure, title and legend included, as SVG.
func (f plotFigure) writeSVG(w io.Writer) error {
	width, height := f.size()
	return drawSVG(w, width, height, f.draw)
}

// writePNG writes the whole figure as PNG.
func (f plotFigure) writePNG(w io.Writer) error {
	width, height := f.size()
	return drawPNG(w, width, height, f.draw)
}

func drawSVG(w io.Writer, width, height vg.Length, on func(draw.Canvas)) error {
	c := vgsvg.New(width, height)
	on(draw.New(c))
	_, err := c.WriteTo(w)
	return err
}

func drawPNG(w io.Writer, width, height vg.Length, on func(draw.Canvas)) error {
	c := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(pngDPI))}
	on(draw.New(c))
	_, err := c.WriteTo(w)
	return err
}

// Sizes of a panel on the page, in points: on a phone's screen, some 360 pixels
// wide, their text comes out at ten pixels and more.
const (
	pagePanelWidth      = 255
	pageSmallPanelWidth = 230
	pagePanelHeight     = 190
)

// svg draws the panel alone.
func (p panel) svg(width vg.Length) ([]byte, error) {
	c := vgsvg.New(width, pagePanelHeight)
	p.draw(draw.Crop(draw.New(c), 2, -4, 2, -2))
	return svgBytes(c)
}

// svgSample draws the entry's line and marker alone.
func (e legendEntry) svgSample() ([]byte, error) {
	c := vgsvg.New(legendSample+4, 8)
	e.drawSample(draw.New(c), vg.Point{X: 2, Y: 4})
	return svgBytes(c)
}

func svgBytes(c *vgsvg.Canvas) ([]byte, error) {
	var b bytes.Buffer
	_, err := c.WriteTo(&b)
	return b.Bytes(), err
}

func (f plotFigure) size() (width, height vg.Length) {
	width = onePanelWidth
	if n := len(f.panels); n > 1 {
		width = panelWidth * vg.Length(n)
	}
	inner := width - 2*margin
	title := vg.Length(len(wrap(f.title, textStyle(titleSize), inner))) * (titleSize + 4)
	legend := vg.Length(len(legendRows(f.legend, inner))) * legendRow
	return width, 2*margin + title + 4 + panelHeight + 6 + legend
}

func (f plotFigure) draw(c draw.Canvas) {
	c.SetColor(paperColor)
	c.Fill(c.Path())
	inner := draw.Crop(c, margin, -margin, margin, -margin)
	style := textStyle(titleSize)
	y := inner.Max.Y
	for _, line := range wrap(f.title, style, inner.Size().X) {
		inner.FillText(style, vg.Point{X: inner.Min.X, Y: y - titleSize}, line)
		y -= titleSize + 4
	}
	rows := legendRows(f.legend, inner.Size().X)
	foot := vg.Length(len(rows))*legendRow + 6
	body := draw.Crop(inner, 0, 0, foot, y-4-inner.Max.Y)
	n := vg.Length(len(f.panels))
	for i, p := range f.panels {
		// Panels are as wide as they can be with a gap between them.
		width := (body.Size().X - gap*(n-1)) / n
		left := (width + gap) * vg.Length(i)
		p.draw(draw.Crop(body, left, left+width-body.Size().X, 0, 0))
	}
	for i, row := range rows {
		x := inner.Min.X
		for _, e := range row {
			e.draw(inner, vg.Point{X: x, Y: inner.Min.Y + foot - 6 - legendRow*(vg.Length(i)+0.5)})
			x += e.width()
		}
	}
}

// textStyle is left-aligned text on its baseline.
func textStyle(size vg.Length) text.Style {
	return text.Style{Color: inkColor, Font: sans(size), Handler: plot.DefaultTextHandler}
}

// wrap breaks a text at spaces into lines no wider than width, where it can.
func wrap(s string, style text.Style, width vg.Length) []string {
	var lines []string
	line := ""
	start := 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] != ' ' {
			continue
		}
		word := s[start:i]
		start = i + 1
		switch {
		case line == "":
			line = word
		case style.Width(line+" "+word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}

// legendRows breaks the legend into rows no wider than width, where it can.
func legendRows(entries []legendEntry, width vg.Length) [][]legendEntry {
	var rows [][]legendEntry
	var used vg.Length
	for _, e := range entries {
		w := e.width()
		if len(rows) == 0 || e.newRow || used+w > width {
			rows = append(rows, nil)
			used = 0
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], e)
		used += w
	}
	return rows
}

func (e legendEntry) width() vg.Length {
	return legendSample + 5 + textStyle(labelSize).Width(e.label) + 14
}

// draw draws the entry from its left end, at is the middle of the sample's height.
func (e legendEntry) draw(c draw.Canvas, at vg.Point) {
	e.drawSample(c, at)
	c.FillText(textStyle(labelSize), vg.Point{X: at.X + legendSample + 5, Y: at.Y - labelSize*0.35}, e.label)
}

func (e legendEntry) drawSample(c draw.Canvas, at vg.Point) {
	c.StrokeLine2(e.line(), at.X, at.Y, at.X+legendSample, at.Y)
	if e.entity >= 0 {
		c.DrawGlyphNoClip(e.glyph(), vg.Point{X: at.X + legendSample/2, Y: at.Y})
	}
}

// newPlot returns empty axes in our style.
func newPlot(title, x, y string) *plot.Plot {
	pl := plot.New()
	pl.BackgroundColor = nil
	pl.Title.Text = title
	pl.Title.TextStyle.Font = sans(labelSize)
	pl.Title.TextStyle.Color = inkColor
	pl.Title.Padding = 4
	for _, axis := range []*plot.Axis{&pl.X, &pl.Y} {
		axis.Label.TextStyle.Font, axis.Label.TextStyle.Color = sans(labelSize), inkColor
		axis.Tick.Label.Font, axis.Tick.Label.Color = sans(tickSize), inkColor
		axis.LineStyle.Color, axis.Tick.LineStyle.Color = inkColor, inkColor
		axis.LineStyle.Width, axis.Tick.LineStyle.Width = 0.6, 0.6
		axis.Padding, axis.Tick.Length = 0, 3
		axis.Label.Padding = 2
	}
	pl.X.Label.Text, pl.Y.Label.Text = x, y
	return pl
}

// draw draws the panel: axes, grid, bounds, lines, markers.
func (p panel) draw(c draw.Canvas) {
	pl := newPlot(p.title, p.xLabel, p.yLabel)
	pl.X.Scale = plot.LogScale{}
	pl.X.Min, pl.X.Max = p.over.min, p.over.max
	pl.X.Tick.Marker = plot.ConstantTicks(ticks(p.ticks))
	pl.Y.Min, pl.Y.Max = 0, p.top()
	pl.Y.Tick.Marker = plot.ConstantTicks(ticks(percentTicks(p.top())))
	pl.Add(newGrid())
	for _, b := range p.bounds {
		pl.Add(upright(b, p.top()))
	}
	for _, line := range p.curves {
		pl.Add(line.plotters()...)
	}
	pl.X.Min, pl.X.Max, pl.Y.Min, pl.Y.Max = p.over.min, p.over.max, 0, p.top()
	pl.Draw(c)
}

func newGrid() *plotter.Grid {
	g := plotter.NewGrid()
	g.Vertical.Color, g.Horizontal.Color = gridColor, gridColor
	g.Vertical.Width, g.Horizontal.Width = 0.5, 0.5
	return g
}

func upright(x, top float64) *plotter.Line {
	return &plotter.Line{
		XYs:       plotter.XYs{{X: x, Y: 0}, {X: x, Y: top}},
		LineStyle: draw.LineStyle{Color: boundColor, Width: 0.8, Dashes: []vg.Length{2, 2}},
	}
}

func (l curve) plotters() []plot.Plotter {
	line := &plotter.Line{XYs: l.points, LineStyle: l.line()}
	if l.step {
		line.StepStyle = plotter.PostStep
	}
	return []plot.Plotter{line, &plotter.Scatter{XYs: l.dots, GlyphStyle: l.glyph()}}
}

// tops are the ends that the vertical axis may have, with their steps.
var tops = []struct{ end, step float64 }{{2, 0.5}, {5, 1}, {10, 2}, {20, 5}, {40, 10}, {60, 10}, {80, 20}, {100, 20}}

// top returns the end of the vertical axis: above the highest line, at most 100.
func (p panel) top() float64 {
	highest := 0.0
	for _, c := range p.curves {
		for _, pt := range c.points {
			highest = math.Max(highest, pt.Y)
		}
	}
	for _, t := range tops {
		if highest <= t.end*0.98 {
			return t.end
		}
	}
	return 100
}

func percentTicks(top float64) []float64 {
	for _, t := range tops {
		if t.end != top {
			continue
		}
		var out []float64
		for v := 0.0; v <= t.end; v += t.step {
			out = append(out, v)
		}
		return out
	}
	return nil
}

func ticks(values []float64) []plot.Tick {
	out := make([]plot.Tick, len(values))
	for i, v := range values {
		out[i] = plot.Tick{Value: v, Label: shortText(v)}
	}
	return out
}
