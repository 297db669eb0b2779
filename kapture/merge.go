package kapture

import "fmt"

// Merge returns the datasets' tables as one: the rows of the first, then the
// rows of the second that the first has not, and so on. Rows that are equal
// merge; rows that disagree about the same sensor, mount, pose or record, and
// images that occur under two times or cameras, are [InputError]s that name
// both datasets. What lies under reconstruction/ is not part of the result: it
// stays with the datasets it was opened from.
func Merge(ds ...*Dataset) (*Dataset, error) {
	m := &Dataset{Version: "1.1"}
	var bad problems
	m.Sensors = mergeTable(ds, sensorsTable(), func(d *Dataset) []Sensor { return d.Sensors }, &bad)
	m.Rigs = mergeTable(ds, rigsTable(), func(d *Dataset) []RigMember { return d.Rigs }, &bad)
	m.Trajectories = mergeTable(ds, trajectoriesTable(), func(d *Dataset) []DevicePose { return d.Trajectories }, &bad)
	m.Cameras = mergeTable(ds, camerasTable(), func(d *Dataset) []FileRecord { return d.Cameras }, &bad)
	m.Depths = mergeTable(ds, depthsTable(), func(d *Dataset) []FileRecord { return d.Depths }, &bad)
	m.Lidars = mergeTable(ds, lidarsTable(), func(d *Dataset) []FileRecord { return d.Lidars }, &bad)
	m.GNSS = mergeTable(ds, gnssTable(), func(d *Dataset) []GNSSRecord { return d.GNSS }, &bad)
	m.Wifi = mergeTable(ds, wifiTable(), func(d *Dataset) []WifiRecord { return d.Wifi }, &bad)
	m.Bluetooth = mergeTable(ds, bluetoothTable(), func(d *Dataset) []BluetoothRecord { return d.Bluetooth }, &bad)
	m.Accelerometer = mergeTable(ds, accelerometerTable(), func(d *Dataset) []VectorRecord { return d.Accelerometer }, &bad)
	m.Gyroscope = mergeTable(ds, gyroscopeTable(), func(d *Dataset) []VectorRecord { return d.Gyroscope }, &bad)
	m.Magnetic = mergeTable(ds, magneticTable(), func(d *Dataset) []VectorRecord { return d.Magnetic }, &bad)
	mergeImages(ds, &bad)
	m.checkRigs(&bad)
	if err := bad.err(); err != nil {
		return nil, err
	}
	return m, nil
}

// origin is where a row of the merged table came from.
type origin struct{ dataset, row int }

func mergeTable[T any](ds []*Dataset, c codec[T], table func(*Dataset) []T, bad *problems) []T {
	var merged []T
	seen := map[rowKey]origin{}
	for i, d := range ds {
		rows := table(d)
		if rows != nil && merged == nil {
			merged = make([]T, 0, len(rows))
		}
		for _, v := range rows {
			key := c.key(v)
			first, ok := seen[key]
			if !ok {
				seen[key] = origin{i, len(merged)}
				merged = append(merged, v)
				continue
			}
			if !c.equal(v, merged[first.row]) {
				bad.addf(d.path(c.file), 0, "want the line of %s, %s, found %s",
					ds[first.dataset].path(c.file), c.line(merged[first.row]), c.line(v))
			}
		}
	}
	return merged
}

// mergeImages reports images that two datasets have under different times or
// cameras. Under the same, the rows were compared already.
func mergeImages(ds []*Dataset, bad *problems) {
	type place struct {
		dataset int
		record  FileRecord
	}
	c := camerasTable()
	seen := map[string]place{}
	for i, d := range ds {
		for _, v := range d.Cameras {
			first, ok := seen[v.Path]
			if !ok {
				seen[v.Path] = place{i, v}
			} else if v != first.record {
				bad.addf(d.path(c.file), 0, "want the line of %s, %s, found %s",
					ds[first.dataset].path(c.file), c.line(first.record), c.line(v))
			}
		}
	}
}

// line returns a row as it would be written, for messages.
func (c codec[T]) line(v T) string {
	w := &rowWriter{}
	c.format(w, v)
	return fmt.Sprintf("%q", w.line)
}
