package kapture

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// Write writes the tables as kapture 1.1 text under dir/sensors, rows in their
// order, each file whole or not at all. A nil table is left out; sensors.txt is
// always written. It is an error if dir already has a table that d has not, if
// a value cannot stand in a kapture file (a comma, a line break, a path out of
// the dataset, a number that is not finite), and if a row occurs twice.
func (d *Dataset) Write(dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, "sensors"), 0o777); err != nil {
		return err
	}
	sensors := d.Sensors
	if sensors == nil {
		sensors = []Sensor{}
	}
	for _, write := range []func() error{
		func() error { return store(dir, sensorsTable(), sensors) },
		func() error { return store(dir, rigsTable(), d.Rigs) },
		func() error { return store(dir, trajectoriesTable(), d.Trajectories) },
		func() error { return store(dir, camerasTable(), d.Cameras) },
		func() error { return store(dir, depthsTable(), d.Depths) },
		func() error { return store(dir, lidarsTable(), d.Lidars) },
		func() error { return store(dir, gnssTable(), d.GNSS) },
		func() error { return store(dir, wifiTable(), d.Wifi) },
		func() error { return store(dir, bluetoothTable(), d.Bluetooth) },
		func() error { return store(dir, accelerometerTable(), d.Accelerometer) },
		func() error { return store(dir, gyroscopeTable(), d.Gyroscope) },
		func() error { return store(dir, magneticTable(), d.Magnetic) },
	} {
		if err := write(); err != nil {
			return err
		}
	}
	return nil
}

func store[T any](dir string, c codec[T], rows []T) error {
	name := filepath.Join(dir, filepath.FromSlash(c.file))
	if rows == nil {
		if exists(name) {
			return fmt.Errorf("write %s: want no file, as the dataset has no such table, found one", name)
		}
		return nil
	}
	seen := uniqueness[T]{codec: &c, rows: make(map[rowKey]int, len(rows)), images: map[string]int{}}
	for i, v := range rows {
		if what, first := seen.add(v, i); what != "" {
			return fmt.Errorf("write %s: want each %s once, found that of row %d again in row %d", name, what, first, i)
		}
	}
	return writeFile(name, func(w io.Writer) error { return c.write(w, rows) })
}

// writeFile writes a file whole or not at all: what is written goes to a
// temporary file beside it, which is synced and renamed.
func writeFile(name string, write func(w io.Writer) error) error {
	f, err := renameio.NewPendingFile(name, renameio.WithTempDir(filepath.Dir(name)), renameio.WithPermissions(0o666))
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer f.Cleanup()
	if err := write(f); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
