package synth

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
)

// ErrExists says that the folder holds something complete that was generated
// with other options; Force replaces it.
var ErrExists = errors.New("what was generated there has other options")

// product is a folder that is generated.
type product struct {
	what    string // for messages
	licence string // text of the licence file; its second line names the options in parentheses
	mark    string // that licence files of this kind begin with, and nothing else
	last    string // the file that is written last: with it the folder is complete
	parts   []string
}

// prepare makes dir ready, with the licence file in it as the mark of a product
// in the making. It returns true if the product is there already.
func (p product) prepare(dir string, force bool) (done bool, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if entries, err = p.removeRemains(dir, entries); err != nil {
		return false, err
	}
	licence := filepath.Join(dir, licenceFile)
	if len(entries) > 0 {
		old, err := os.ReadFile(licence)
		if err != nil || !strings.HasPrefix(string(old), p.mark) {
			return false, fmt.Errorf("want a new or empty folder, or a %s generated before; the folder holds something else", p.what)
		}
		if _, err := os.Stat(filepath.Join(dir, p.last)); err == nil && !force {
			if string(old) != p.licence {
				return false, fmt.Errorf("%w (%s)", ErrExists, strings.Trim(strings.SplitN(string(old), "\n", 3)[1], "()"))
			}
			return true, nil
		}
	}
	// The last file goes first: with it a product counts as complete.
	for _, name := range append([]string{p.last}, p.parts...) {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return false, err
		}
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return false, err
	}
	return false, writeFile(licence, []byte(p.licence))
}

// removeRemains deletes the temporary files that a killed call left in dir, and
// returns the other entries.
func (p product) removeRemains(dir string, entries []fs.DirEntry) ([]fs.DirEntry, error) {
	var rest []fs.DirEntry
	for _, e := range entries {
		if name := e.Name(); !strings.HasPrefix(name, "."+licenceFile) && !strings.HasPrefix(name, "."+p.last) {
			rest = append(rest, e)
		} else if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// writeFile writes a file whole or not at all. Its temporary file lies beside
// it, where the next call finds it if this one is killed.
func writeFile(name string, data []byte) error {
	f, err := renameio.NewPendingFile(name, renameio.WithTempDir(filepath.Dir(name)), renameio.WithPermissions(0o666))
	if err != nil {
		return err
	}
	defer f.Cleanup()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.CloseAtomicallyReplace()
}
