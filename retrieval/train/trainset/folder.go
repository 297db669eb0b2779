package trainset

import (
	"context"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"locbench/retrieval/imgio"
)

// openFolder reads a folder of folders of images: the first folder of an
// image's path is its class. Hidden files and folders, and files of other
// [imgio.Extensions], do not count. The order is that of the paths.
func openFolder(ctx context.Context, s Source) (*Set, error) {
	g := newGathering(s, s.Path, Source{}.below(s.Path))
	var names []string
	err := filepath.WalkDir(s.Path, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(e.Name(), ".") && path != s.Path
		switch {
		case hidden && e.IsDir():
			return fs.SkipDir
		case hidden, e.IsDir(), !imgio.IsName(path):
			return ctx.Err()
		}
		name, err := filepath.Rel(s.Path, path)
		names = append(names, filepath.ToSlash(name))
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	for _, name := range names {
		class, _, ok := strings.Cut(name, "/")
		if !ok {
			g.fail(0, "want every image in a folder that is its class, found %s", name)
			continue
		}
		g.add(name, class, 0)
	}
	return g.set(ctx)
}
