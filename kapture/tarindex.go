package kapture

import (
	"archive/tar"
	"fmt"
	"io"
	"path"
	"strings"
)

// tarEntry is where a file's bytes lie in a tar.
type tarEntry struct{ offset, size int64 }

// tarBlock is the unit of a tar; two of zeros end it.
const tarBlock = 512

// indexTar reads the headers of a tar and returns its regular files. A later
// entry of the same name wins. A tar without its end is cut short.
func indexTar(r io.ReaderAt, size int64, name string) (map[string]tarEntry, error) {
	section := io.NewSectionReader(r, 0, size)
	position := func() int64 {
		at, _ := section.Seek(0, io.SeekCurrent) // cannot fail
		return at
	}
	broken := func(format string, args ...any) error {
		return &InputError{Path: name, Byte: position(), HasByte: true, Msg: fmt.Sprintf(format, args...)}
	}
	entries := map[string]tarEntry{}
	end := int64(0)
	tr := tar.NewReader(section)
	for {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, broken("want a whole tar, found %v", err)
		}
		e := tarEntry{offset: position(), size: h.Size}
		if h.Typeflag != tar.TypeReg {
			end = e.offset
			continue
		}
		if sparse(h) {
			return nil, broken("want plain files, found the sparse file %s", quote(h.Name))
		}
		if e.size > size-e.offset {
			return nil, broken("want %d bytes of %s, found %d: the tar is cut short", e.size, quote(h.Name), size-e.offset)
		}
		file := strings.TrimPrefix(h.Name, "./")
		if why := badPath(file); why != "" {
			return nil, broken("%s%s", wantPath, why)
		}
		entries[path.Clean(file)] = e
		end = e.offset + (e.size+tarBlock-1)/tarBlock*tarBlock
	}
	if position() < end+2*tarBlock {
		return nil, broken("want two blocks of zeros, found the end of the file: the tar is cut short")
	}
	return entries, nil
}

// sparse reports whether the stored bytes are not the file's.
func sparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}
