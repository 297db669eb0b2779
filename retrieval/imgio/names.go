package imgio

import (
	"path/filepath"
	"slices"
	"strings"
)

// Extensions returns the endings of the names of files that are taken for
// images where a folder is searched, in lower case.
func Extensions() []string {
	return []string{".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm", ".pnm"}
}

// IsName reports whether a path ends as one of an image does.
func IsName(path string) bool {
	return slices.Contains(Extensions(), strings.ToLower(filepath.Ext(path)))
}
