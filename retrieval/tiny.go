package retrieval

import (
	"math"

	"locbench/retrieval/imgio"
)

// TinyImageName is the feature type of [TinyImage].
const TinyImageName = "tiny-image"

// TinyImageDim is the length of a [TinyImage] descriptor.
const TinyImageDim = tinyWidth * tinyHeight * 3

// tinyWidth and tinyHeight keep the layout of a scene (sky, ground, large
// blocks of colour) and lose what a step to the side moves.
const (
	tinyWidth  = 16
	tinyHeight = 12
)

// TinyImage is the baseline feature: the image itself, scaled down to a grid of
// 16×12 by a filter that averages (no aliasing), with the mean of each colour
// taken off and the whole scaled to unit length. After Torralba, Fergus,
// Freeman, 80 Million Tiny Images (PAMI 2008), section 3.
//
// The means make it blind to a cast of colour and to added light, the length to
// exposure and contrast; nothing makes it blind to viewpoint. It needs no model
// and no training, and is a floor to hold real features against, not one of
// them. Images of any shape are squeezed into the grid.
//
// An image of one flat colour has no direction. It gets the constant vector,
// which is orthogonal to that of any other image: similarity 0.
func TinyImage(img *imgio.Image) []float32 {
	small := img.Resize(tinyWidth, tinyHeight, imgio.Bilinear)
	var mean [3]float64
	for i, v := range small.Pix {
		mean[i%3] += float64(v) / (tinyWidth * tinyHeight)
	}
	var sum float64
	centred := make([]float64, TinyImageDim)
	for i, v := range small.Pix {
		centred[i] = float64(v) - mean[i%3]
		sum += centred[i] * centred[i]
	}
	// The least contrast of 8-bit samples, one of them off by one level, gives a
	// sum near 1; a flat image gives only the rounding of the means.
	const leastSum = 0.5
	d := make([]float32, TinyImageDim)
	for i := range d {
		if sum < leastSum {
			d[i] = float32(1 / math.Sqrt(TinyImageDim))
			continue
		}
		d[i] = float32(centred[i] / math.Sqrt(sum))
	}
	return d
}
