package synth

import (
	"fmt"
	"path/filepath"
	"strconv"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture"
	"locbench/kapture/geom"
)

// FeatureType is the name of the simulated keypoints and descriptors.
const FeatureType = "simulated"

// rigID is the rig's name in rigs.txt and trajectories.txt.
const rigID = "rig"

// datasets returns the kapture tables of the parts; nil where a part has no
// images.
func (p *plan) datasets() [parts]*kapture.Dataset {
	var out [parts]*kapture.Dataset
	m := &kapture.Dataset{Version: "1.1", Sensors: sensors(p.rig)}
	for i, l := range p.rig {
		m.Rigs = append(m.Rigs, kapture.RigMember{Rig: rigID, Sensor: l.id, Pose: complete(p.mounts[i])})
	}
	for i := range p.mapping {
		q := &p.mapping[i]
		if i%2 == 0 {
			m.Trajectories = append(m.Trajectories, kapture.DevicePose{
				Timestamp: q.timestamp, Device: rigID, Pose: complete(p.stops[i/2])})
		}
		m.Cameras = append(m.Cameras, q.record())
	}
	out[partMapping] = m
	for i := range p.queries {
		q := &p.queries[i]
		d := out[q.part]
		if d == nil {
			d = &kapture.Dataset{Version: "1.1", Sensors: sensors(p.hand)}
			out[q.part] = d
		}
		d.Trajectories = append(d.Trajectories, kapture.DevicePose{Timestamp: q.timestamp, Device: q.lens.id, Pose: complete(q.pose)})
		d.Cameras = append(d.Cameras, q.record())
	}
	return out
}

func complete(p geom.Pose) kapture.PartialPose {
	return kapture.PartialPose{Pose: p, HasRotation: true, HasTranslation: true}
}

func (q *picturePlan) record() kapture.FileRecord {
	return kapture.FileRecord{Timestamp: q.timestamp, Sensor: q.lens.id, Path: q.name}
}

func sensors(lenses []lens) []kapture.Sensor {
	out := make([]kapture.Sensor, len(lenses))
	for i, l := range lenses {
		params := []string{l.model, strconv.Itoa(l.width), strconv.Itoa(l.height)}
		for _, v := range l.params {
			params = append(params, strconv.FormatFloat(v, 'g', -1, 64))
		}
		out[i] = kapture.Sensor{ID: l.id, Name: l.id, Type: "camera", Params: params}
	}
	return out
}

// writeDatasets writes the tables of the parts and, of all together, of the
// ground truth.
func (p *plan) writeDatasets(dir string) error {
	var all []*kapture.Dataset
	for i, d := range p.datasets() {
		if d == nil {
			continue
		}
		if err := d.Write(filepath.Join(dir, folders[i])); err != nil {
			return fmt.Errorf("write %s: %w", folders[i], err)
		}
		all = append(all, d)
	}
	truth, err := kapture.Merge(all...)
	if err != nil {
		return fmt.Errorf("merge the scene's datasets: %w", err)
	}
	return truth.Write(filepath.Join(dir, truthFolder))
}

// writeTruth writes the spots that some image shows, and which keypoints
// show them; ids has the spots of each picture's keypoints.
func (p *plan) writeTruth(dir string, ids [][]int32) error {
	views := make([]int32, len(p.spots.all)+1) // by spot: views of those before it
	for _, row := range ids {
		for _, id := range row {
			views[id+1]++ // -1, clutter, falls on views[0]
		}
	}
	views[0] = 0
	for i := 1; i < len(views); i++ {
		views[i] += views[i-1]
	}
	type view struct{ picture, keypoint int32 }
	bySpot := make([]view, views[len(views)-1])
	next := append([]int32(nil), views...)
	for i, row := range ids {
		for k, id := range row {
			if id >= 0 {
				bySpot[next[id]] = view{int32(i), int32(k)}
				next[id]++
			}
		}
	}
	var points kapture.Points3D
	var seen kapture.Observations
	var line []kapture.View
	for id, m := range p.spots.all {
		if views[id] == views[id+1] {
			continue
		}
		line = line[:0]
		for _, v := range bySpot[views[id]:views[id+1]] {
			line = append(line, kapture.View{Image: p.picture(int(v.picture)).name, Keypoint: int(v.keypoint)})
		}
		seen.Add(len(points.XYZ), FeatureType, line...)
		points.XYZ = append(points.XYZ, round(m.at))
		points.Colors = append(points.Colors, bytesOf(m.color))
	}
	dir = filepath.Join(dir, truthFolder)
	if err := points.Write(dir); err != nil {
		return err
	}
	return seen.Write(dir)
}

// bytesOf returns the 8-bit sRGB values of a colour in daylight.
func bytesOf(c rgb) [3]float32 {
	return [3]float32{float32(level(c.R, 0)), float32(level(c.G, 0)), float32(level(c.B, 0))}
}

// round rounds to the micrometre, which keeps the text short.
func round(p r3.Vec) r3.Vec {
	f := func(v float64) float64 {
		r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'f', 6, 64), 64)
		return r
	}
	return r3.Vec{X: f(p.X), Y: f(p.Y), Z: f(p.Z)}
}
