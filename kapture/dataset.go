package kapture

import (
	"io/fs"

	"locbench/kapture/geom"
)

// Sensor is one line of sensors.txt.
type Sensor struct {
	ID     string
	Name   string
	Type   string   // "camera", "depth", "lidar", "gnss", "wifi", "bluetooth", "accelerometer", "gyroscope", "magnetic", …
	Params []string // as in the file: for a camera its model, width, height and the model's parameters
}

// RigMember is one line of rigs.txt: a sensor, or another rig, mounted on a rig.
type RigMember struct {
	Rig    string
	Sensor string
	Pose   PartialPose // rig → sensor
}

// PartialPose is a pose of which the rotation, the translation or both may be
// unknown. A pose without rotation holds the identity there.
type PartialPose struct {
	geom.Pose
	HasRotation    bool
	HasTranslation bool
}

// Complete reports whether rotation and translation are both known.
func (p PartialPose) Complete() bool { return p.HasRotation && p.HasTranslation }

// DevicePose is one line of trajectories.txt: the pose of a sensor or a rig at
// a time, world → device.
type DevicePose struct {
	Timestamp int64
	Device    string
	Pose      PartialPose
}

// FileRecord is one line of records_camera.txt, records_depth.txt or
// records_lidar.txt: a file that a sensor recorded. Its path, relative to
// sensors/records_data, is the name of the image everywhere else.
type FileRecord struct {
	Timestamp int64
	Sensor    string
	Path      string
}

// GNSSRecord is one line of records_gnss.txt, in the sensor's own EPSG frame.
type GNSSRecord struct {
	Timestamp int64
	Sensor    string
	X, Y, Z   float64
	UTC, DOP  float64
}

// WifiRecord is one line of records_wifi.txt.
type WifiRecord struct {
	Timestamp                  int64
	Sensor                     string
	BSSID                      string
	Frequency                  int64
	RSSI                       float64
	SSID                       string
	ScanTimeStart, ScanTimeEnd int64
}

// BluetoothRecord is one line of records_bluetooth.txt.
type BluetoothRecord struct {
	Timestamp int64
	Sensor    string
	Address   string
	RSSI      float64
	Name      string
}

// VectorRecord is one line of records_accelerometer.txt, records_gyroscope.txt
// or records_magnetic.txt, in the sensor's frame and unit.
type VectorRecord struct {
	Timestamp int64
	Sensor    string
	X, Y, Z   float64
}

// Dataset is a kapture dataset. The tables under sensors/ are in memory, in
// file order; reconstruction data is read when asked for. A nil table means
// that the file is not there; an empty one that it holds no line.
type Dataset struct {
	Version string // "1.1", or "1.0" as read; always written as 1.1

	Sensors       []Sensor
	Rigs          []RigMember
	Trajectories  []DevicePose
	Cameras       []FileRecord // records_camera.txt: the images
	Depths        []FileRecord
	Lidars        []FileRecord
	GNSS          []GNSSRecord
	Wifi          []WifiRecord
	Bluetooth     []BluetoothRecord
	Accelerometer []VectorRecord
	Gyroscope     []VectorRecord
	Magnetic      []VectorRecord

	fsys        fs.FS // where it was opened; nil if it was not read from anywhere
	name        string
	warnings    []string
	sensorIndex map[string]int // position in Sensors when it was opened
}
