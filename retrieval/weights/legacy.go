package weights

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math/big"
	"slices"

	"locbench/retrieval/pickle"
)

// The start of PyTorch's legacy files: two pickles of a number.
const (
	legacyMagic    = "1950a86a20f9469cfc6c"
	legacyProtocol = 1001
)

// readLegacy reads a file as PyTorch wrote it before 1.6: pickles of a magic
// number, the protocol, the system, the object, and the keys of its storages;
// then for each key the number of elements (int64) and the elements.
func readLegacy(f io.ReaderAt, size int64, path string) (*Checkpoint, error) {
	torch := &torchReader{path: path}
	d := pickle.NewDecoder(f, size, torch.options())
	var parts [5]any
	for i := range parts {
		at := d.Offset()
		v, err := d.Decode()
		if err != nil {
			return nil, unpickled(path, 0, err)
		}
		if err := checkLegacy(i, v); err != nil {
			return nil, badAt(path, at, "%v", err)
		}
		parts[i] = v
	}
	keys, _ := parts[4].(*pickle.List)
	if err := torch.place(f, d.Offset(), size, keys.Items); err != nil {
		return nil, err
	}
	c := &Checkpoint{Path: path, Format: TorchLegacy}
	return c, c.fill(parts[3])
}

// checkLegacy checks the i-th pickle of a file.
func checkLegacy(i int, v any) error {
	switch i {
	case 0:
		if n, ok := v.(*big.Int); !ok || n.Text(16) != legacyMagic {
			return fmt.Errorf("want PyTorch's magic number, found another pickle")
		}
	case 1:
		if v != int64(legacyProtocol) {
			return fmt.Errorf("want version %d of PyTorch's legacy files, found another", legacyProtocol)
		}
	case 2:
		d, _ := v.(*pickle.Dict)
		if little, _ := d.Get("little_endian"); little != true {
			return fmt.Errorf("want values in little-endian order")
		}
	case 4:
		if _, ok := v.(*pickle.List); !ok {
			return fmt.Errorf("want the list of storages")
		}
	}
	return nil
}

// place finds the storages of the keys, which follow each other from at.
func (r *torchReader) place(f io.ReaderAt, at, size int64, keys []any) error {
	for _, k := range keys {
		key, _ := k.(string)
		s, ok := r.roots[key]
		if !ok {
			return badAt(r.path, at, "want a storage that the object names, found %q", clip(key))
		}
		var head [8]byte
		if _, err := f.ReadAt(head[:], at); err != nil {
			return badAt(r.path, at, "want the length of storage %q, found the end of the file: cut short?", clip(key))
		}
		at += int64(len(head))
		if count := binary.LittleEndian.Uint64(head[:]); count != uint64(s.count) {
			return badAt(r.path, at-8, "want %d elements in storage %q, found %d", s.count, clip(key), count)
		}
		bytes := s.count * int64(s.dtype.Size())
		if bytes > size-at {
			return badAt(r.path, at, "want %d bytes of storage %q, found the end of the file after %d: cut short?", bytes, clip(key), size-at)
		}
		*s.blob.(*fileBlob) = fileBlob{file: f, at: at}
		at += bytes
		delete(r.roots, key)
	}
	if left := slices.Sorted(maps.Keys(r.roots)); len(left) > 0 {
		return badAt(r.path, at, "want storage %q behind the object, found none", clip(left[0]))
	}
	return nil
}
