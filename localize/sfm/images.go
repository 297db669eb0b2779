package sfm

import (
	"fmt"

	"locbench/kapture"
	"locbench/kapture/camera"
	"locbench/kapture/geom"
)

// Image is what localization knows of an image. It is read only.
type Image struct {
	Name          string
	Camera        *camera.Camera // nil: not known
	Width, Height int            // pixels; 0: not known
	Pose          geom.Pose      // of mapping images
	Keypoints     [][2]float64   // pixels of the distorted image; NaN matches nothing
	Path          string         // the file of the keypoints, for messages
}

// Images finds images by name. It is safe for concurrent use.
type Images interface {
	Image(name string) (*Image, error)
}

// Matches are those between two images, Keypoint1 in image1. It is safe for
// concurrent use.
type Matches interface {
	Read(image1, image2 string) ([]kapture.Match, error)
}

// between reads matches and checks that both images have the keypoints. An image
// without keypoints has no matches.
func between(m Matches, a, b *Image) ([]kapture.Match, error) {
	if len(a.Keypoints) == 0 || len(b.Keypoints) == 0 {
		return nil, nil
	}
	matches, err := m.Read(a.Name, b.Name)
	if err != nil {
		return nil, err
	}
	for _, x := range matches {
		if err := a.holds(x.Keypoint1, b); err != nil {
			return nil, err
		}
		if err := b.holds(x.Keypoint2, a); err != nil {
			return nil, err
		}
	}
	return matches, nil
}

func (im *Image) holds(keypoint int, other *Image) error {
	if keypoint >= 0 && keypoint < len(im.Keypoints) {
		return nil
	}
	return &kapture.InputError{Path: im.Path, Msg: fmt.Sprintf("want keypoint %d, which is matched with %s, found %d keypoints", keypoint, other.Name, len(im.Keypoints))}
}
