package weights

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"path"
	"strings"

	"locbench/retrieval/pickle"
)

// maxDeflate is how many bytes one byte of deflate can stand for at most (RFC
// 1951: 258 bytes from two bits).
const maxDeflate = 1032

// archive is a PyTorch zip file: NAME/data.pkl, the object; NAME/data/KEY, the
// storages; NAME/version and perhaps NAME/byteorder.
type archive struct {
	file    io.ReaderAt
	size    int64
	path    string
	entries map[string]*zip.File
	root    string
}

func readZip(f io.ReaderAt, size int64, name string) (*Checkpoint, error) {
	a, err := openArchive(f, size, name)
	if err != nil {
		return nil, err
	}
	object, err := a.blob(a.root + "data.pkl")
	if err != nil {
		return nil, err
	}
	if err := a.checkOrder(); err != nil {
		return nil, err
	}
	torch := &torchReader{path: name, blob: func(key string) (blob, int64, error) {
		b, err := a.blob(a.root + "data/" + key)
		if err != nil {
			return nil, 0, err
		}
		return b, int64(b.entry.UncompressedSize64), nil
	}}
	in, length, err := a.readerAt(object)
	if err != nil {
		return nil, err
	}
	v, err := pickle.NewDecoder(in, length, torch.options()).Decode()
	if err != nil {
		return nil, unpickled(name, object.plain.at, err)
	}
	c := &Checkpoint{Path: name, Format: TorchZip}
	return c, c.fill(v)
}

func openArchive(f io.ReaderAt, size int64, name string) (*archive, error) {
	z, err := zip.NewReader(f, size)
	if err != nil {
		return nil, badAt(name, size, "want the directory of a zip file at its end, found none: cut short? (%v)", err)
	}
	a := &archive{file: f, size: size, path: name, entries: make(map[string]*zip.File, len(z.File))}
	found := false
	for _, e := range z.File {
		a.entries[e.Name] = e
		if path.Base(e.Name) == "data.pkl" && !found {
			a.root, found = strings.TrimSuffix(e.Name, "data.pkl"), true
		}
	}
	if !found {
		return nil, bad(name, "want a PyTorch checkpoint, found a zip file without data.pkl")
	}
	return a, nil
}

// blob returns an entry, after a look at where it lies and how long it is.
func (a *archive) blob(name string) (*zipBlob, error) {
	e, ok := a.entries[name]
	if !ok {
		return nil, bad(a.path, "want an entry %q, found none in the zip file", clip(name))
	}
	at, err := e.DataOffset()
	if err != nil {
		return nil, bad(a.path, "entry %q: %v", clip(name), err)
	}
	packed, length := e.CompressedSize64, e.UncompressedSize64
	switch {
	case e.Method != zip.Store && e.Method != zip.Deflate:
		return nil, badAt(a.path, at, "want entries stored or deflated, found method %d for %q", e.Method, clip(name))
	case e.Method == zip.Store && packed != length, length > maxDeflate*(packed+1), packed > uint64(a.size-at):
		return nil, badAt(a.path, at, "want an entry inside the file, found %d bytes for %q, packed %d", length, clip(name), packed)
	}
	return &zipBlob{entry: e, plain: &fileBlob{file: a.file, at: at}}, nil
}

// readerAt gives access to an entry's bytes: in the file, or unpacked.
func (a *archive) readerAt(b *zipBlob) (io.ReaderAt, int64, error) {
	length := int64(b.entry.UncompressedSize64)
	if b.entry.Method == zip.Store {
		return io.NewSectionReader(a.file, b.plain.at, length), length, nil
	}
	r, err := b.entry.Open()
	if err != nil {
		return nil, 0, badAt(a.path, b.plain.at, "%v", err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, 0, badAt(a.path, b.plain.at, "entry %q: %v", clip(b.entry.Name), err)
	}
	return bytes.NewReader(data), int64(len(data)), nil
}

// checkOrder refuses values in another byte order; files before PyTorch 2.1
// do not say.
func (a *archive) checkOrder() error {
	if _, ok := a.entries[a.root+"byteorder"]; !ok {
		return nil
	}
	b, err := a.blob(a.root + "byteorder")
	if err != nil {
		return err
	}
	r, err := b.open(0, int64(b.entry.UncompressedSize64))
	if err != nil {
		return badAt(a.path, b.plain.at, "%v", err)
	}
	defer r.Close()
	word := make([]byte, len("little")+1)
	n, err := io.ReadFull(r, word)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) || string(word[:n]) != "little" {
		return badAt(a.path, b.plain.at, "want the byte order little, found %q", word[:n])
	}
	return nil
}
