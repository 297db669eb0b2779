package scenes

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"locbench/kapture"
)

// dataset checks the tables of one part against each other.
func (v *verifier) dataset(p *part) {
	for _, w := range p.data.Warnings() {
		v.problems = append(v.problems, warning(p.dir, w))
	}
	v.sensors(p)
	v.poses(p)
	path := p.table("records_camera")
	for _, i := range p.unclaimed {
		v.add(Problem{Path: path, Line: v.lines.at(path, i), Severity: Warning, Check: "image of no split"},
			"image %s matches no entry of queries and is not a query", p.data.Cameras[i].Path)
	}
}

// warning takes a warning of package kapture apart: "path[:line]: message".
func warning(dir, text string) Problem {
	at, msg, ok := strings.Cut(text, ": ")
	if !ok {
		at, msg = dir, text
	}
	w := Problem{Path: filepath.FromSlash(at), Severity: Warning, Check: "odd table", Msg: msg}
	if i := strings.LastIndexByte(at, ':'); i > 0 {
		if line, err := strconv.Atoi(at[i+1:]); err == nil {
			w.Path, w.Line = filepath.FromSlash(at[:i]), line
		}
	}
	return w
}

// sensors checks that every image has a camera, and every camera its parameters.
func (v *verifier) sensors(p *part) {
	path := p.table("sensors")
	for i, s := range p.data.Sensors {
		if s.Type != "camera" {
			continue
		}
		_, err := s.Camera()
		if bad, ok := errors.AsType[*kapture.InputError](err); ok {
			v.add(Problem{Path: path, Line: v.lines.at(path, i), Severity: Error, Check: "camera parameters"}, "sensor %s: %s", s.ID, bad.Msg)
		}
	}
	path = p.table("records_camera")
	for i, rec := range p.data.Cameras {
		at := Problem{Path: path, Severity: Error, Check: "image without camera"}
		s, known := p.data.Sensor(rec.Sensor)
		if known && s.Type == "camera" && !unknownModel(s) {
			continue
		}
		at.Line = v.lines.at(path, i)
		switch {
		case !known:
			v.add(at, "image %s: want a camera of sensors.txt, found %q", rec.Path, rec.Sensor)
		case s.Type != "camera":
			v.add(at, "image %s: want a camera, found sensor %s of type %s", rec.Path, rec.Sensor, s.Type)
		case p.query:
			at.Severity = Warning
			v.add(at, "query %s: camera %s is an UNKNOWN_CAMERA: methods that use intrinsics cannot localize it", rec.Path, rec.Sensor)
		}
	}
}

func unknownModel(s kapture.Sensor) bool {
	c, err := s.Camera()
	return err == nil && c.Model == "UNKNOWN_CAMERA"
}

// poses reports mapping images without a pose, and queries without ground truth
// where others of the same dataset have it: a dataset without any is a
// benchmark's that keeps its ground truth to itself.
func (v *verifier) poses(p *part) {
	var without []int
	for i, rec := range p.data.Cameras {
		if pose, ok := p.poses[rec.Path]; !ok || !pose.Complete() {
			without = append(without, i)
		}
	}
	if p.query && len(without) == len(p.data.Cameras) {
		return
	}
	path := p.table("records_camera")
	for _, i := range without {
		rec := p.data.Cameras[i]
		at := Problem{Path: path, Line: v.lines.at(path, i), Severity: Error, Check: "image without pose"}
		what := "mapping image"
		if p.query {
			at.Severity, what = Warning, "query"
		}
		v.add(at, "%s %s: want a pose of device %s (or its rig) at %d, found %s", what, rec.Path, rec.Sensor, rec.Timestamp, lacks(p.poses, rec.Path))
	}
}

func lacks(poses map[string]kapture.PartialPose, image string) string {
	pose, ok := poses[image]
	switch {
	case !ok || !pose.HasRotation && !pose.HasTranslation:
		return "none"
	case !pose.HasRotation:
		return "one without rotation"
	}
	return "one without translation"
}

// files reports images that are not on disk. Datasets often come without any
// image; that is worth one warning.
func (v *verifier) files(p *part) {
	var missing []int
	for i, rec := range p.data.Cameras {
		info, err := os.Stat(p.imageFile(rec.Path))
		if err == nil && info.Mode().IsRegular() {
			continue
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			v.add(Problem{Path: p.imageFile(rec.Path), Severity: Error, Check: "image file"}, "%v", err)
			continue
		}
		missing = append(missing, i)
	}
	if len(missing) > 0 && len(missing) == len(p.data.Cameras) {
		v.add(Problem{Path: filepath.Join(p.dir, "sensors", "records_data"), Severity: Warning, Check: "image file"},
			"none of the %d image files is here: features cannot be extracted, and reports show no images", len(missing))
		return
	}
	path := p.table("records_camera")
	for _, i := range missing {
		v.add(Problem{Path: path, Line: v.lines.at(path, i), Severity: Error, Check: "image file"},
			"image %s: want the file %s, found none", p.data.Cameras[i].Path, p.imageFile(p.data.Cameras[i].Path))
	}
}

// imageFile returns the path of an image of the part.
func (p *part) imageFile(image string) string {
	return filepath.Join(p.dir, "sensors", "records_data", filepath.FromSlash(image))
}
