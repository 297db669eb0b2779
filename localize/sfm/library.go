package sfm

import (
	"errors"
	"fmt"

	"locbench/kapture"
	"locbench/localize/recent"
)

var errNotInScene = errors.New("not in the scene")

// KeypointSource reads the keypoints of images: rows of Header().DSize values
// that begin with x and y.
type KeypointSource interface {
	Header() kapture.FeatureHeader
	Has(image string) bool
	Float32(image string, dst []float32) ([]float32, error)
	Path(image string) string
}

// Library is the Images of a scene: cameras and poses in memory, the keypoints
// of the images used last.
type Library struct {
	images    map[string]*Image
	keypoints KeypointSource
	recent    *recent.Cache[*Image]
}

// libraryImages is how many images' keypoints stay in memory: 160 MB at 20,000
// keypoints each.
const libraryImages = 512

// NewLibrary returns the images, which need no keypoints, with those of the
// source. Of several with one name the first counts: mapping images go before
// queries, whose poses may not be known.
func NewLibrary(images []Image, keypoints KeypointSource) *Library {
	l := &Library{images: make(map[string]*Image, len(images)), keypoints: keypoints}
	for i := range images {
		if l.images[images[i].Name] == nil {
			l.images[images[i].Name] = &images[i]
		}
	}
	l.recent = recent.NewCache(libraryImages, l.read)
	return l
}

// Image implements Images. An image that the source has no keypoints of has none;
// one that is not in the library is an error.
func (l *Library) Image(name string) (*Image, error) { return l.recent.Get(name) }

// Posed returns cameras and poses of the library's images alone, without reading
// keypoints.
func (l *Library) Posed() Images { return posed{l} }

type posed struct{ library *Library }

// Image implements Images.
func (p posed) Image(name string) (*Image, error) {
	if im, ok := p.library.images[name]; ok {
		return im, nil
	}
	return nil, fmt.Errorf("image %s is %w", name, errNotInScene)
}

func (l *Library) read(name string) (*Image, error) {
	known, ok := l.images[name]
	if !ok {
		return nil, fmt.Errorf("image %s is %w", name, errNotInScene)
	}
	if !l.keypoints.Has(name) {
		return known, nil
	}
	rows, err := l.keypoints.Float32(name, nil)
	if err != nil {
		return nil, err
	}
	im := *known
	im.Path = l.keypoints.Path(name)
	size := l.keypoints.Header().DSize
	if size < 2 {
		return nil, &kapture.InputError{Path: im.Path, Msg: fmt.Sprintf("want keypoints of 2 values at least, x and y, found %d", size)}
	}
	im.Keypoints = make([][2]float64, len(rows)/size)
	for i := range im.Keypoints {
		im.Keypoints[i] = [2]float64{float64(rows[i*size]), float64(rows[i*size+1])}
	}
	return &im, nil
}
