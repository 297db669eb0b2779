package kapture

import (
	"errors"
	"io/fs"
	"strings"
)

// badPath says why a path cannot name a file inside a dataset; "" if it can.
// Names come from files that others made and end up in calls to open: nothing
// they say may lead out of the dataset's folder.
func badPath(p string) string {
	switch {
	case p == "":
		return "found an empty one"
	case strings.Contains(p, `\`):
		return "found a backslash in " + quote(p)
	case strings.HasPrefix(p, "/"), len(p) > 1 && p[1] == ':':
		return "found the absolute path " + quote(p)
	case strings.ContainsRune(p, 0):
		return "found a zero byte in " + quote(p)
	case !fs.ValidPath(p) || p == ".":
		return "found " + quote(p)
	}
	return ""
}

const wantPath = "want a path inside the dataset (no .., no empty element), "

// CheckPath says why a path cannot name a file inside a dataset, nil if it can.
func CheckPath(p string) error {
	if msg := badPath(p); msg != "" {
		return errors.New(wantPath + msg)
	}
	return nil
}
