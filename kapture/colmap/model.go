package colmap

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture"
	"locbench/kapture/camera"
	"locbench/kapture/geom"
)

// Model is a sparse model: cameras, images and points by ascending id.
type Model struct {
	Cameras []Camera
	Images  []Image
	Points  []Point
}

// Camera is a camera with the parameters of its model, in COLMAP's order.
type Camera struct {
	ID            uint32
	Model         string // such as "OPENCV"
	Width, Height uint64 // pixels
	Params        []float64
}

// Image is an image with a pose.
type Image struct {
	ID        uint32
	Pose      geom.Pose // world → camera
	Camera    uint32
	Name      string // a path with slashes
	Keypoints []Keypoint
}

// Keypoint is a point of an image.
type Keypoint struct {
	X, Y  float64 // pixels
	Point uint64  // that it sees; NoPoint: none
}

// NoPoint stands for no point.
const NoPoint = math.MaxUint64

// Point is a point of the world with the keypoints that see it.
type Point struct {
	ID    uint64
	XYZ   r3.Vec // metres
	RGB   [3]uint8
	Error float64 // mean reprojection error, pixels; negative: not known
	Track []Observation
}

// Observation is a keypoint of an image.
type Observation struct {
	Image    uint32
	Keypoint uint32 // index in Image.Keypoints
}

// Form is how a model is stored.
type Form string

// The forms.
const (
	Text   Form = "txt"
	Binary Form = "bin"
)

var parts = []string{"cameras", "images", "points3D"}

// FormOf returns the form of the model in a folder, binary if both are there.
func FormOf(dir string) (Form, error) {
	for _, form := range []Form{Binary, Text} {
		missing := 0
		for _, part := range parts {
			if _, err := os.Stat(file(dir, part, form)); errors.Is(err, fs.ErrNotExist) {
				missing++
			}
		}
		if missing == 0 {
			return form, nil
		}
	}
	return "", &kapture.InputError{Path: dir, Msg: "want a COLMAP model (cameras, images and points3D, as .bin or .txt), found none"}
}

func file(dir, part string, form Form) string { return filepath.Join(dir, part+"."+string(form)) }

// Read reads the model in a folder. Ids that come twice or name nothing, camera
// models that do not exist, tracks that do not agree with the images, names that
// lead out of a dataset and files that are cut short are a [kapture.InputError]
// with line or byte.
func Read(dir string) (*Model, error) {
	form, err := FormOf(dir)
	if err != nil {
		return nil, err
	}
	m := &Model{}
	read := m.readText
	if form == Binary {
		read = m.readBinary
	}
	if err := read(dir); err != nil {
		return nil, err
	}
	slices.SortFunc(m.Cameras, func(a, b Camera) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(m.Images, func(a, b Image) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(m.Points, func(a, b Point) int { return cmp.Compare(a.ID, b.ID) })
	return m, m.check(func(part string) string { return file(dir, part, form) })
}

// check reports what does not fit together. path names the files.
func (m *Model) check(path func(part string) string) error {
	wrong := func(part, format string, args ...any) error {
		return &kapture.InputError{Path: path(part), Msg: fmt.Sprintf(format, args...)}
	}
	for i, c := range m.Cameras {
		if i > 0 && m.Cameras[i-1].ID == c.ID {
			return wrong("cameras", "want every camera once, found %d twice", c.ID)
		}
		if _, err := camera.New(c.Model, c.Params); err != nil {
			return wrong("cameras", "camera %d: %v", c.ID, err)
		}
	}
	names := make(map[string]bool, len(m.Images))
	for i := range m.Images {
		im := &m.Images[i]
		if i > 0 && m.Images[i-1].ID == im.ID {
			return wrong("images", "want every image once, found %d twice", im.ID)
		}
		if names[im.Name] {
			return wrong("images", "want a different name for each image, found %q twice", im.Name)
		}
		names[im.Name] = true
		if _, ok := m.camera(im.Camera); !ok {
			return wrong("images", "image %d: want a camera of the model, found %d", im.ID, im.Camera)
		}
	}
	return m.checkTracks(wrong)
}

func (m *Model) checkTracks(wrong func(part, format string, args ...any) error) error {
	seen := 0
	for i := range m.Points {
		p := &m.Points[i]
		if i > 0 && m.Points[i-1].ID == p.ID {
			return wrong("points3D", "want every point once, found %d twice", p.ID)
		}
		for _, o := range p.Track {
			im, ok := m.image(o.Image)
			if !ok {
				return wrong("points3D", "point %d: want images of the model, found %d", p.ID, o.Image)
			}
			if int(o.Keypoint) >= len(im.Keypoints) || im.Keypoints[o.Keypoint].Point != p.ID {
				return wrong("points3D", "point %d: want keypoints that see it, found keypoint %d of image %d", p.ID, o.Keypoint, o.Image)
			}
		}
		seen += len(p.Track)
	}
	for i := range m.Images {
		for _, k := range m.Images[i].Keypoints {
			if k.Point != NoPoint {
				seen--
			}
		}
	}
	if seen != 0 {
		return wrong("images", "want every keypoint that sees a point in the point's track, once, found %d views more there than here", seen)
	}
	return nil
}

func (m *Model) camera(id uint32) (*Camera, bool) {
	i, ok := slices.BinarySearchFunc(m.Cameras, id, func(c Camera, id uint32) int { return cmp.Compare(c.ID, id) })
	if !ok {
		return nil, false
	}
	return &m.Cameras[i], true
}

func (m *Model) image(id uint32) (*Image, bool) {
	i, ok := slices.BinarySearchFunc(m.Images, id, func(im Image, id uint32) int { return cmp.Compare(im.ID, id) })
	if !ok {
		return nil, false
	}
	return &m.Images[i], true
}

// Write writes the model into a folder, which is made if need be. Each file is
// written whole or not at all. A model of the other form in the folder is not
// touched: readers would not know which to believe, so Write refuses then.
func (m *Model) Write(dir string, form Form) error {
	if form != Text && form != Binary {
		return fmt.Errorf("want a COLMAP model as txt or bin, found %q", form)
	}
	other := Text
	if form == Text {
		other = Binary
	}
	for _, part := range parts {
		if _, err := os.Stat(file(dir, part, other)); err == nil {
			return fmt.Errorf("write COLMAP model: want a folder without %s.%s, found one in %s", part, other, dir)
		}
	}
	if err := m.check(func(part string) string { return file(dir, part, form) }); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if form == Text {
		return m.writeText(dir)
	}
	return m.writeBinary(dir)
}

// modelNames are COLMAP's camera models by their number, which kapture names
// alike, and how many parameters they have.
var modelNames = []struct {
	name   string
	params int
}{
	{"SIMPLE_PINHOLE", 3}, {"PINHOLE", 4}, {"SIMPLE_RADIAL", 4}, {"RADIAL", 5}, {"OPENCV", 8}, {"OPENCV_FISHEYE", 8},
	{"FULL_OPENCV", 12}, {"FOV", 5}, {"SIMPLE_RADIAL_FISHEYE", 4}, {"RADIAL_FISHEYE", 5}, {"THIN_PRISM_FISHEYE", 12},
}

func modelNumber(name string) uint32 {
	for i, m := range modelNames {
		if m.name == name {
			return uint32(i)
		}
	}
	panic("colmap: a camera model that was not checked")
}
