package fetch

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Limits bound what an archive may hold.
type Limits struct {
	Bytes   int64 // of all files
	Entries int
}

// LimitsOf allows an archive of so many bytes a hundred times its size and a
// gigabyte: photographs hardly shrink, tables and features do, a bomb does more.
func LimitsOf(archive int64) Limits { return Limits{Bytes: 100*archive + 1<<30, Entries: 20_000_000} }

// Unpacked is a file that an archive held.
type Unpacked struct {
	Path   string // with slashes, below the folder
	SHA256 string // hexadecimal; of a link "": its target is another file
}

// ArchiveError says what an archive holds that it must not.
type ArchiveError struct {
	Archive, Entry, Msg string
}

func (e *ArchiveError) Error() string {
	return fmt.Sprintf("%s: entry %q: %s", e.Archive, e.Entry, e.Msg)
}

// Unpack writes the files of a tar, compressed by gzip or not, below dir, which
// exists. Names that leave it, links that lead out of it, and devices are an
// [ArchiveError], and so are files behind a link and more than the limits allow.
// Files get the mode 0644. Of a name that comes again the last one counts.
func Unpack(ctx context.Context, archive, dir string, l Limits) ([]Unpacked, error) {
	f, err := os.Open(archive)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 1<<20)
	var plain io.Reader = in
	if head, _ := in.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		if plain, err = gzip.NewReader(in); err != nil {
			return nil, fmt.Errorf("%s: %w", archive, err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	u := &unpacking{archive: archive, root: root, limits: l, made: map[string]bool{}, at: map[string]int{}, links: map[string]bool{}}
	if err := u.all(ctx, tar.NewReader(&patient{ctx, plain})); err != nil {
		return nil, err
	}
	return u.files, nil
}

// unpacking is the work on one archive.
type unpacking struct {
	archive string
	root    *os.Root // no name leads out of it
	limits  Limits
	bytes   int64
	entries int
	files   []Unpacked
	at      map[string]int  // of files, in files
	made    map[string]bool // folders
	links   map[string]bool // symbolic ones
}

func (u *unpacking) wrong(entry, format string, args ...any) error {
	return &ArchiveError{u.archive, entry, fmt.Sprintf(format, args...)}
}

func (u *unpacking) all(ctx context.Context, in *tar.Reader) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: want a whole tar: %w", u.archive, err)
		}
		if u.entries++; u.entries > u.limits.Entries {
			return u.wrong(h.Name, "want at most %d entries, found more", u.limits.Entries)
		}
		if err := u.one(h, in); err != nil {
			return err
		}
	}
}

func (u *unpacking) one(h *tar.Header, in io.Reader) error {
	name := strings.TrimSuffix(h.Name, "/")
	if name == "" || name == "." {
		return nil
	}
	if strings.ContainsAny(name, "\\\x00\r\n") || path.IsAbs(name) || !filepath.IsLocal(filepath.FromSlash(name)) || len(name) > 1 && name[1] == ':' {
		return u.wrong(h.Name, "want a name inside the folder")
	}
	name = path.Clean(name)
	switch h.Typeflag {
	case tar.TypeDir:
		return u.folder(name)
	case tar.TypeReg:
		return u.file(name, h, in)
	case tar.TypeSymlink, tar.TypeLink:
		return u.link(name, h)
	case tar.TypeXGlobalHeader:
		return nil
	}
	return u.wrong(h.Name, "want files, folders and links, found a device or the like (type %q)", h.Typeflag)
}

func (u *unpacking) folder(name string) error {
	if name == "." || u.made[name] {
		return nil
	}
	for above := name; above != "."; above = path.Dir(above) {
		if u.links[above] {
			return u.wrong(name, "want a folder, found a link at %q", above)
		}
	}
	if err := u.root.MkdirAll(filepath.FromSlash(name), 0o755); err != nil {
		return fmt.Errorf("unpack %s: %w", u.archive, err)
	}
	u.made[name] = true
	return nil
}

func (u *unpacking) file(name string, h *tar.Header, in io.Reader) error {
	if u.bytes += h.Size; h.Size < 0 || u.bytes > u.limits.Bytes {
		return u.wrong(h.Name, "want at most %d bytes in all, found more", u.limits.Bytes)
	}
	if err := u.folder(path.Dir(name)); err != nil {
		return err
	}
	at := filepath.FromSlash(name)
	if err := u.clear(name); err != nil {
		return err
	}
	out, err := u.root.OpenFile(at, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("unpack %s: %w", u.archive, err)
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, sum), in)
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("unpack %s: %s: %w", u.archive, name, err)
	}
	if n != h.Size {
		return u.wrong(h.Name, "want %d bytes, found %d", h.Size, n)
	}
	u.holds(Unpacked{name, hex.EncodeToString(sum.Sum(nil))})
	return nil
}

// clear removes what an earlier entry of the same name left: nothing is written
// through a link.
func (u *unpacking) clear(name string) error {
	if err := u.root.Remove(filepath.FromSlash(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("unpack %s: %w", u.archive, err)
	}
	delete(u.made, name)
	delete(u.links, name)
	return nil
}

// holds remembers a file, in the place of an earlier one of that name.
func (u *unpacking) holds(f Unpacked) {
	if i, ok := u.at[f.Path]; ok {
		u.files[i] = f
		return
	}
	u.at[f.Path] = len(u.files)
	u.files = append(u.files, f)
}

// link makes a link whose target lies in the folder, seen from where the link is
// (symbolic) or from the folder (hard).
func (u *unpacking) link(name string, h *tar.Header) error {
	target := path.Clean(h.Linkname)
	if h.Typeflag == tar.TypeSymlink {
		target = path.Join(path.Dir(name), h.Linkname)
	}
	if strings.ContainsAny(h.Linkname, "\\\x00") || path.IsAbs(h.Linkname) || h.Linkname == "" || !filepath.IsLocal(filepath.FromSlash(target)) {
		return u.wrong(h.Name, "want a link inside the folder, found one to %q", h.Linkname)
	}
	if err := u.folder(path.Dir(name)); err != nil {
		return err
	}
	at := filepath.FromSlash(name)
	if err := u.clear(name); err != nil {
		return err
	}
	var err error
	if h.Typeflag == tar.TypeSymlink {
		// Clean: no part of the target is left again, so that no other link moves it.
		err = u.root.Symlink(filepath.FromSlash(path.Clean(h.Linkname)), at)
		u.links[name] = true
	} else {
		err = u.root.Link(filepath.FromSlash(target), at)
	}
	if err != nil {
		return fmt.Errorf("unpack %s: %w", u.archive, err)
	}
	u.holds(Unpacked{Path: name})
	return nil
}
