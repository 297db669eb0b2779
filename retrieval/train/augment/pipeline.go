package augment

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"

	"locbench/retrieval/imgio"
)

// Pipeline changes images as a [Config] says.
type Pipeline struct{ c Config }

// New returns the pipeline of a configuration.
func New(c Config) (*Pipeline, error) {
	if err := c.Check(); err != nil {
		return nil, fmt.Errorf("augmentation: %w", err)
	}
	return &Pipeline{c: c}, nil
}

// Config returns the configuration.
func (p *Pipeline) Config() Config { return p.c }

// Apply returns a changed image of Size×Size pixels; im stays as it is. The
// same generator gives the same pixels.
func (p *Pipeline) Apply(im *imgio.Image, rng *rand.Rand) *imgio.Image {
	m := cut(im, rng)
	w, h := p.scale(m, rng)
	m = p.place(m, w, h, rng)
	if p.c.Flip && rng.IntN(2) == 1 {
		flip(m)
	}
	p.jitter(m, rng)
	if p.c.Erase > 0 {
		erase(m, p.c.Erase, rng)
	}
	return m
}

// Box returns the part of an image of w×h pixels that is kept of it: box and
// BoxMargin around it, inside the image.
func (p *Pipeline) Box(box image.Rectangle, w, h int) image.Rectangle {
	margin := int(0.5 + p.c.BoxMargin*float64(min(box.Dx(), box.Dy())))
	return box.Inset(-margin).Intersect(image.Rect(0, 0, w, h))
}

// maxRatio is how long an image may be for its width: of longer ones a random
// part is used, for scaled to the size of a crop they would fill the memory.
const maxRatio = 8

func cut(m *imgio.Image, rng *rand.Rand) *imgio.Image {
	w, h := min(m.W, maxRatio*m.H), min(m.H, maxRatio*m.W)
	if w == m.W && h == m.H {
		return m
	}
	at := image.Pt(offset(m.W-w, rng), offset(m.H-h, rng))
	return m.Crop(image.Rectangle{Min: at, Max: at.Add(image.Pt(w, h))})
}

// scale draws a size: a length of the shorter side, and another aspect.
func (p *Pipeline) scale(m *imgio.Image, rng *rand.Rand) (w, h int) {
	w, h = m.W, m.H
	if p.c.ScaleMax > 0 {
		size := int(0.5 + logUniform(rng, float64(p.c.ScaleMin), float64(p.c.ScaleMax)))
		if !p.c.Upscale {
			size = min(size, w, h)
		}
		k := float64(size) / float64(min(m.W, m.H))
		w, h = side(float64(m.W)*k), side(float64(m.H)*k)
	}
	if p.c.Aspect > 1 {
		// The longer side changes, so that the shorter one keeps its length as
		// long as it is the shorter one.
		k := logUniform(rng, 1/p.c.Aspect, p.c.Aspect)
		short := min(w, h)
		if m.W >= m.H {
			w = max(side(float64(w)*k), short)
		} else {
			h = max(side(float64(h)*k), short)
		}
	}
	return w, h
}

func side(v float64) int { return max(1, int(v+0.5)) }

// logUniform draws from [lo, hi), each doubling as likely as the other.
func logUniform(rng *rand.Rand, lo, hi float64) float64 {
	return lo * math.Exp(rng.Float64()*math.Log(hi/lo))
}

// place scales the image to w×h pixels, turns and tilts it and takes a random
// square of it. Where it is too small the square is grey around it (Pad). No more
// is scaled than is seen.
func (p *Pipeline) place(m *imgio.Image, w, h int, rng *rand.Rand) *imgio.Image {
	s := p.c.Size
	var back *projective
	if p.c.Rotation > 0 {
		back = rotation(w, h, (2*rng.Float64()-1)*p.c.Rotation)
	}
	if p.c.Tilt > 0 {
		amount := 1 + rng.IntN(max(1, int(math.Ceil(p.c.Tilt*float64(max(w, h))))))
		t := tilt(w, h, direction(rng.IntN(4)), float64(amount))
		if back != nil {
			t = back.after(t)
		}
		back = t
	}
	at := image.Pt(offset(w-s, rng), offset(h-s, rng))
	out := imgio.New(s, s)
	if w < s || h < s {
		fill(out, padGrey)
	}
	window := image.Rectangle{Min: at, Max: at.Add(image.Pt(s, s))}
	all := image.Rect(0, 0, w, h)
	seen := window.Intersect(all)
	if back != nil {
		seen = back.seen(seen, all)
	}
	if seen.Empty() { // the square shows nothing of the image
		seen = image.Rect(0, 0, 1, 1)
	}
	scaled := part{m.ResizePart(w, h, imgio.Bilinear, seen), seen, all}
	if back == nil {
		paste(out, &scaled, window)
	} else {
		warp(out, &scaled, window, back)
	}
	return out
}

// part is a rectangle of an image that has the size of all.
type part struct {
	*imgio.Image
	at, all image.Rectangle
}

// padGrey is the grey around images that are too small, as published.
const padGrey = 127

// offset draws where a window begins in a line that is room pixels longer than
// it; a window that is longer lies with the line in its middle.
func offset(room int, rng *rand.Rand) int {
	if room <= 0 {
		return -(-room / 2)
	}
	return rng.IntN(room + 1)
}

func fill(m *imgio.Image, v byte) {
	for i := range m.Pix {
		m.Pix[i] = v
	}
}

// paste copies the window of m to out, where there is any of m in it.
func paste(out *imgio.Image, m *part, window image.Rectangle) {
	in := window.Intersect(m.at)
	for y := in.Min.Y; y < in.Max.Y; y++ {
		to := 3 * ((y-window.Min.Y)*out.W + in.Min.X - window.Min.X)
		from := 3 * ((y-m.at.Min.Y)*m.W + in.Min.X - m.at.Min.X)
		copy(out.Pix[to:], m.Pix[from:][:3*in.Dx()])
	}
}

// flip mirrors the image left to right.
func flip(m *imgio.Image) {
	for y := range m.H {
		row := m.Pix[3*y*m.W : 3*(y+1)*m.W]
		for a, b := 0, 3*(m.W-1); a < b; a, b = a+3, b-3 {
			row[a], row[b] = row[b], row[a]
			row[a+1], row[b+1] = row[b+1], row[a+1]
			row[a+2], row[b+2] = row[b+2], row[a+2]
		}
	}
}

// erase fills a random rectangle with noise (Zhong et al., AAAI 2020).
func erase(m *imgio.Image, share float64, rng *rand.Rand) {
	length := func(n int) int {
		most, least := int(float64(n)*share), int(float64(n)*share/2)
		if least >= most {
			return most
		}
		return least + rng.IntN(most-least)
	}
	w, h := length(m.W), length(m.H)
	if w == 0 || h == 0 {
		return
	}
	x0, y0 := rng.IntN(m.W-w+1), rng.IntN(m.H-h+1)
	for y := y0; y < y0+h; y++ {
		row := m.Pix[3*(y*m.W+x0) : 3*(y*m.W+x0+w)]
		for len(row) > 0 {
			v := rng.Uint64()
			n := min(8, len(row))
			for i := range n {
				row[i] = byte(v >> (8 * i))
			}
			row = row[n:]
		}
	}
}
