package kapture

import (
	"fmt"
	"slices"
	"strings"

	"locbench/kapture/geom"
)

// mount is a rig that a device is mounted on.
type mount struct {
	rig  string
	pose PartialPose // rig → device
}

// mounts returns, for every device, the rigs it is mounted on, in the order of
// rigs.txt.
func (d *Dataset) mounts() map[string][]mount {
	up := make(map[string][]mount, len(d.Rigs))
	for _, m := range d.Rigs {
		up[m.Sensor] = append(up[m.Sensor], mount{rig: m.Rig, pose: m.Pose})
	}
	return up
}

// Then returns the pose that applies p first and q second, as far as their
// parts are known: a rotation needs both rotations, a translation both
// translations and q's rotation.
func (p PartialPose) Then(q PartialPose) PartialPose {
	r := PartialPose{
		Pose:           p.Pose.Then(q.Pose),
		HasRotation:    p.HasRotation && q.HasRotation,
		HasTranslation: p.HasTranslation && q.HasTranslation && q.HasRotation,
	}
	if !r.HasRotation {
		r.R = geom.Identity().R
	}
	if !r.HasTranslation {
		r.T = geom.Identity().T
	}
	return r
}

// some reports whether any part of the pose is known.
func (p PartialPose) some() bool { return p.HasRotation || p.HasTranslation }

// posesAt is a trajectory's index.
type posesAt map[deviceTime]PartialPose

type deviceTime struct {
	timestamp int64
	device    string
}

// ImagePoses returns the pose of every image that has one, world → camera, by
// the image's path. The camera's own trajectory is taken if it holds any part
// of the pose at the image's time; else that of the rig it is mounted on, or of
// the nearest rig above in a nest of rigs, composed with the poses of the
// mounts on the way. Rigs that are mounted in a circle are an [InputError].
func (d *Dataset) ImagePoses() (map[string]PartialPose, error) {
	up := d.mounts()
	if ring := rigCycle(up); ring != nil {
		return nil, &InputError{Path: d.path(rigsTable().file), Msg: cycleMessage(ring)}
	}
	at := make(posesAt, len(d.Trajectories))
	for _, p := range d.Trajectories {
		at[deviceTime{p.Timestamp, p.Device}] = p.Pose
	}
	poses := make(map[string]PartialPose, len(d.Cameras))
	for _, c := range d.Cameras {
		if p := at.find(up, c.Timestamp, c.Sensor); p.some() {
			poses[c.Path] = p
		}
	}
	return poses, nil
}

// find returns a device's pose at a time: its own, or by the nearest rig.
// Devices are visited in order of their distance in mounts.
func (at posesAt) find(up map[string][]mount, timestamp int64, device string) PartialPose {
	if p := at[deviceTime{timestamp, device}]; p.some() {
		return p
	}
	identity := PartialPose{Pose: geom.Identity(), HasRotation: true, HasTranslation: true}
	queue := []mount{{rig: device, pose: identity}}
	for len(queue) > 0 {
		here := queue[0]
		queue = queue[1:]
		for _, m := range up[here.rig] {
			next := mount{rig: m.rig, pose: m.pose.Then(here.pose)}
			if p := at[deviceTime{timestamp, m.rig}].Then(next.pose); p.some() {
				return p
			}
			queue = append(queue, next)
		}
	}
	return PartialPose{}
}

// RigOf returns the outermost rig that a sensor is mounted on, by the first line
// of rigs.txt at each level, and the pose rig → sensor; false if it is on none or
// a pose on the way is not complete.
func (d *Dataset) RigOf(sensor string) (rig string, pose geom.Pose, ok bool) {
	up := d.mounts()
	rig, pose = sensor, geom.Identity()
	for range len(up) { // rigs in a circle are refused when a dataset is opened
		on := up[rig]
		if len(on) == 0 {
			break
		}
		if !on[0].pose.Complete() {
			return "", geom.Identity(), false
		}
		rig, pose = on[0].rig, on[0].pose.Pose.Then(pose)
	}
	return rig, pose, rig != sensor
}

// rigCycle returns a ring of rigs that are mounted on each other, or nil.
func rigCycle(up map[string][]mount) []string {
	devices := make([]string, 0, len(up))
	for device := range up {
		devices = append(devices, device)
	}
	slices.Sort(devices)
	s := cycleSearch{up: up, state: map[string]visit{}}
	for _, device := range devices {
		if ring := s.from(device); ring != nil {
			return ring
		}
	}
	return nil
}

type visit int

const (
	unseen visit = iota
	onTrail
	finished
)

// cycleSearch is a depth-first search upwards with its trail.
type cycleSearch struct {
	up    map[string][]mount
	state map[string]visit
	trail []string
}

func (s *cycleSearch) from(device string) []string {
	switch s.state[device] {
	case finished:
		return nil
	case onTrail:
		return slices.Clone(s.trail[slices.Index(s.trail, device):])
	}
	s.state[device] = onTrail
	s.trail = append(s.trail, device)
	for _, m := range s.up[device] {
		if ring := s.from(m.rig); ring != nil {
			return ring
		}
	}
	s.trail = s.trail[:len(s.trail)-1]
	s.state[device] = finished
	return nil
}

func cycleMessage(ring []string) string {
	return "want rigs without a cycle, found " + strings.Join(append(ring, ring[0]), " on ")
}

// checkRigs reports rigs with a sensor's id and rigs in a circle.
func (d *Dataset) checkRigs(bad *problems) {
	file := d.path(rigsTable().file)
	sensors := make(map[string]bool, len(d.Sensors))
	for _, s := range d.Sensors {
		sensors[s.ID] = true
	}
	reported := map[string]bool{}
	for _, m := range d.Rigs {
		if sensors[m.Rig] && !reported[m.Rig] {
			reported[m.Rig] = true
			bad.addf(file, 0, "want a rig_id that is no sensor_id, found %s", quote(m.Rig))
		}
	}
	if ring := rigCycle(d.mounts()); ring != nil {
		bad.addf(file, 0, "%s", cycleMessage(ring))
	}
}

// warnUnknownDevices notes poses and records of devices that have no line in
// sensors.txt or rigs.txt. The Python reader drops such lines in silence.
func (d *Dataset) warnUnknownDevices() {
	known := map[string]bool{}
	for _, s := range d.Sensors {
		known[s.ID] = true
	}
	for _, m := range d.Rigs {
		known[m.Rig] = true
	}
	warnUnknown(d, trajectoriesTable(), d.Trajectories, known)
	warnUnknown(d, camerasTable(), d.Cameras, known)
	warnUnknown(d, depthsTable(), d.Depths, known)
	warnUnknown(d, lidarsTable(), d.Lidars, known)
	warnUnknown(d, gnssTable(), d.GNSS, known)
	warnUnknown(d, wifiTable(), d.Wifi, known)
	warnUnknown(d, bluetoothTable(), d.Bluetooth, known)
	warnUnknown(d, accelerometerTable(), d.Accelerometer, known)
	warnUnknown(d, gyroscopeTable(), d.Gyroscope, known)
	warnUnknown(d, magneticTable(), d.Magnetic, known)
}

func warnUnknown[T any](d *Dataset, c codec[T], rows []T, known map[string]bool) {
	count, first := 0, ""
	for _, v := range rows {
		if id := c.key(v).a; !known[id] {
			if count == 0 {
				first = id
			}
			count++
		}
	}
	if count > 0 {
		d.warnings = append(d.warnings, fmt.Sprintf("%s: %d lines of devices that sensors.txt and rigs.txt do not name, the first %s",
			d.path(c.file), count, quote(first)))
	}
}
