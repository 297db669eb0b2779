package scenes

import (
	"os"
	"path/filepath"
)

// Holds reports whether what is written into folder dir, which need not be
// there yet, would become part of the scene: dir is one of the scene's datasets,
// a folder in which features are looked for, or inside one of these.
func (s *Scene) Holds(dir string) bool {
	var roots, trees []os.FileInfo
	note := func(list *[]os.FileInfo, path string) {
		if info, err := os.Stat(path); err == nil {
			*list = append(*list, info)
		}
	}
	for _, p := range s.parts {
		note(&trees, p.dir)
	}
	for _, root := range s.Card.Features {
		note(&roots, s.path(root))
		note(&trees, filepath.Join(s.path(root), "global_features"))
		note(&trees, filepath.Join(s.path(root), "local_features"))
	}
	is := func(path string, list []os.FileInfo) bool {
		info, err := os.Stat(path)
		for _, other := range list {
			if err == nil && os.SameFile(info, other) {
				return true
			}
		}
		return false
	}
	path, err := filepath.Abs(dir)
	if err != nil {
		return false
	}
	if is(path, roots) {
		return true
	}
	for ; ; path = filepath.Dir(path) {
		if is(path, trees) {
			return true
		}
		if path == filepath.Dir(path) {
			return false
		}
	}
}
