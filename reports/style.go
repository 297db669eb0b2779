package reports

import (
	"image/color"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// The colours of data are those of Okabe and Ito ("Color universal design",
// 2008), told apart with any kind of colour vision; the eighth, yellow, is left
// out as too faint on white. Lines differ by dash and marker as well, so that
// nothing rests on colour alone.
var palette = []color.NRGBA{
	{0x00, 0x72, 0xb2, 0xff}, // blue
	{0xd5, 0x5e, 0x00, 0xff}, // vermilion
	{0x00, 0x9e, 0x73, 0xff}, // green
	{0xcc, 0x79, 0xa7, 0xff}, // purple
	{0xe6, 0x9f, 0x00, 0xff}, // orange
	{0x56, 0xb4, 0xe9, 0xff}, // sky
	{0x22, 0x22, 0x22, 0xff}, // black
}

// The colours of everything else.
var (
	inkColor   = color.NRGBA{0x30, 0x34, 0x3b, 0xff} // text and axes
	gridColor  = color.NRGBA{0xe1, 0xe4, 0xe8, 0xff}
	boundColor = color.NRGBA{0xa8, 0xae, 0xb8, 0xff} // the scene's thresholds
	paperColor = color.NRGBA{0xff, 0xff, 0xff, 0xff}
)

// dashes are in points; they repeat with another period than the colours.
var dashes = [][]vg.Length{nil, {5, 2.5}, {1.5, 2}, {7, 2, 1.5, 2}, {3, 1.5}, {9, 3}, {5, 1.5, 1.5, 1.5, 1.5, 1.5}, {1.5, 3.5}}

var markers = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, draw.RingGlyph{}, draw.CrossGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.PlusGlyph{}}

// mark is how one line looks: the colour and marker of what it shows, and its dash.
type mark struct {
	entity int // index into palette and markers, taken round; -1: ink, no marker
	dash   int // index into dashes, taken round
}

func (m mark) color() color.NRGBA {
	if m.entity < 0 {
		return inkColor
	}
	return palette[m.entity%len(palette)]
}

func (m mark) line() draw.LineStyle {
	return draw.LineStyle{Color: m.color(), Width: 1.4, Dashes: dashes[m.dash%len(dashes)]}
}

func (m mark) glyph() draw.GlyphStyle {
	// Another period than the palette's: the eighth line repeats the first
	// colour with another marker.
	return draw.GlyphStyle{Color: m.color(), Radius: 2.4, Shape: markers[max(m.entity, 0)%len(markers)]}
}

func sans(size vg.Length) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}
