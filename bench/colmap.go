package bench

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"locbench/kapture"
	"locbench/kapture/colmap"
	"locbench/kapture/geom"
	"locbench/localize/sfm"
	"locbench/scenes"
)

// sameKeypoint is how far, in pixels, a keypoint of a COLMAP model may be from the
// scene's keypoint of the same number.
const sameKeypoint = 1

// ReadColmapMap reads a COLMAP model of a scene's mapping images as a map that one
// type of keypoints sees ("": the only one of the scene). A model of other images
// or other keypoints is a kapture.InputError. moved is the largest difference of
// the model's poses and the scene's.
func ReadColmapMap(scene *scenes.Scene, dir, localFeatures string) (m *sfm.Map, keypoints string, moved geom.PoseError, err error) {
	local, err := openOnly(scene, localFeatures)
	if err != nil {
		return nil, "", moved, err
	}
	defer local.Close()
	model, err := colmap.Read(dir)
	if err != nil {
		return nil, "", moved, err
	}
	if moved, err = sameImages(scene, local, model, dir); err != nil {
		return nil, "", moved, err
	}
	points, seen := model.Reconstruction(local.name)
	m, err = sfm.MapOf(points, seen, local.name, dir)
	return m, local.name, moved, err
}

// openOnly opens the local features that are meant.
func openOnly(scene *scenes.Scene, name string) (*openLocal, error) {
	features, why, err := findLocal(scene, name, false)
	if err != nil {
		return nil, err
	}
	if features == nil {
		return nil, usagef("want local features that see the map: %s", why)
	}
	return features.open(scene)
}

// sameImages holds the images of a model against the scene's.
func sameImages(scene *scenes.Scene, local *openLocal, model *colmap.Model, dir string) (moved geom.PoseError, err error) {
	wrong := func(format string, args ...any) error {
		return &kapture.InputError{Path: filepath.Clean(dir), Msg: fmt.Sprintf(format, args...)}
	}
	for i := range model.Images {
		im := &model.Images[i]
		at, ok := findImage(scene.Mapping(), im.Name)
		if !ok {
			return moved, wrong("want mapping images of the scene, found %s", im.Name)
		}
		if of := scene.Mapping()[at]; of.HasPose {
			e := geom.Error(of.Pose, im.Pose)
			moved = geom.PoseError{Meters: max(moved.Meters, e.Meters), Degrees: max(moved.Degrees, e.Degrees)}
		}
		known, err := local.library.Image(im.Name)
		if err != nil {
			return moved, err
		}
		for k, p := range im.Keypoints {
			if p.Point == colmap.NoPoint {
				continue
			}
			if k >= len(known.Keypoints) {
				return moved, wrong("want the %d keypoints %s of %s, found keypoint %d", len(known.Keypoints), local.name, im.Name, k)
			}
			if d := math.Hypot(known.Keypoints[k][0]-p.X, known.Keypoints[k][1]-p.Y); !(d <= sameKeypoint) {
				return moved, wrong("want the keypoints %s of %s, found keypoint %d %.1f pixels off", local.name, im.Name, k, d)
			}
		}
	}
	return moved, nil
}

// WriteColmap writes a map of a scene's mapping images as a COLMAP model: the
// images that have poses, with all of their keypoints. Points have no colours.
func WriteColmap(dir string, form colmap.Form, scene *scenes.Scene, m *sfm.Map, keypoints string) error {
	local, err := openOnly(scene, keypoints)
	if err != nil {
		return err
	}
	defer local.Close()
	model, numbers := &colmap.Model{}, map[string]uint32{}
	cameras := map[[2]string]uint32{}
	for _, im := range scene.Mapping() {
		if !im.HasPose {
			continue
		}
		key := [2]string{scene.Dataset(im), im.Camera}
		if cameras[key] == 0 {
			c, err := colmapCamera(scene, im, uint32(len(cameras)+1))
			if err != nil {
				return err
			}
			cameras[key] = c.ID
			model.Cameras = append(model.Cameras, c)
		}
		known, err := local.library.Image(im.Name)
		if err != nil {
			return err
		}
		image := colmap.Image{ID: uint32(len(model.Images) + 1), Pose: im.Pose, Camera: cameras[key], Name: im.Name, Keypoints: make([]colmap.Keypoint, len(known.Keypoints))}
		for k, p := range known.Keypoints {
			image.Keypoints[k] = colmap.Keypoint{X: p[0], Y: p[1], Point: colmap.NoPoint}
		}
		numbers[im.Name] = image.ID
		model.Images = append(model.Images, image)
	}
	if err := addPoints(model, m, keypoints, numbers, local.library); err != nil {
		return err
	}
	return model.Write(dir, form)
}

func colmapCamera(scene *scenes.Scene, im scenes.Image, id uint32) (colmap.Camera, error) {
	sensor, ok := scene.Sensor(im)
	if !ok {
		return colmap.Camera{}, &kapture.InputError{Path: scene.Dir, Msg: "want a camera for " + im.Name + ", found none"}
	}
	p, err := sensor.Camera()
	if err != nil {
		return colmap.Camera{}, err
	}
	return colmap.Camera{ID: id, Model: p.Model, Width: uint64(p.Width), Height: uint64(p.Height), Params: p.Params}, nil
}

// addPoints adds the points of a map, numbered from 1, with the mean error of
// their views.
func addPoints(model *colmap.Model, m *sfm.Map, keypoints string, numbers map[string]uint32, images sfm.Images) error {
	points, seen := m.Kapture(keypoints)
	for ref, views := range seen.All() {
		p := colmap.Point{ID: uint64(ref.Point + 1), XYZ: points.XYZ[ref.Point]}
		sum := 0.0
		for _, v := range views {
			number, ok := numbers[v.Image]
			if !ok {
				return &kapture.InputError{Path: v.Image, Msg: "want an image of the map with a pose in the scene, found none"}
			}
			im, err := images.Image(v.Image)
			if err != nil {
				return err
			}
			keypoint := &model.Images[number-1].Keypoints[v.Keypoint]
			keypoint.Point = p.ID
			if im.Camera != nil {
				if x, y, ok := im.Camera.Project(im.Pose.Apply(p.XYZ)); ok {
					sum += math.Hypot(x-keypoint.X, y-keypoint.Y)
				}
			}
			p.Track = append(p.Track, colmap.Observation{Image: number, Keypoint: uint32(v.Keypoint)})
		}
		p.Error = sum / float64(max(len(views), 1))
		model.Points = append(model.Points, p)
	}
	slices.SortFunc(model.Points, func(a, b colmap.Point) int { return int(a.ID) - int(b.ID) })
	return nil
}
