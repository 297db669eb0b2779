package colmap

import (
	"strconv"

	"locbench/kapture"
)

// Reconstruction returns points and observations as a kapture dataset holds them:
// points by ascending id, seen by one type of keypoints.
func (m *Model) Reconstruction(keypointsType string) (*kapture.Points3D, *kapture.Observations) {
	points, seen := &kapture.Points3D{}, &kapture.Observations{}
	for i := range m.Points {
		p := &m.Points[i]
		points.XYZ = append(points.XYZ, p.XYZ)
		points.Colors = append(points.Colors, [3]float32{float32(p.RGB[0]), float32(p.RGB[1]), float32(p.RGB[2])})
		views := make([]kapture.View, 0, len(p.Track))
		for _, o := range p.Track {
			im, _ := m.image(o.Image)
			views = append(views, kapture.View{Image: im.Name, Keypoint: int(o.Keypoint)})
		}
		seen.Add(i, keypointsType, views...)
	}
	return points, seen
}

// Dataset returns cameras, images and poses as a kapture dataset: camera N is
// sensor camN, and an image's time is its id.
func (m *Model) Dataset() *kapture.Dataset {
	d := &kapture.Dataset{}
	for _, c := range m.Cameras {
		params := []string{c.Model, strconv.FormatUint(c.Width, 10), strconv.FormatUint(c.Height, 10)}
		for _, p := range c.Params {
			params = append(params, strconv.FormatFloat(p, 'g', -1, 64))
		}
		d.Sensors = append(d.Sensors, kapture.Sensor{ID: sensor(c.ID), Type: "camera", Params: params})
	}
	for i := range m.Images {
		im := &m.Images[i]
		d.Cameras = append(d.Cameras, kapture.FileRecord{Timestamp: int64(im.ID), Sensor: sensor(im.Camera), Path: im.Name})
		d.Trajectories = append(d.Trajectories, kapture.DevicePose{Timestamp: int64(im.ID), Device: sensor(im.Camera),
			Pose: kapture.PartialPose{Pose: im.Pose, HasRotation: true, HasTranslation: true}})
	}
	return d
}

func sensor(camera uint32) string { return "cam" + strconv.FormatUint(uint64(camera), 10) }
