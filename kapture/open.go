package kapture

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

const sensorsFile = "sensors/sensors.txt"

// Open reads the tables of the dataset in folder dir. Only sensors/sensors.txt
// has to be there. What is wrong with the tables is returned as one or more
// joined [InputError]s that name dir/sensors/….txt and the line; so is a folder
// that holds no dataset.
func Open(dir string) (*Dataset, error) {
	return OpenFS(os.DirFS(dir), dir)
}

// OpenFS is [Open] for a file system; name stands for its root in messages.
func OpenFS(fsys fs.FS, name string) (*Dataset, error) {
	d := &Dataset{fsys: fsys, name: name}
	if err := d.readTables(); err != nil {
		return nil, err
	}
	d.sensorIndex = make(map[string]int, len(d.Sensors))
	for i, s := range d.Sensors {
		d.sensorIndex[s.ID] = i
	}
	return d, nil
}

// Sensor returns the sensor of an id.
func (d *Dataset) Sensor(id string) (Sensor, bool) {
	if i, ok := d.sensorIndex[id]; ok && i < len(d.Sensors) && d.Sensors[i].ID == id {
		return d.Sensors[i], true
	}
	for _, s := range d.Sensors { // built or changed by the caller
		if s.ID == id {
			return s, true
		}
	}
	return Sensor{}, false
}

// Warnings returns what Open found odd but could put right or leave alone, one
// line each: quaternions that were normalised, records and poses of devices
// that neither sensors.txt nor rigs.txt names.
func (d *Dataset) Warnings() []string { return d.warnings }

// path returns a file's path for messages.
func (d *Dataset) path(file string) string { return path.Join(d.name, file) }

// absent reports whether an error says that there is no such file: it or a
// folder on its path does not exist, or is a file.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// fileError names a file in full: file systems name it from their root.
func fileError(op, name string, err error) error {
	if inner, ok := errors.AsType[*fs.PathError](err); ok {
		err = inner.Err
	}
	return fmt.Errorf("%s %s: %w", op, name, err)
}

func (d *Dataset) readTables() error {
	var bad problems
	l := &loader{d: d, names: map[string]string{}, bad: &bad}
	if err := load(l, sensorsTable(), &d.Sensors); err != nil {
		return err
	}
	if d.Sensors == nil {
		return d.notKapture()
	}
	err := errors.Join(
		load(l, rigsTable(), &d.Rigs),
		load(l, trajectoriesTable(), &d.Trajectories),
		load(l, camerasTable(), &d.Cameras),
		load(l, depthsTable(), &d.Depths),
		load(l, lidarsTable(), &d.Lidars),
		load(l, gnssTable(), &d.GNSS),
		load(l, wifiTable(), &d.Wifi),
		load(l, bluetoothTable(), &d.Bluetooth),
		load(l, accelerometerTable(), &d.Accelerometer),
		load(l, gyroscopeTable(), &d.Gyroscope),
		load(l, magneticTable(), &d.Magnetic),
	)
	if err != nil {
		return err
	}
	d.checkRigs(&bad)
	d.warnUnknownDevices()
	return bad.err()
}

// loader is what the tables of a dataset share while they are read.
type loader struct {
	d     *Dataset
	names map[string]string
	bad   *problems
}

// load reads one table into rows, and leaves it nil if there is no such file.
func load[T any](l *loader, c codec[T], rows *[]T) error {
	f, err := l.d.openText(c.file)
	if f == nil {
		return err
	}
	defer f.Close()
	br := newBlockReader(f, f.path)
	var warning string
	*rows, warning, err = c.read(br, f.size, l.names, l.bad)
	if err != nil {
		return err
	}
	if warning != "" {
		l.d.warnings = append(l.d.warnings, warning)
	}
	if c.file == sensorsFile {
		l.d.Version = br.version
		if br.version == "" {
			l.d.Version = "1.1"
		}
	}
	return nil
}

// notKapture explains why the folder is no dataset, and where one is near.
func (d *Dataset) notKapture() error {
	msg := "want a kapture folder (one with " + sensorsFile + "), found "
	entries, err := fs.ReadDir(d.fsys, ".")
	switch {
	case errors.Is(err, syscall.ENOTDIR):
		return &InputError{Path: d.name, Msg: msg + "a file"}
	case absent(err):
		return &InputError{Path: d.name, Msg: msg + "no such folder"}
	case err != nil:
		return fileError("read", d.name, err)
	}
	var holders []string
	for _, e := range entries {
		if e.Name() == "sensors.txt" {
			return &InputError{Path: d.name, Msg: msg + "the sensors folder of one: give the folder above it"}
		}
		if _, err := fs.Stat(d.fsys, path.Join(e.Name(), sensorsFile)); err == nil {
			holders = append(holders, d.path(e.Name()))
		}
	}
	switch {
	case len(holders) > 0:
		msg += "it in " + strings.Join(holders[:min(len(holders), 4)], ", ")
	case len(entries) == 0:
		msg += "an empty folder"
	default:
		msg += "none here or in its sub-folders"
	}
	return &InputError{Path: d.name, Msg: msg}
}
