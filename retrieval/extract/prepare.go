package extract

import (
	"errors"
	"fmt"
	"image"
	"strings"

	"locbench/kapture"
	"locbench/retrieval"
	"locbench/retrieval/imgio"
	"locbench/retrieval/nets"
)

// extent is the size of an image in pixels.
type extent struct{ w, h int }

func (x extent) pixels() int64 { return int64(x.w) * int64(x.h) }

// shrunk is the size after MaxSize, to whole pixels as hloc rounds.
func (s Settings) shrunk(x extent) extent {
	if long := max(x.w, x.h); s.MaxSize > 0 && long > s.MaxSize {
		return scaled(x, float64(s.MaxSize)/float64(long))
	}
	return x
}

// scaled is dirtorch's Scale: int(0.5 + s·size); at least a pixel.
func scaled(x extent, s float64) extent {
	return extent{max(1, int(0.5+s*float64(x.w))), max(1, int(0.5+s*float64(x.h)))}
}

// inputs are the sizes that the network will see.
func (s Settings) inputs(x extent) []extent {
	x = s.shrunk(x)
	out := make([]extent, len(s.Scales))
	for i, scale := range s.Scales {
		out[i] = scaled(x, scale)
	}
	return out
}

// cropped is the size of what is described of an image of size x: of the whole
// of it, or of its crop. One that misses the image, or sticks out of it by more
// than its size, is refused.
func (im Image) cropped(x extent) (extent, error) {
	if im.Crop.Empty() {
		return x, nil
	}
	if !im.Crop.Overlaps(image.Rect(0, 0, x.w, x.h)) || !im.Crop.In(image.Rect(-x.w, -x.h, 2*x.w, 2*x.h)) {
		return x, &kapture.InputError{Path: im.File, Msg: fmt.Sprintf("want a crop of the image of %d×%d pixels, found %v", x.w, x.h, im.Crop)}
	}
	return extent{im.Crop.Dx(), im.Crop.Dy()}, nil
}

// prepare decodes an image, crops and scales it: one image a scale.
func (s Settings) prepare(im Image) ([]*imgio.Image, error) {
	open := imgio.Open
	if s.EXIF {
		open = imgio.OpenUpright
	}
	m, err := open(im.File)
	if err != nil {
		return nil, unreadable(im.File, err)
	}
	if _, err := im.cropped(extent{m.W, m.H}); err != nil {
		return nil, err
	}
	if !im.Crop.Empty() {
		m = m.Crop(im.Crop)
	}
	filter := imgio.Bilinear
	if s.BoxFilter {
		filter = imgio.Box
	}
	small := s.shrunk(extent{m.W, m.H})
	m = m.Resize(small.w, small.h, filter)
	out := make([]*imgio.Image, len(s.Scales))
	for i, size := range s.inputs(small) {
		out[i] = m.Resize(size.w, size.h, imgio.Bilinear)
	}
	return out, nil
}

// measure returns the sizes of the network's inputs and of the file's image,
// from the file's header.
func (s Settings) measure(im Image) (inputs []extent, whole extent, err error) {
	file := im.File
	if err := kapture.CheckFile(file); err != nil {
		return nil, whole, unreadable(file, err)
	}
	w, h, err := imgio.Size(file)
	if err != nil {
		return nil, whole, unreadable(file, err)
	}
	whole = extent{w, h}
	bounds := whole
	if s.EXIF && !im.Crop.Empty() { // it may yet be turned; prepare looks again
		bounds = extent{max(w, h), max(w, h)}
	}
	part, err := im.cropped(bounds)
	if err != nil {
		return nil, whole, err
	}
	inputs = s.inputs(part)
	for _, in := range inputs {
		if in.pixels() > nets.MaxPixels {
			return nil, whole, &kapture.InputError{Path: file, Msg: fmt.Sprintf("want at most %d megapixels for the network, found %d×%d: a maximum size shrinks it",
				nets.MaxPixels/1_000_000, in.w, in.h)}
		}
	}
	return inputs, whole, nil
}

// unreadable says that the file holds no image.
func unreadable(file string, err error) error {
	if _, ok := errors.AsType[*kapture.InputError](err); ok {
		return err
	}
	if bad, ok := errors.AsType[*imgio.FormatError](err); ok {
		err = bad.Err
	}
	if strings.HasPrefix(err.Error(), "want ") { // says itself what was wanted
		return &kapture.InputError{Path: file, Msg: err.Error()}
	}
	return &kapture.InputError{Path: file, Msg: fmt.Sprintf("want an image, found %v", err)}
}

// finish makes one descriptor of those at the scales, len(scales)·dim values of
// the network's.
func (e *Extractor) finish(scales []float32) []float32 {
	n := len(e.meta.Settings.Scales)
	if n == 1 && e.whiten == nil {
		return scales
	}
	dim := len(scales) / n
	rows := make([][]float32, n)
	for i := range rows {
		rows[i] = scales[i*dim:][:dim]
	}
	var pooled []float64
	if e.meta.Settings.Pool == PoolMean {
		pooled = retrieval.PoolMean(rows)
	} else {
		pooled = retrieval.PoolGeM(rows, e.meta.Settings.GemP)
	}
	retrieval.Normalize(pooled)
	if e.whiten != nil {
		pooled = e.whiten.Apply(pooled)
	}
	out := make([]float32, len(pooled))
	for i, v := range pooled {
		out[i] = float32(v)
	}
	return out
}
