package kapture

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"
)

func checkFeatures(t *testing.T, d *Dataset, k FeatureKind, want map[string]goldenFeatures) {
	t.Helper()
	types, err := d.FeatureTypes(k)
	if err != nil {
		t.Fatal(err)
	}
	if len(types) != len(want) {
		t.Errorf("%s: got types %v, want %d", k, types, len(want))
	}
	for typ, w := range want {
		f, err := d.Features(k, typ)
		if err != nil {
			t.Error(err)
			continue
		}
		defer f.Close()
		h := FeatureHeader{Name: w.TypeName, DType: DType(w.DType), DSize: w.DSize, KeypointsType: w.KeypointsType, Metric: w.Metric}
		if f.Header() != h {
			t.Errorf("%s: got %+v, want %+v", typ, f.Header(), h)
		}
		images := f.Images()
		if len(images) != w.Images || !slices.Equal(images[:len(w.First5)], w.First5) {
			t.Errorf("%s: got images %v, want %d: %v", typ, images, w.Images, w.First5)
		}
		checkSamples(t, f, w)
	}
}

func checkSamples(t *testing.T, f *Features, w goldenFeatures) {
	t.Helper()
	rows := 0
	for _, image := range f.Images() {
		v, err := f.Float64(image, nil)
		if err != nil {
			t.Fatal(err)
		}
		rows += len(v) / w.DSize
	}
	if rows != w.TotalRows {
		t.Errorf("got %d rows, want %d", rows, w.TotalRows)
	}
	for _, s := range w.Samples {
		v, err := f.Float64(s.Image, nil)
		if err != nil {
			t.Fatal(err)
		}
		sum, abs := 0.0, 0.0
		for _, x := range v {
			sum += x
			abs += math.Abs(x)
		}
		if len(v) != s.Shape[0]*s.Shape[1] || math.Abs(sum-s.Sum) > 1e-9*s.AbsSum || !close9(abs, s.AbsSum) {
			t.Errorf("%s: got %d values, sums %v %v, want %+v", s.Image, len(v), sum, abs, s)
		}
		if len(v) > 0 && (!slices.Equal(v[:w.DSize], s.FirstRow) || !slices.Equal(v[len(v)-w.DSize:], s.LastRow)) {
			t.Errorf("%s: first or last row differ", s.Image)
		}
	}
}

func checkMatches(t *testing.T, d *Dataset, want *goldenDataset) {
	t.Helper()
	types, err := d.MatchTypes()
	if err != nil || len(types) != len(want.Matches) {
		t.Errorf("got match types %v, %v, want %d", types, err, len(want.Matches))
	}
	for typ, w := range want.Matches {
		m, err := d.Matches(typ)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		total := 0
		for _, p := range m.Pairs() {
			v, err := m.Read(p.Image1, p.Image2)
			if err != nil {
				t.Fatal(err)
			}
			total += len(v)
		}
		if len(m.Pairs()) != w.Pairs || total != w.Total {
			t.Errorf("got %d pairs, %d matches, want %d, %d", len(m.Pairs()), total, w.Pairs, w.Total)
		}
		for _, s := range w.Samples {
			v, err := m.Read(s.Pair[0], s.Pair[1])
			if err != nil {
				t.Fatal(err)
			}
			sum := 0.0
			for _, x := range v {
				sum += float64(x.Keypoint1) + float64(x.Keypoint2) + x.Score
			}
			if len(v) != s.Shape[0] || !close9(sum, s.Sum) {
				t.Errorf("%v: got %d matches of sum %v, want %+v", s.Pair, len(v), sum, s)
			}
			for i, row := range s.First {
				if v[i] != (Match{int(row[0]), int(row[1]), row[2]}) {
					t.Errorf("%v: got %+v, want %v", s.Pair, v[i], row)
				}
			}
		}
	}
}

func checkPoints(t *testing.T, d *Dataset, want *goldenDataset) {
	t.Helper()
	p, err := d.Points3D()
	if err != nil {
		t.Fatal(err)
	}
	w := want.Points3D
	if (p == nil) != (w == nil) {
		t.Fatalf("got points %v, want %v", p != nil, w != nil)
	}
	if p == nil {
		return
	}
	row := func(i int) []float64 {
		r := []float64{p.XYZ[i].X, p.XYZ[i].Y, p.XYZ[i].Z}
		for _, c := range p.Colors[i] {
			r = append(r, float64(c))
		}
		return r
	}
	sums := make([]float64, 6)
	for i := range p.XYZ {
		for j, x := range row(i) {
			sums[j] += x
		}
	}
	if len(p.XYZ) != w.Shape[0] || !slices.Equal(row(0), w.First) || !slices.Equal(row(len(p.XYZ)-1), w.Last) {
		t.Errorf("got %d points, want %+v", len(p.XYZ), w)
	}
	for j := range sums {
		if !close9(sums[j], w.Sums[j]) {
			t.Errorf("column %d: got sum %v, want %v", j, sums[j], w.Sums[j])
		}
	}
}

func checkObservations(t *testing.T, d *Dataset, want *goldenDataset) {
	t.Helper()
	o, err := d.Observations()
	if err != nil {
		t.Fatal(err)
	}
	w := want.Observations
	if (o == nil) != (w == nil) {
		t.Fatalf("got observations %v, want %v", o != nil, w != nil)
	}
	if o == nil {
		return
	}
	lines, views, sum := 0, 0, 0
	for ref, seen := range o.All() {
		if lines < len(w.First3) {
			compareLine(t, ref, seen, w.First3[lines])
		}
		lines++
		for _, v := range seen {
			views++
			sum += v.Keypoint
		}
	}
	if lines != w.Lines || o.Len() != lines || views != w.Number || o.Views() != views || sum != w.Sum {
		t.Errorf("got %d lines, %d views, sum %d, want %+v", lines, views, sum, w)
	}
}

// compareLine compares with [point, type, [[image, keypoint], …]].
func compareLine(t *testing.T, ref PointRef, views []View, want json.RawMessage) {
	t.Helper()
	pairs := [][2]any{}
	for _, v := range views {
		pairs = append(pairs, [2]any{v.Image, v.Keypoint})
	}
	got, err := json.Marshal([]any{ref.Point, ref.KeypointsType, pairs})
	if err != nil {
		t.Fatal(err)
	}
	var a, b any
	if json.Unmarshal(got, &a) != nil || json.Unmarshal(want, &b) != nil || fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// checkRecords compares the tables of records, flattened to the reference's
// form: [timestamp, sensor, record].
func checkRecords(t *testing.T, d *Dataset, want *goldenDataset) {
	t.Helper()
	keep := known(d)
	compareRecords(t, want, "records_camera", keep, d.Cameras, camerasTable(), filePath)
	compareRecords(t, want, "records_depth", keep, d.Depths, depthsTable(), filePath)
	compareRecords(t, want, "records_lidar", keep, d.Lidars, lidarsTable(), filePath)
	compareRecords(t, want, "records_gnss", keep, d.GNSS, gnssTable(), func(g GNSSRecord) any {
		return map[string]any{"x": g.X, "y": g.Y, "z": g.Z, "utc": g.UTC, "dop": g.DOP}
	})
	compareRecords(t, want, "records_wifi", keep, d.Wifi, wifiTable(), func(w WifiRecord) any {
		return map[string]any{w.BSSID: map[string]any{
			"frequency": float64(w.Frequency), "rssi": w.RSSI, "ssid": w.SSID,
			"scan_time_start": float64(w.ScanTimeStart), "scan_time_end": float64(w.ScanTimeEnd),
		}}
	})
	compareRecords(t, want, "records_bluetooth", keep, d.Bluetooth, bluetoothTable(), func(b BluetoothRecord) any {
		return map[string]any{b.Address: map[string]any{"rssi": b.RSSI, "name": b.Name}}
	})
	compareRecords(t, want, "records_accelerometer", keep, d.Accelerometer, accelerometerTable(), nil)
	compareRecords(t, want, "records_gyroscope", keep, d.Gyroscope, gyroscopeTable(), nil)
	compareRecords(t, want, "records_magnetic", keep, d.Magnetic, magneticTable(), nil)
}

func filePath(f FileRecord) any { return f.Path }

func compareRecords[T any](t *testing.T, want *goldenDataset, name string, keep map[string]bool, rows []T, c codec[T], value func(T) any) {
	t.Helper()
	w := want.Records[name]
	if (rows == nil) != (w == nil) {
		t.Errorf("%s: got table %v, want %v", name, rows != nil, w != nil)
	}
	if w == nil {
		return
	}
	times := map[int64]bool{}
	records := map[deviceTime]any{}
	signals := 0
	for _, v := range rows {
		key := c.key(v)
		if !keep[key.a] {
			continue
		}
		signals++
		times[key.timestamp] = true
		at := deviceTime{key.timestamp, key.a}
		many, ok := records[at].(map[string]any)
		if !ok || key.b == "" {
			records[at] = value(v)
			continue
		}
		for k, x := range value(v).(map[string]any) {
			many[k] = x
		}
	}
	if len(records) != w.Records || len(times) != w.Timestamps || w.Signals != nil && signals != *w.Signals {
		t.Errorf("%s: got %d records at %d times, %d signals, want %+v", name, len(records), len(times), signals, w)
	}
	for _, g := range slices.Concat(w.First3, w.Last) {
		var at deviceTime
		var record any
		if json.Unmarshal(g[0], &at.timestamp) != nil || json.Unmarshal(g[1], &at.device) != nil || json.Unmarshal(g[2], &record) != nil {
			t.Fatalf("%s: bad reference %s", name, g)
		}
		if got := records[at]; fmt.Sprint(got) != fmt.Sprint(record) {
			t.Errorf("%s: got %v at %v, want %v", name, got, at, record)
		}
	}
}
