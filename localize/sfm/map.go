package sfm

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture"
)

// Map is a set of points and the keypoints of mapping images that see them.
type Map struct {
	Points []r3.Vec // world, metres
	// Covariances of the points (m², row-major) for pixels with a standard
	// deviation of one; nil: not known, the points count as exact.
	Covariances [][9]float64
	// seen holds, by image, the point of each keypoint, −1: none. Images end
	// with the last keypoint that sees a point.
	seen map[string][]int32
}

func newMap() *Map { return &Map{seen: map[string][]int32{}} }

// mostKeypoints is more than any image has: one for every pixel of 4096 × 4096. A
// map holds as much memory as the highest number of a keypoint asks for.
const mostKeypoints = 1 << 24

// MapOf returns the map that a kapture dataset holds, as one type of keypoints
// sees it. A view of a point that is not there, or by a keypoint that cannot be, is an
// InputError.
func MapOf(points *kapture.Points3D, seen *kapture.Observations, keypointsType, path string) (*Map, error) {
	m := newMap()
	m.Points = points.XYZ
	for ref, views := range seen.All() {
		if ref.KeypointsType != keypointsType {
			continue
		}
		if ref.Point >= len(m.Points) {
			return nil, &kapture.InputError{Path: path, Msg: fmt.Sprintf("want observations of %d points, found point %d", len(m.Points), ref.Point)}
		}
		for _, v := range views {
			if v.Keypoint >= mostKeypoints {
				return nil, &kapture.InputError{Path: path, Msg: fmt.Sprintf("want keypoints below %d, found %d of %s", mostKeypoints, v.Keypoint, v.Image)}
			}
			m.add(v.Image, v.Keypoint, ref.Point)
		}
	}
	return m, nil
}

// Kapture returns the map as a kapture dataset holds it.
func (m *Map) Kapture(keypointsType string) (*kapture.Points3D, *kapture.Observations) {
	views := make([][]kapture.View, len(m.Points))
	for _, name := range m.Images() {
		for k, p := range m.seen[name] {
			if p >= 0 {
				views[p] = append(views[p], kapture.View{Image: name, Keypoint: k})
			}
		}
	}
	seen := new(kapture.Observations)
	for p, v := range views {
		if len(v) > 0 {
			seen.Add(p, keypointsType, v...)
		}
	}
	return &kapture.Points3D{XYZ: m.Points}, seen
}

// Images returns the names of the images that see points, sorted.
func (m *Map) Images() []string {
	names := make([]string, 0, len(m.seen))
	for name := range m.seen {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// PointOf returns the point that a keypoint sees.
func (m *Map) PointOf(image string, keypoint int) (point int, ok bool) {
	seen := m.seen[image]
	if keypoint < 0 || keypoint >= len(seen) || seen[keypoint] < 0 {
		return 0, false
	}
	return int(seen[keypoint]), true
}

func (m *Map) covariance(point int) [9]float64 {
	if m.Covariances == nil {
		return [9]float64{}
	}
	return m.Covariances[point]
}

func (m *Map) add(image string, keypoint, point int) {
	seen := m.seen[image]
	for len(seen) <= keypoint {
		seen = append(seen, -1)
	}
	seen[keypoint] = int32(point)
	m.seen[image] = seen
}

// gather puts the points of all tracks into the map, in order.
func (b *Built) gather(known []*Image, points [][]point) {
	square := 0.0
	for _, track := range points {
		for _, p := range track {
			for _, v := range p.views {
				b.Map.add(known[v.image].Name, int(v.keypoint), len(b.Map.Points))
			}
			b.Map.Points = append(b.Map.Points, p.x)
			b.Map.Covariances = append(b.Map.Covariances, p.covariance)
			b.Views += len(p.views)
			square += p.square
		}
	}
	b.RMSEPx = math.Sqrt(square / float64(max(1, b.Views)))
}
