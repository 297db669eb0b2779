package bench

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"locbench/kapture"
	"locbench/localize"
	"locbench/scenes"
)

// writePoses writes the dataset of the localized queries into the folder dir of
// the run directory and returns the paths of its files.
func (p *Plan) writePoses(dir string, results []localize.Result) ([]string, error) {
	if err := p.poses(results).Write(filepath.Join(p.o.Out, dir)); err != nil {
		return nil, fmt.Errorf("write poses: %w", err)
	}
	return filesBelow(p.o.Out, dir)
}

// poses returns a kapture dataset of the localized queries.
func (p *Plan) poses(results []localize.Result) *kapture.Dataset {
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
	return d
}

// sensorID names the camera of a query in the poses of the run. Two query
// datasets may use one id for different cameras, or at the same times: then the
// dataset is put before it.
func (p *Plan) sensorID(im scenes.Image) string {
	if p.sensorsClash() {
		return strings.ReplaceAll(p.scene.Dataset(im), ",", "_") + "/" + im.Camera
	}
	return im.Camera
}

// sensorsClash reports whether queries of different datasets share a camera id
// and a time, or a camera id that stands for different cameras.
func (p *Plan) sensorsClash() bool {
	if p.clash == nil {
		clash := p.findClash()
		p.clash = &clash
	}
	return *p.clash
}

func (p *Plan) findClash() bool {
	type moment struct {
		camera string
		at     int64
	}
	taken := map[moment]string{}           // the dataset
	cameras := map[string]kapture.Sensor{} // by id
	for _, im := range p.queries {
		at, dataset := moment{im.Camera, im.Timestamp}, p.scene.Dataset(im)
		if other, ok := taken[at]; ok && other != dataset {
			return true
		}
		taken[at] = dataset
		sensor, _ := p.scene.Sensor(im)
		other, ok := cameras[im.Camera]
		if ok && (other.Type != sensor.Type || !slices.Equal(other.Params, sensor.Params)) {
			return true
		}
		cameras[im.Camera] = sensor
	}
	return false
}

// sensorsHash is a hash of the cameras that writePoses writes.
func (p *Plan) sensorsHash() string {
	d := newDigest("sensors")
	for _, im := range p.queries {
		sensor, _ := p.scene.Sensor(im)
		d.add(p.sensorID(im), sensor.Name, sensor.Type)
		d.add(sensor.Params...)
	}
	return d.sum()
}

// writeSubmission writes the file for the evaluation server.
func (p *Plan) writeSubmission(name string, results []localize.Result) (string, error) {
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
	return name, localize.WriteSubmission(file, p.style, poses)
}

// warnEmptySplits names the splits of which a submission holds no query: the
// evaluation server gives 0 for them, and does not say why. Scenes whose ground
// truth is here need no server.
func (p *Plan) warnEmptySplits(f *feature, method string, results [][]localize.Result) {
	if p.style == "" || p.knowsTruth() {
		return
	}
	splits := p.splits()
	if len(splits) > 1 {
		splits = splits[1:] // without all
	}
	for _, split := range splits {
		var without []string
		for ki, k := range p.topk {
			localized := 0
			for qi, im := range p.queries {
				if results[ki][qi].OK && split.Holds(im.Split) {
					localized++
				}
			}
			if localized == 0 && split.Queries > 0 {
				without = append(without, strconv.Itoa(k.K))
			}
		}
		if len(without) > 0 {
			p.o.Log.Warn(fmt.Sprintf("submissions of %s by %s, top %s, hold none of the %d queries of split %s: the evaluation server gives 0 for it", f.name, method, strings.Join(without, ", "), split.Queries, split.Name))
		}
	}
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
