package scenes

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"locbench/scenes/fetch"
)

// merge moves the unpacked files of an archive from a folder into their places below
// the data root.
func merge(ctx context.Context, archive, from, root string, files []fetch.Unpacked) error {
	made := map[string]bool{}
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if first, _, _ := strings.Cut(f.Path, "/"); first == installState || first == installedFile || first == licencesFile {
			return &fetch.ArchiveError{Archive: archive, Entry: f.Path, Msg: "want files of a scene, found one of the installation itself"}
		}
		if dir := path.Dir(f.Path); !made[dir] {
			if err := ownFolder(archive, root, dir); err != nil {
				return err
			}
			made[dir] = true
		}
		to := filepath.Join(root, filepath.FromSlash(f.Path))
		if err := os.Rename(filepath.Join(from, filepath.FromSlash(f.Path)), to); err != nil {
			if errors.Is(err, syscall.EXDEV) {
				return fmt.Errorf("%w: the scene's folder and %s are on different disks; choose --data-root on the larger one", err, root)
			}
			return err
		}
	}
	return nil
}

// ownFolder makes a folder below the data root. It may lie behind an absolute link,
// which only a person makes, but not behind a relative one, which an archive may have
// brought: two archives together must not lead where one may not.
func ownFolder(archive, root, dir string) error {
	at := root
	for part := range strings.SplitSeq(dir, "/") {
		at = filepath.Join(at, part)
		target, err := os.Readlink(at)
		if err == nil && !filepath.IsAbs(target) {
			return &fetch.ArchiveError{Archive: archive, Entry: dir, Msg: fmt.Sprintf("want folders below %s, found the link %s to %q; make it an absolute one if it is yours", root, at, target)}
		}
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return os.MkdirAll(filepath.Join(root, filepath.FromSlash(dir)), 0o777)
}
