package bench

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/gofrs/flock"

	"locbench/bench/record"
)

// stateDir holds, inside the run directory, what locbench remembers between
// two calls: the records of finished stages and the hashes of files.
const stateDir = ".locbench"

// openRunDir makes the run directory ready and keeps every other process out
// of it until release is called.
func openRunDir(dir string) (release func(), err error) {
	_, noEarlier := os.Stat(filepath.Join(dir, stateDir))
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
	if noEarlier == nil {
		if err := sweep(dir); err != nil {
			lock.Unlock()
			return nil, fmt.Errorf("clean run directory: %w", err)
		}
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

// ownFolders are the folders of a run directory that hold such files. Others
// may be the user's, whose files are left alone.
var ownFolders = []string{stateDir, "pairs", "poses", "submission", "results", "report", "global_features", "views",
	matchesDir, mapDir, "diagnostics"}

// sweep removes half-written files. The lock is held: they belong to nobody.
func sweep(dir string) error {
	remove := func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && unfinished.MatchString(d.Name()) {
			err = os.Remove(path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	for _, folder := range ownFolders {
		if err := filepath.WalkDir(filepath.Join(dir, folder), remove); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "."+record.ManifestFile) && unfinished.MatchString(e.Name()) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}
