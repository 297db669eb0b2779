package bench

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"
	"time"

	"locbench/bench/record"
)

// digest collects what a stage depends on. Every part is preceded by its
// length, so that ("ab", "c") and ("a", "bc") differ.
type digest struct{ h hash.Hash }

func newDigest(parts ...string) digest {
	d := digest{sha256.New()}
	d.add(parts...)
	return d
}

func (d digest) add(parts ...string) {
	var n [8]byte
	for _, p := range parts {
		binary.LittleEndian.PutUint64(n[:], uint64(len(p)))
		d.h.Write(n[:])
		io.WriteString(d.h, p)
	}
}

func (d digest) sum() string { return hex.EncodeToString(d.h.Sum(nil)) }

// fileHashes gives the SHA-256 of files. It remembers them beside size and
// modification time in a file of the run directory, so that a second run does
// not read gigabytes of features again. As in a version-control index, an
// entry counts only if the file was last modified well before it was hashed:
// a change within the clock's grain of the hashing cannot hide.
type fileHashes struct {
	path string
	mu   sync.Mutex
	seen map[string]hashedFile
}

type hashedFile struct {
	Size     int64  `json:"size"`
	Modified int64  `json:"modified"` // ns
	Hashed   int64  `json:"hashed"`   // ns
	SHA256   string `json:"sha256"`
}

const clockGrain = 2 * time.Second

// openFileHashes reads the hashes remembered at path. A missing or damaged
// file is an empty memory: it is only a cache.
func openFileHashes(path string) *fileHashes {
	f := &fileHashes{path: path, seen: map[string]hashedFile{}}
	if data, err := os.ReadFile(path); err == nil {
		if json.Unmarshal(data, &f.seen) != nil || f.seen == nil {
			f.seen = map[string]hashedFile{}
		}
	}
	return f
}

// save writes the memory, whole or not at all.
func (f *fileHashes) save() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	data, err := json.Marshal(f.seen)
	if err != nil {
		return err
	}
	return record.WriteFile(f.path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// file returns the SHA-256 of the file's contents in hex.
func (f *fileHashes) file(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	f.mu.Lock()
	old, ok := f.seen[path]
	f.mu.Unlock()
	modified := info.ModTime().UnixNano()
	if ok && old.Size == info.Size() && old.Modified == modified && old.Modified < old.Hashed-int64(clockGrain) {
		return old.SHA256, nil
	}
	now := time.Now().UnixNano()
	sum, err := hashFile(path)
	if err != nil {
		return "", err
	}
	f.mu.Lock()
	f.seen[path] = hashedFile{Size: info.Size(), Modified: modified, Hashed: now, SHA256: sum}
	f.mu.Unlock()
	return sum, nil
}

// files returns one hash over the contents of files, in their order.
func (f *fileHashes) files(ctx context.Context, paths []string) (string, error) {
	d := newDigest("files")
	for _, p := range paths {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		sum, err := f.file(p)
		if err != nil {
			return "", fmt.Errorf("hash input: %w", err)
		}
		d.add(sum)
	}
	return d.sum(), nil
}

func hashFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
