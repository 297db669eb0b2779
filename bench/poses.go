package bench

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"locbench/kapture"
	"locbench/localize"
	"locbench/scenes"
)

// writePoses writes a kapture dataset of the localized queries into the folder
// dir of the run directory and returns the paths of its files.
func (p *Plan) writePoses(dir string, results []localize.Result) ([]string, error) {
	d := &kapture.Dataset{Sensors: []kapture.Sensor{}, Cameras: []kapture.FileRecord{}, Trajectories: []kapture.DevicePose{}}
	known := map[string]bool{}
	for i, im := range p.queries {
		if !results[i].OK {
			continue
		}
		id := p.sensorID(im)
		if !known[id] {
			known[id] = true
			sensor, ok := p.scene.Sensor(im)
			if !ok {
				sensor = kapture.Sensor{Type: "camera", Params: []string{"UNKNOWN_CAMERA", "0", "0"}}
			}
			sensor.ID = id
			d.Sensors = append(d.Sensors, sensor)
		}
		d.Cameras = append(d.Cameras, kapture.FileRecord{Timestamp: im.Timestamp, Sensor: id, Path: im.Name})
		d.Trajectories = append(d.Trajectories, kapture.DevicePose{Timestamp: im.Timestamp, Device: id,
			Pose: kapture.PartialPose{Pose: results[i].Pose, HasRotation: true, HasTranslation: true}})
	}
	if err := d.Write(filepath.Join(p.o.Out, dir)); err != nil {
		return nil, fmt.Errorf("write poses: %w", err)
	}
	return filesBelow(p.o.Out, dir)
}

// sensorID names the camera of a query in the poses of the run. Two query sets
// may use one id for different cameras, at the same times: then the split is
// put before it.
func (p *Plan) sensorID(im scenes.Image) string {
	if p.sensorsClash() {
		return splitOf(im) + "/" + im.Camera
	}
	return im.Camera
}

// sensorsClash reports whether two queries of different splits share camera id
// and timestamp.
func (p *Plan) sensorsClash() bool {
	if p.clash == nil {
		type key struct {
			camera string
			at     int64
		}
		split := map[key]string{}
		clash := false
		for _, im := range p.queries {
			k := key{im.Camera, im.Timestamp}
			if s, ok := split[k]; ok && s != im.Split {
				clash = true
			}
			split[k] = im.Split
		}
		p.clash = &clash
	}
	return *p.clash
}

// writeSubmission writes the file for the evaluation server.
func (p *Plan) writeSubmission(name string, results []localize.Result) (string, error) {
	style, err := localize.ParseStyle(string(p.scene.Submission))
	if err != nil {
		return "", err
	}
	var poses []localize.NamedPose
	for i, im := range p.queries {
		if results[i].OK {
			poses = append(poses, localize.NamedPose{Name: im.Name, Pose: results[i].Pose})
		}
	}
	file, err := p.place(name)
	if err != nil {
		return "", err
	}
	return name, localize.WriteSubmission(file, style, poses)
}

// filesBelow lists the files in a folder of the run directory, sorted, relative
// to the run directory.
func filesBelow(root, dir string) ([]string, error) {
	var files []string
	err := fs.WalkDir(os.DirFS(root), path.Clean(filepath.ToSlash(dir)), func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, name)
		}
		return err
	})
	slices.Sort(files)
	return files, err
}
