package kapture

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
)

// FeatureKind is one of the folders of features of single images.
type FeatureKind string

// The kinds of features.
const (
	Keypoints      FeatureKind = "keypoints"       // rows; the first two values are x, y in pixels
	Descriptors    FeatureKind = "descriptors"     // rows, in the order of the image's keypoints
	GlobalFeatures FeatureKind = "global_features" // one row an image
)

// suffix ends the names of a kind's files.
func (k FeatureKind) suffix() string {
	switch k {
	case Keypoints:
		return ".kpt"
	case Descriptors:
		return ".desc"
	case GlobalFeatures:
		return ".gfeat"
	}
	return ""
}

// text is the name of the file that describes features of the kind.
func (k FeatureKind) text() string { return string(k) + ".txt" }

// FeatureHeader describes a type of features: the line of its .txt file.
type FeatureHeader struct {
	Name          string
	DType         DType
	DSize         int    // values a row
	KeypointsType string // of descriptors: the keypoints that they describe
	Metric        string // of descriptors and global features, such as "L2"
}

// maxDSize bounds the values of a row: a larger one is a broken file.
const maxDSize = 1 << 24

// Features are features of one kind and type, read an image at a time. It is
// safe for concurrent use.
type Features struct {
	kind    FeatureKind
	header  FeatureHeader
	blobs   *blobs
	buffers sync.Pool // of *[]byte
}

// FeatureTypes returns the types of features of a kind under reconstruction/,
// sorted. In version 1.0 it is the name in the folder's only .txt file.
func (d *Dataset) FeatureTypes(k FeatureKind) ([]string, error) {
	if d.fsys == nil {
		return nil, nil
	}
	folder := path.Join("reconstruction", string(k))
	types, err := d.folders(folder, k.text())
	if err != nil {
		return nil, err
	}
	old, err := d.oldHeader(k)
	if old != nil {
		types = append(types, old.Name)
		slices.Sort(types)
	}
	return slices.Compact(types), err
}

// folders returns the folders in a folder that hold a file of the given name.
func (d *Dataset) folders(folder, file string) ([]string, error) {
	entries, err := fs.ReadDir(d.fsys, folder)
	if absent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fileError("read", d.path(folder), err)
	}
	var names []string
	for _, e := range entries {
		if _, err := fs.Stat(d.fsys, path.Join(folder, e.Name(), file)); err == nil {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// oldHeader returns what version 1.0 says about the kind's only type, or nil.
func (d *Dataset) oldHeader(k FeatureKind) (*FeatureHeader, error) {
	folder := path.Join("reconstruction", string(k))
	if _, err := fs.Stat(d.fsys, path.Join(folder, k.text())); err != nil {
		return nil, nil
	}
	h, err := readHeader(d.fsys, folder, d.path(folder), k)
	if err != nil {
		return nil, err
	}
	// The name stands for a folder, as it is one in version 1.1.
	if why := badPath(h.Name); why != "" || strings.Contains(h.Name, "/") {
		return nil, &InputError{Path: d.path(path.Join(folder, k.text())), Msg: "want a name that can be a folder's, found " + quote(h.Name)}
	}
	return &h, nil
}

// Features opens features under reconstruction/. A type that is not there is
// an [InputError] that names those that are.
func (d *Dataset) Features(k FeatureKind, typ string) (*Features, error) {
	types, err := d.FeatureTypes(k)
	if err != nil {
		return nil, err
	}
	folder := path.Join("reconstruction", string(k))
	if !slices.Contains(types, typ) {
		return nil, &InputError{Path: d.path(folder), Msg: fmt.Sprintf("want type %s, found %s", quote(typ), listed(types))}
	}
	if _, err := fs.Stat(d.fsys, path.Join(folder, typ, k.text())); err == nil {
		folder = path.Join(folder, typ)
	}
	f, err := openFeatures(d.fsys, folder, d.path(folder), k)
	if err == nil && k == Descriptors && f.header.KeypointsType == "" {
		f.header.KeypointsType = d.onlyKeypoints()
	}
	return f, err
}

// onlyKeypoints returns the type of keypoints that version 1.0, which does not
// name it, means; "" if the dataset does not have exactly one.
func (d *Dataset) onlyKeypoints() string {
	types, err := d.FeatureTypes(Keypoints)
	if err != nil || len(types) != 1 {
		return ""
	}
	return types[0]
}

func listed(types []string) string {
	if len(types) == 0 {
		return "none"
	}
	return strings.Join(types, ", ")
}

// OpenFeatures opens features that lie in a folder of their own, as benchmarks
// keep them beside the dataset: dir holds the kind's .txt file and the features
// of images, as files or as a tar (which is used if there are both).
func OpenFeatures(dir string, k FeatureKind) (*Features, error) {
	return openFeatures(os.DirFS(dir), ".", dir, k)
}

func openFeatures(fsys fs.FS, dir, shown string, k FeatureKind) (*Features, error) {
	h, err := readHeader(fsys, dir, shown, k)
	if err != nil {
		return nil, err
	}
	b, err := openBlobs(fsys, dir, shown, string(k), k.suffix())
	if err != nil {
		return nil, err
	}
	return &Features{kind: k, header: h, blobs: b}, nil
}

// Header returns the description of the features.
func (f *Features) Header() FeatureHeader { return f.header }

// Images returns the images that have the feature, sorted.
func (f *Features) Images() []string { return slices.Clone(f.blobs.names) }

// Has reports whether an image has the feature.
func (f *Features) Has(image string) bool { return f.blobs.has(image) }

// Path returns the file that holds an image's feature, for messages.
func (f *Features) Path(image string) string { return f.blobs.shown(image) }

// Rows returns how many rows an image's feature has, from the size of the file
// alone. Its errors are those of [Features.Float32].
func (f *Features) Rows(image string) (int, error) {
	n, err := f.blobs.size(image)
	if err != nil {
		return 0, err
	}
	return f.rows(image, n)
}

// Float32 returns an image's rows, one after the other, in dst if it is large
// enough. A global feature has exactly one row. An image without the feature
// and a file of the wrong length are [InputError]s.
func (f *Features) Float32(image string, dst []float32) ([]float32, error) {
	return convert(f, image, dst)
}

// Float64 is [Features.Float32] in double precision, which keypoints of that
// type need.
func (f *Features) Float64(image string, dst []float64) ([]float64, error) {
	return convert(f, image, dst)
}

// Close closes the tar, if there is one.
func (f *Features) Close() error { return f.blobs.Close() }

func convert[R real](f *Features, image string, dst []R) ([]R, error) {
	buf, _ := f.buffers.Get().(*[]byte)
	if buf == nil {
		buf = new([]byte)
	}
	defer f.buffers.Put(buf)
	raw, err := f.blobs.read(image, *buf)
	if err != nil {
		return nil, err
	}
	*buf = raw
	rows, err := f.rows(image, int64(len(raw)))
	if err != nil {
		return nil, err
	}
	return decode(f.header.DType, raw, slices.Grow(dst[:0], rows*f.header.DSize)), nil
}

// rows returns how many rows n bytes hold.
func (f *Features) rows(image string, n int64) (int, error) {
	h := f.header
	rowBytes := int64(h.DSize * h.DType.Size())
	switch {
	case f.kind == GlobalFeatures && n != rowBytes:
		return 0, f.blobs.invalid(image, "want %d bytes (one row of %d %s), found %d", rowBytes, h.DSize, h.DType, n)
	case n%rowBytes != 0:
		return 0, f.blobs.invalid(image, "want a multiple of %d bytes (rows of %d %s), found %d", rowBytes, h.DSize, h.DType, n)
	}
	return int(n / rowBytes), nil
}
