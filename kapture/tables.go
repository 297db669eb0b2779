package kapture

import (
	"math"
	"slices"
)

// The tables under sensors/, one codec each.

func sensorsTable() codec[Sensor] {
	return codec[Sensor]{
		file: "sensors/sensors.txt", columns: "sensor_id, name, sensor_type, [sensor_params]+",
		min: 3, open: true, unique: "sensor_id",
		key:   func(s Sensor) rowKey { return rowKey{a: s.ID} },
		equal: Sensor.equal,
		parse: parseSensor,
		format: func(w *rowWriter, s Sensor) {
			w.text(s.ID)
			w.text(s.Name)
			w.text(s.Type)
			for _, p := range s.Params {
				w.text(p)
			}
		},
	}
}

func parseSensor(r *row) Sensor {
	s := Sensor{ID: r.id(0, "a sensor_id"), Name: r.text(1), Type: r.id(2, "a sensor_type")}
	for i := range r.fields[3:] {
		s.Params = append(s.Params, r.text(3+i))
	}
	if !s.isCamera() {
		return s
	}
	if len(s.Params) < 3 {
		r.fail("want a camera's model, width and height, found %d parameters", len(s.Params))
		return s
	}
	for i := range s.Params[1:] {
		r.finite(4+i, "a camera parameter")
	}
	return s
}

func rigsTable() codec[RigMember] {
	return codec[RigMember]{
		file: "sensors/rigs.txt", columns: "rig_id, sensor_id, qw, qx, qy, qz, tx, ty, tz",
		min: 9, unique: "(rig_id, sensor_id)",
		key:   func(m RigMember) rowKey { return rowKey{a: m.Rig, b: m.Sensor} },
		equal: same[RigMember],
		parse: func(r *row) RigMember {
			return RigMember{Rig: r.id(0, "a rig_id"), Sensor: r.id(1, "a sensor_id"), Pose: r.pose(2)}
		},
		format: func(w *rowWriter, m RigMember) {
			w.text(m.Rig)
			w.text(m.Sensor)
			w.pose(m.Pose)
		},
	}
}

func trajectoriesTable() codec[DevicePose] {
	return codec[DevicePose]{
		file: "sensors/trajectories.txt", columns: "timestamp, device_id, qw, qx, qy, qz, tx, ty, tz",
		min: 9, unique: "(timestamp, device_id)",
		key:   func(p DevicePose) rowKey { return rowKey{timestamp: p.Timestamp, a: p.Device} },
		equal: same[DevicePose],
		parse: func(r *row) DevicePose {
			return DevicePose{Timestamp: r.int(0, "timestamp"), Device: r.id(1, "a device_id"), Pose: r.pose(2)}
		},
		format: func(w *rowWriter, p DevicePose) {
			w.int(p.Timestamp)
			w.text(p.Device)
			w.pose(p.Pose)
		},
	}
}

// fileRecordsTable is the table of cameras, depth cameras or lidars; name is
// how its files are called in the header.
func fileRecordsTable(file, name string) codec[FileRecord] {
	return codec[FileRecord]{
		file: file, columns: "timestamp, device_id, " + name,
		min: 3, unique: "(timestamp, device_id)",
		key:   func(f FileRecord) rowKey { return rowKey{timestamp: f.Timestamp, a: f.Sensor} },
		equal: same[FileRecord],
		parse: func(r *row) FileRecord {
			return FileRecord{Timestamp: r.int(0, "timestamp"), Sensor: r.id(1, "a device_id"), Path: r.filePath(2)}
		},
		format: func(w *rowWriter, f FileRecord) {
			w.int(f.Timestamp)
			w.text(f.Sensor)
			w.filePath(f.Path)
		},
	}
}

func gnssTable() codec[GNSSRecord] {
	return codec[GNSSRecord]{
		file: "sensors/records_gnss.txt", columns: "timestamp, device_id, x, y, z, utc, dop",
		min: 7, unique: "(timestamp, device_id)",
		key:   func(g GNSSRecord) rowKey { return rowKey{timestamp: g.Timestamp, a: g.Sensor} },
		equal: same[GNSSRecord],
		parse: func(r *row) GNSSRecord {
			return GNSSRecord{
				Timestamp: r.int(0, "timestamp"), Sensor: r.id(1, "a device_id"),
				X: r.finite(2, "x"), Y: r.finite(3, "y"), Z: r.finite(4, "z"),
				UTC: r.finite(5, "utc"), DOP: r.finite(6, "dop"),
			}
		},
		format: func(w *rowWriter, g GNSSRecord) {
			w.int(g.Timestamp)
			w.text(g.Sensor)
			w.finite(g.X)
			w.finite(g.Y)
			w.finite(g.Z)
			if whole := math.Trunc(g.UTC); whole == g.UTC && math.Abs(whole) < 1<<53 {
				w.int(int64(whole)) // the Python reader takes integers only
			} else {
				w.finite(g.UTC)
			}
			w.finite(g.DOP)
		},
	}
}

func wifiTable() codec[WifiRecord] {
	return codec[WifiRecord]{
		file:    "sensors/records_wifi.txt",
		columns: "timestamp, device_id, BSSID, frequency, RSSI, SSID, scan_time_start, scan_time_end",
		min:     8, unique: "(timestamp, device_id, BSSID)",
		key:   func(w WifiRecord) rowKey { return rowKey{timestamp: w.Timestamp, a: w.Sensor, b: w.BSSID} },
		equal: same[WifiRecord],
		parse: func(r *row) WifiRecord {
			return WifiRecord{
				Timestamp: r.int(0, "timestamp"), Sensor: r.id(1, "a device_id"), BSSID: r.text(2),
				Frequency: r.int(3, "frequency"), RSSI: r.finite(4, "RSSI"), SSID: r.text(5),
				ScanTimeStart: r.int(6, "scan_time_start"), ScanTimeEnd: r.int(7, "scan_time_end"),
			}
		},
		format: func(w *rowWriter, v WifiRecord) {
			w.int(v.Timestamp)
			w.text(v.Sensor)
			w.text(v.BSSID)
			w.int(v.Frequency)
			w.finite(v.RSSI)
			w.text(v.SSID)
			w.int(v.ScanTimeStart)
			w.int(v.ScanTimeEnd)
		},
	}
}

func bluetoothTable() codec[BluetoothRecord] {
	return codec[BluetoothRecord]{
		file: "sensors/records_bluetooth.txt", columns: "timestamp, device_id, address, RSSI, name",
		min: 5, unique: "(timestamp, device_id, address)",
		key:   func(b BluetoothRecord) rowKey { return rowKey{timestamp: b.Timestamp, a: b.Sensor, b: b.Address} },
		equal: same[BluetoothRecord],
		parse: func(r *row) BluetoothRecord {
			return BluetoothRecord{
				Timestamp: r.int(0, "timestamp"), Sensor: r.id(1, "a device_id"), Address: r.text(2),
				RSSI: r.finite(3, "RSSI"), Name: r.text(4),
			}
		},
		format: func(w *rowWriter, v BluetoothRecord) {
			w.int(v.Timestamp)
			w.text(v.Sensor)
			w.text(v.Address)
			w.finite(v.RSSI)
			w.text(v.Name)
		},
	}
}

// vectorTable is the table of accelerometers, gyroscopes or magnetometers.
func vectorTable(file string) codec[VectorRecord] {
	return codec[VectorRecord]{
		file: file, columns: "timestamp, device_id, x, y, z",
		min: 5, unique: "(timestamp, device_id)",
		key:   func(v VectorRecord) rowKey { return rowKey{timestamp: v.Timestamp, a: v.Sensor} },
		equal: same[VectorRecord],
		parse: func(r *row) VectorRecord {
			return VectorRecord{
				Timestamp: r.int(0, "timestamp"), Sensor: r.id(1, "a device_id"),
				X: r.finite(2, "x"), Y: r.finite(3, "y"), Z: r.finite(4, "z"),
			}
		},
		format: func(w *rowWriter, v VectorRecord) {
			w.int(v.Timestamp)
			w.text(v.Sensor)
			w.finite(v.X)
			w.finite(v.Y)
			w.finite(v.Z)
		},
	}
}

func same[T comparable](a, b T) bool { return a == b }

func (s Sensor) equal(o Sensor) bool {
	return s.ID == o.ID && s.Name == o.Name && s.Type == o.Type && slices.Equal(s.Params, o.Params)
}

func camerasTable() codec[FileRecord] {
	c := fileRecordsTable("sensors/records_camera.txt", "image_path")
	c.image = func(f FileRecord) string { return f.Path }
	return c
}

func depthsTable() codec[FileRecord] {
	return fileRecordsTable("sensors/records_depth.txt", "depth_map_path")
}

func lidarsTable() codec[FileRecord] {
	return fileRecordsTable("sensors/records_lidar.txt", "point_cloud_path")
}

func accelerometerTable() codec[VectorRecord] {
	return vectorTable("sensors/records_accelerometer.txt")
}

func gyroscopeTable() codec[VectorRecord] { return vectorTable("sensors/records_gyroscope.txt") }

func magneticTable() codec[VectorRecord] { return vectorTable("sensors/records_magnetic.txt") }
