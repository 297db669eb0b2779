package weights

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"math"
)

// fileBlob is a part of a file.
type fileBlob struct {
	file io.ReaderAt
	at   int64
}

func (b *fileBlob) place() int64 { return b.at }

func (b *fileBlob) open(off, n int64) (io.ReadCloser, error) {
	return io.NopCloser(io.NewSectionReader(b.file, b.at+off, n)), nil
}

// zipBlob is an entry of a zip archive. Read as a whole it is held against its
// checksum.
type zipBlob struct {
	entry *zip.File
	plain *fileBlob // where it lies in the file
}

func (b *zipBlob) place() int64 { return b.plain.at }

func (b *zipBlob) open(off, n int64) (io.ReadCloser, error) {
	if b.entry.Method == zip.Store && (off > 0 || n < int64(b.entry.UncompressedSize64)) {
		return b.plain.open(off, n)
	}
	r, err := b.entry.Open()
	if err != nil {
		return nil, err
	}
	if _, err := io.CopyN(io.Discard, r, off); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// floats is a tensor in memory.
type floats []float32

func (floats) place() int64 { return -1 }

func (f floats) open(off, n int64) (io.ReadCloser, error) {
	return io.NopCloser(&floatReader{left: f[off/4 : (off+n)/4]}), nil
}

// floatReader reads floats as little-endian bytes, whole ones.
type floatReader struct{ left []float32 }

func (r *floatReader) Read(p []byte) (int, error) {
	n := min(len(p)/4, len(r.left))
	if n == 0 {
		return 0, io.EOF
	}
	for i, v := range r.left[:n] {
		binary.LittleEndian.PutUint32(p[4*i:], math.Float32bits(v))
	}
	r.left = r.left[n:]
	return 4 * n, nil
}

// doubles is a part of a PCA set in memory, to be written as dtype.
type doubles struct {
	values []float64
	dtype  DType
}

func (*doubles) place() int64 { return -1 }

func (d *doubles) open(off, n int64) (io.ReadCloser, error) {
	size := int64(d.dtype.Size())
	b := make([]byte, 0, n)
	for _, v := range d.values[off/size : (off+n)/size] {
		if d.dtype == Float32 {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(v)))
		} else {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}
