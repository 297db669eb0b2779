package bench

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/gofrs/flock"
)

// stateDir holds, inside the run directory, what locbench remembers between
// two calls: the records of finished stages and the hashes of files.
const stateDir = ".locbench"

// openRunDir makes the run directory ready and keeps every other process out
// of it until release is called.
func openRunDir(dir string) (release func(), err error) {
	if err := os.MkdirAll(filepath.Join(dir, stateDir, "stages"), 0o755); err != nil {
		return nil, fmt.Errorf("make run directory: %w", err)
	}
	lock := flock.New(filepath.Join(dir, stateDir, "lock"))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock run directory %s: %w", dir, err)
	}
	if !locked {
		return nil, fmt.Errorf("run directory %s is in use by another locbench process", dir)
	}
	if err := sweep(dir); err != nil {
		lock.Unlock()
		return nil, fmt.Errorf("clean run directory: %w", err)
	}
	return func() { lock.Unlock() }, nil
}

// place returns the path of a file of the run directory, and makes the folder
// that it lies in.
func (p *Plan) place(rel string) (string, error) {
	path := filepath.Join(p.o.Out, filepath.FromSlash(rel))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", fmt.Errorf("make folder: %w", err)
	}
	return path, nil
}

// unfinished matches the names of files that a killed process left half
// written: atomic writers make ".NAME123456" or ".NAME.tmp-123456" first and
// rename it when whole.
var unfinished = regexp.MustCompile(`^\..+[0-9]{6,}$`)

// sweep removes half-written files. The lock is held: they belong to nobody.
func sweep(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Type().IsRegular() && unfinished.MatchString(d.Name()) {
			return os.Remove(path)
		}
		return nil
	})
}
