package kapture

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// blobs is a folder of binary files, one by one or in a tar. Reading from it
// is safe for concurrent use.
type blobs struct {
	fsys   fs.FS
	dir    string // inside fsys
	path   string // of dir, for messages
	suffix string
	names  []string // sorted, without suffix

	tar     io.ReaderAt // nil: files
	tarPath string
	close   func() error
	entries map[string]tarEntry // by name without suffix
}

// openBlobs lists the folder, or the tar in it that is called kind.tar.
func openBlobs(fsys fs.FS, dir, shown string, kind, suffix string) (*blobs, error) {
	b := &blobs{fsys: fsys, dir: dir, path: shown, suffix: suffix}
	b.tarPath = path.Join(shown, kind+".tar")
	f, size, err := openRegular(fsys, path.Join(dir, kind+".tar"), b.tarPath)
	switch {
	case err == nil:
		if err := b.openTar(f, size); err != nil {
			f.Close()
			return nil, err
		}
	case absent(err):
		if err := b.list(".", 0); err != nil {
			return nil, err
		}
	default:
		return nil, err
	}
	slices.Sort(b.names)
	return b, nil
}

func (b *blobs) openTar(f fs.File, size int64) error {
	r, ok := f.(io.ReaderAt)
	if !ok {
		return fmt.Errorf("open %s: the file system cannot read at an offset", b.tarPath)
	}
	all, err := indexTar(r, size, b.tarPath)
	if err != nil {
		return err
	}
	b.tar, b.close = r, f.Close
	b.entries = make(map[string]tarEntry, len(all))
	for name, e := range all {
		if name, ok := strings.CutSuffix(name, b.suffix); ok {
			b.entries[name] = e
			b.names = append(b.names, name)
		}
	}
	return nil
}

// maxDepth bounds the folders in folders: symbolic links, which proxies of
// datasets are made of, may lead in a circle.
const maxDepth = 32

func (b *blobs) list(sub string, depth int) error {
	dir := path.Join(b.dir, sub)
	entries, err := fs.ReadDir(b.fsys, dir)
	if err != nil {
		return fileError("read", path.Join(b.path, sub), err)
	}
	for _, e := range entries {
		name := path.Join(sub, e.Name())
		mode := e.Type()
		if mode&fs.ModeSymlink != 0 {
			if st, err := fs.Stat(b.fsys, path.Join(b.dir, name)); err == nil {
				mode = st.Mode().Type()
			}
		}
		if !mode.IsDir() {
			// A pipe that is called like a feature is none.
			if name, ok := strings.CutSuffix(name, b.suffix); ok && name != "" && (mode.IsRegular() || mode&fs.ModeSymlink != 0) {
				b.names = append(b.names, name)
			}
			continue
		}
		if depth == maxDepth {
			return &InputError{Path: path.Join(b.path, name), Msg: fmt.Sprintf("want at most %d folders in each other, found more", maxDepth)}
		}
		if err := b.list(name, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (b *blobs) has(name string) bool {
	_, ok := slices.BinarySearch(b.names, name)
	return ok
}

// missing is the error for a name that is not there.
func (b *blobs) missing(name string) error {
	if b.tar != nil {
		return &InputError{Path: b.tarPath, Msg: "want " + name + b.suffix + ", found no such entry"}
	}
	return &InputError{Path: b.shown(name), Msg: "want a file, found none"}
}

// invalid is the error for bytes that are not what they should be.
func (b *blobs) invalid(name, format string, args ...any) error {
	msg := fmt.Sprintf(format, args...)
	if b.tar == nil {
		return &InputError{Path: b.shown(name), Msg: msg}
	}
	return &InputError{Path: b.tarPath, Byte: b.entries[name].offset, HasByte: true, Msg: name + b.suffix + ": " + msg}
}

// shown is the path of a file, or of the tar that holds it.
func (b *blobs) shown(name string) string {
	if b.tar != nil {
		return b.tarPath
	}
	return path.Join(b.path, name+b.suffix)
}

// size returns the length of a file in bytes, without reading it.
func (b *blobs) size(name string) (int64, error) {
	if !b.has(name) {
		return 0, b.missing(name)
	}
	if b.tar != nil {
		return b.entries[name].size, nil
	}
	st, err := fs.Stat(b.fsys, path.Join(b.dir, name+b.suffix))
	if err != nil {
		return 0, fileError("stat", b.shown(name), err)
	}
	return st.Size(), nil
}

// read returns the bytes of a file, in buf if it is large enough.
func (b *blobs) read(name string, buf []byte) ([]byte, error) {
	if b.tar != nil {
		return b.readEntry(name, buf)
	}
	if !b.has(name) {
		return nil, b.missing(name)
	}
	shown := b.shown(name)
	f, err := b.fsys.Open(path.Join(b.dir, name+b.suffix))
	if err != nil {
		return nil, fileError("open", shown, err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, fileError("stat", shown, err)
	}
	buf = sized(buf, st.Size())
	if _, err := io.ReadFull(f, buf); err != nil {
		return nil, fileError("read", shown, err)
	}
	return buf, nil
}

func (b *blobs) readEntry(name string, buf []byte) ([]byte, error) {
	e, ok := b.entries[name]
	if !ok {
		return nil, b.missing(name)
	}
	buf = sized(buf, e.size)
	if n, err := b.tar.ReadAt(buf, e.offset); err != nil && (n < len(buf) || !errors.Is(err, io.EOF)) {
		return nil, fileError("read", b.tarPath, err)
	}
	return buf, nil
}

func sized(buf []byte, n int64) []byte {
	if int64(cap(buf)) < n {
		return make([]byte, n)
	}
	return buf[:n]
}

func (b *blobs) Close() error {
	if b.close == nil {
		return nil
	}
	return b.close()
}
