package kapture

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// FeatureWriter writes features of one kind and type.
type FeatureWriter struct {
	kind   FeatureKind
	header FeatureHeader
	dir    string
	blobs  *blobWriter
}

// CreateFeatures begins features that are stored a file an image: dir will
// hold the kind's .txt file, written at once, and the images' files. Adding to
// features that are there already is possible if the header is the same.
func CreateFeatures(dir string, k FeatureKind, h FeatureHeader) (*FeatureWriter, error) {
	if name := filepath.Join(dir, string(k)+".tar"); exists(name) {
		return nil, fmt.Errorf("write %s in %s: want no tar, which readers take first, found %s", k, dir, name)
	}
	b, err := newBlobWriter(dir, k.suffix())
	if err != nil {
		return nil, err
	}
	return newFeatureWriter(dir, k, h, b)
}

// CreateFeaturesTar begins features that are stored in one tar, in the order
// of the calls of Write. The tar takes the place of an older one on Close;
// before, and if Close is never called, nothing of it is seen.
func CreateFeaturesTar(dir string, k FeatureKind, h FeatureHeader) (*FeatureWriter, error) {
	b, err := newTarWriter(dir, string(k), k.suffix())
	if err != nil {
		return nil, err
	}
	w, err := newFeatureWriter(dir, k, h, b)
	if err != nil {
		return nil, errors.Join(err, b.Discard())
	}
	return w, nil
}

func newFeatureWriter(dir string, k FeatureKind, h FeatureHeader, b *blobWriter) (*FeatureWriter, error) {
	t, ok := parseDType(string(h.DType))
	if !ok || h.DSize < 1 || h.DSize > maxDSize {
		return nil, fmt.Errorf("write %s %s: want a known dtype and a dsize from 1 to %d, found %s, %d", k, h.Name, maxDSize, h.DType, h.DSize)
	}
	h.DType = t
	name := filepath.Join(dir, k.text())
	if exists(name) {
		old, err := readHeader(os.DirFS(dir), ".", dir, k)
		if err != nil {
			return nil, err
		}
		if old != h {
			return nil, fmt.Errorf("write %s: want the header that is there, %+v, found %+v", name, old, h)
		}
	}
	w := &FeatureWriter{kind: k, header: h, dir: dir, blobs: b}
	if b.inTar() {
		return w, nil
	}
	return w, w.writeHeader()
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

func (w *FeatureWriter) writeHeader() error {
	return writeFile(filepath.Join(w.dir, w.kind.text()), func(out io.Writer) error {
		return featureHeaders(w.kind).write(out, []FeatureHeader{w.header})
	})
}

// Write writes the rows of an image, DSize values each, one after the other;
// a global feature has one row. A file is written whole or not at all. Values
// are rounded to float16; integer types must hold them exactly. Write is safe
// for concurrent use.
func (w *FeatureWriter) Write(image string, rows []float32) error {
	if why := badPath(image); why != "" {
		return fmt.Errorf("write %s: %s%s", w.kind, wantPath, why)
	}
	if len(rows)%w.header.DSize != 0 || w.kind == GlobalFeatures && len(rows) != w.header.DSize {
		return fmt.Errorf("write %s of %s: want rows of %d values, found %d values", w.kind, image, w.header.DSize, len(rows))
	}
	raw, err := encode(w.header.DType, rows, make([]byte, 0, len(rows)*w.header.DType.Size()))
	if err != nil {
		return fmt.Errorf("write %s of %s: %w", w.kind, image, err)
	}
	return w.blobs.write(image, raw)
}

// Close puts a tar and its .txt file in their places, each whole or not at all.
// Files need no Close.
func (w *FeatureWriter) Close() error {
	finished, err := w.blobs.finish()
	if err != nil || !finished {
		return err
	}
	return w.writeHeader()
}

// Discard drops a tar that was begun; after Close it does nothing, so that it
// can be deferred.
func (w *FeatureWriter) Discard() error { return w.blobs.Discard() }
