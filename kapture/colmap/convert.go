package colmap

import "locbench/kapture"

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
