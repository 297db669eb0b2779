package scenes

import (
	"fmt"
	"strings"

	"locbench/kapture/nearname"
)

// UnknownSceneError says that a name is neither a known scene nor a folder or
// file. It is a usage error (exit code 2), not invalid data.
type UnknownSceneError struct {
	Ref   string
	Near  []string // known scenes that may have been meant, best first
	Known []string // all known scenes, sorted
}

func (e *UnknownSceneError) Error() string {
	hint := nearname.DidYouMean(e.Near)
	if hint == "" {
		hint = "; known scenes: " + strings.Join(e.Known, ", ")
	}
	return fmt.Sprintf("unknown scene %q: no known scene has this name, and there is no such directory or file%s", e.Ref, hint)
}

// NotInstalledError says that a known scene's data is not on this machine.
type NotInstalledError struct {
	Name   string
	Looked string // the folder that would hold it
	Get    string // how to get it: a command line, or instructions
	Here   string // a folder of that name in the working directory, which may have been meant; "" if none
}

func (e *NotInstalledError) Error() string {
	msg := fmt.Sprintf("scene %s is not installed: looked in %s; get it with: %s", e.Name, e.Looked, e.Get)
	if e.Here != "" {
		msg += fmt.Sprintf("; if you meant the directory here, write %s", e.Here)
	}
	return msg
}
