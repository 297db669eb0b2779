package kapture

import (
	"fmt"
	"io/fs"
	"path"
)

// featureHeaders is the table of one line that describes features of a kind.
// Version 1.0 knew neither keypoints type nor metric: those fields may be
// missing at the end.
func featureHeaders(k FeatureKind) codec[FeatureHeader] {
	columns := "name, dtype, dsize"
	switch k {
	case Descriptors:
		columns += ", keypoints_type, metric_type"
	case GlobalFeatures:
		columns += ", metric_type"
	}
	return codec[FeatureHeader]{
		file: k.text(), columns: columns,
		min: 3, open: true, unique: "type",
		key:   func(FeatureHeader) rowKey { return rowKey{} },
		parse: func(r *row) FeatureHeader { return parseHeader(r, k) },
		format: func(w *rowWriter, h FeatureHeader) {
			w.text(h.Name)
			w.text(string(h.DType))
			w.int(int64(h.DSize))
			if k == Descriptors {
				w.text(h.KeypointsType)
			}
			if k != Keypoints {
				w.text(h.Metric)
			}
		},
	}
}

func parseHeader(r *row, k FeatureKind) FeatureHeader {
	h := FeatureHeader{Name: r.id(0, "a name")}
	var ok bool
	if h.DType, ok = parseDType(r.text(1)); !ok {
		r.fail("want a dtype (float16, float32, float64, int8 … int64, uint8 … uint64), found %s", quote(r.text(1)))
	}
	size := r.int(2, "dsize")
	if size < 1 || size > maxDSize {
		r.fail("want a dsize from 1 to %d, found %d", maxDSize, size)
	}
	h.DSize = int(size)
	switch rest := r.fields[3:]; {
	case len(rest) == 0:
	case k == Descriptors && len(rest) == 2:
		h.KeypointsType, h.Metric = r.text(3), r.text(4)
	case k == GlobalFeatures && len(rest) == 1:
		h.Metric = r.text(3)
	default:
		r.fail("want the fields %s, found %d", featureHeaders(k).columns, len(r.fields))
	}
	return h
}

func readHeader(fsys fs.FS, dir, shown string, k FeatureKind) (FeatureHeader, error) {
	name := path.Join(shown, k.text())
	f, size, err := openRegular(fsys, path.Join(dir, k.text()), name)
	if absent(err) {
		return FeatureHeader{}, &InputError{Path: name, Msg: fmt.Sprintf("want the description of %s, found no such file", k)}
	}
	if err != nil {
		return FeatureHeader{}, err
	}
	defer f.Close()
	var bad problems
	rows, _, err := featureHeaders(k).read(newBlockReader(f, name), size, map[string]string{}, &bad)
	if err == nil {
		err = bad.err()
	}
	if err == nil && len(rows) == 0 {
		err = &InputError{Path: name, Msg: "want a line (" + featureHeaders(k).columns + "), found none"}
	}
	if err != nil {
		return FeatureHeader{}, err
	}
	return rows[0], nil
}
