package weights

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

const (
	maxHeader   = 100_000_000 // the format's own limit
	lengthBytes = 8
	metadataKey = "__metadata__"
	versionKey  = "locbench"
	version     = "1"
	notePrefix  = "note."
	pcaPrefix   = "pca."
)

// entry is a tensor in the header of a safetensors file.
type entry struct {
	DType   string  `json:"dtype"`
	Shape   []int   `json:"shape"`
	Offsets []int64 `json:"data_offsets"`
	name    string
	at      int64 // of its text in the file
}

// header is what a safetensors file starts with.
type header struct {
	metadata map[string]string
	entries  []entry
	data     int64 // where the values start
}

func readSafetensors(f io.ReaderAt, size int64, path string) (*Checkpoint, error) {
	h, err := readHeader(f, size, path)
	if err != nil {
		return nil, err
	}
	c := &Checkpoint{Path: path, Format: Safetensors}
	v, native := h.metadata[versionKey]
	if native && v != version {
		return nil, badAt(path, lengthBytes, "want version %s of locbench's metadata, found %q", version, clip(v))
	}
	sets := map[string]*pcaTensors{}
	for _, e := range h.entries {
		t, err := e.tensor(f, path, h.data)
		if err != nil {
			return nil, badAt(path, e.at, "tensor %s: %v", clip(e.name), err)
		}
		if native && strings.HasPrefix(e.name, pcaPrefix) {
			addPCATensor(sets, t)
			continue
		}
		t.Name = strings.TrimPrefix(t.Name, "module.")
		c.Tensors = append(c.Tensors, t)
	}
	if native {
		if err := c.fillMetadata(h.metadata, sets); err != nil {
			return nil, err
		}
	}
	return c, c.complete()
}

func readHeader(f io.ReaderAt, size int64, path string) (*header, error) {
	var head [lengthBytes]byte
	if _, err := f.ReadAt(head[:], 0); err != nil {
		return nil, badAt(path, 0, "want the length of the header, found the end of the file")
	}
	length := binary.LittleEndian.Uint64(head[:])
	if length > maxHeader || length > uint64(size-lengthBytes) {
		return nil, badAt(path, 0, "want a header that ends in the file of %d bytes, found one of %d bytes: cut short?", size, length)
	}
	text := make([]byte, length)
	if _, err := f.ReadAt(text, lengthBytes); err != nil {
		return nil, badAt(path, lengthBytes, "%v", err)
	}
	h := &header{data: lengthBytes + int64(length)}
	if at, err := h.parse(text); err != nil {
		return nil, badAt(path, lengthBytes+at, "%v", err)
	}
	if err := h.check(size - h.data); err != nil {
		return nil, err.in(path)
	}
	return h, nil
}

// parse reads the JSON object; an error comes with its place in the text.
func (h *header) parse(text []byte) (int64, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return 0, errors.New("want the header as a JSON object")
	}
	for d.More() {
		at := d.InputOffset()
		name, err := d.Token()
		if err != nil {
			return at, fmt.Errorf("want a header in JSON: %w", err)
		}
		if name == metadataKey {
			if err := d.Decode(&h.metadata); err != nil {
				return at, errors.New("want the metadata as an object of texts")
			}
			continue
		}
		e := entry{at: lengthBytes + at}
		e.name, _ = name.(string)
		if err := d.Decode(&e); err != nil || len(e.Offsets) != 2 || e.Shape == nil {
			return at, errors.New("want dtype, shape and data_offsets of tensor " + strconv.Quote(clip(e.name)))
		}
		h.entries = append(h.entries, e)
	}
	if _, err := d.Token(); err != nil {
		return d.InputOffset(), fmt.Errorf("want a header in JSON: %w", err)
	}
	if rest := bytes.TrimRight(text[d.InputOffset():], " "); len(rest) > 0 {
		return d.InputOffset(), errors.New("want blanks behind the header's object")
	}
	return 0, nil
}

// headerError is what is wrong with an entry of a header.
type headerError struct {
	at  int64
	msg string
}

func (e *headerError) in(path string) error { return badAt(path, e.at, "%s", e.msg) }

// check wants the tensors to fill the data one after the other, as the format
// says: no value belongs to two of them, or to none. They are left in the order
// of the data.
func (h *header) check(size int64) *headerError {
	slices.SortStableFunc(h.entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.Offsets[0], b.Offsets[0]), cmp.Compare(a.Offsets[1], b.Offsets[1]))
	})
	at := int64(0)
	for _, e := range h.entries {
		from, to := e.Offsets[0], e.Offsets[1]
		switch {
		case from != at || to < from:
			return &headerError{e.at, "want tensor " + strconv.Quote(clip(e.name)) + " to start where the last one ends"}
		case to > size:
			return &headerError{e.at, "want tensor " + strconv.Quote(clip(e.name)) + " inside the file, found one that ends behind it: cut short?"}
		}
		at = to
	}
	if at != size {
		return &headerError{h.data + at, "want the end of the file behind the last tensor, found more bytes"}
	}
	return nil
}

// tensor makes the tensor of an entry whose offsets are sound.
func (e *entry) tensor(f io.ReaderAt, path string, data int64) (*Tensor, error) {
	names, ok := typeBy(func(t typeNames) bool { return t.safetensors == e.DType })
	if !ok {
		return nil, errors.New("want a known type of values, found " + strconv.Quote(clip(e.DType)))
	}
	bytes := e.Offsets[1] - e.Offsets[0]
	s := &storage{path: path, dtype: names.dtype, count: bytes / int64(names.dtype.Size()), blob: &fileBlob{file: f, at: data + e.Offsets[0]}}
	t, err := newTensor(s, 0, e.Shape, rowMajor(e.Shape))
	if err != nil {
		return nil, err
	}
	if t.bytes() != bytes {
		return nil, errors.New("want as many bytes as the shape takes")
	}
	t.Name = e.name
	return t, nil
}
