package kapture

import (
	"archive/tar"
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/google/renameio/v2"
)

// blobWriter writes binary files into a folder, one by one or into a tar. It
// is safe for concurrent use.
type blobWriter struct {
	dir    string
	suffix string

	mu     sync.Mutex // of the tar
	file   *renameio.PendingFile
	buffer *bufio.Writer
	tar    *tar.Writer
	closed bool
}

func newBlobWriter(dir, suffix string) (*blobWriter, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	return &blobWriter{dir: dir, suffix: suffix}, nil
}

// newTarWriter writes to dir/kind.tar.
func newTarWriter(dir, kind, suffix string) (*blobWriter, error) {
	w, err := newBlobWriter(dir, suffix)
	if err != nil {
		return nil, err
	}
	name := filepath.Join(dir, kind+".tar")
	w.file, err = renameio.NewPendingFile(name, renameio.WithTempDir(dir), renameio.WithPermissions(0o666))
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", name, err)
	}
	w.buffer = bufio.NewWriterSize(w.file, 1<<16)
	w.tar = tar.NewWriter(w.buffer)
	return w, nil
}

var errClosed = errors.New("already closed")

func (w *blobWriter) write(name string, data []byte) error {
	if w.file != nil {
		return w.writeEntry(name, data)
	}
	file := filepath.Join(w.dir, filepath.FromSlash(name)+w.suffix)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return err
	}
	return writeFile(file, func(out io.Writer) error {
		_, err := out.Write(data)
		return err
	})
}

// writeEntry appends to the tar. The header holds nothing but name, size and
// mode, so that equal features make equal archives.
func (w *blobWriter) writeEntry(name string, data []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return fmt.Errorf("write %s: %w", name, errClosed)
	}
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name + w.suffix, Size: int64(len(data)), Mode: 0o644}
	if err := w.tar.WriteHeader(h); err != nil {
		return fmt.Errorf("write %s: %w", w.file.Name(), err)
	}
	if _, err := w.tar.Write(data); err != nil {
		return fmt.Errorf("write %s: %w", w.file.Name(), err)
	}
	return nil
}

func (w *blobWriter) inTar() bool { return w.file != nil }

// finish puts a tar in its place, if there is one that is not there yet.
func (w *blobWriter) finish() (finished bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil || w.closed {
		return false, nil
	}
	w.closed = true
	err = w.tar.Close()
	if err == nil {
		err = w.buffer.Flush()
	}
	if err == nil {
		err = w.file.CloseAtomicallyReplace()
	}
	if err != nil {
		return false, errors.Join(fmt.Errorf("write %s: %w", w.file.Name(), err), w.file.Cleanup())
	}
	return true, nil
}

// Discard drops a tar that was not closed.
func (w *blobWriter) Discard() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil || w.closed {
		return nil
	}
	w.closed = true
	return w.file.Cleanup()
}
