package kapture

import (
	"fmt"
	"strings"
)

// InputError says that data given to locbench is invalid: which file, where in
// it, what was expected and what was found. Every reader of this program
// reports bad data with it, and the command ends with exit code 3.
type InputError struct {
	Path string // file or folder
	Line int    // 1-based line of a text file; 0: not a text file, or the file as a whole
	Byte int64  // offset into a binary file; used if Line is 0 and HasByte is set
	// HasByte says that Byte is meant, so that offset 0 can be named.
	HasByte bool
	Msg     string // "want 9 fields, found 8"
}

func (e *InputError) Error() string {
	var b strings.Builder
	b.WriteString(e.Path)
	switch {
	case e.Line > 0:
		fmt.Fprintf(&b, ":%d", e.Line)
	case e.HasByte:
		fmt.Fprintf(&b, ": byte %d", e.Byte)
	}
	b.WriteString(": ")
	b.WriteString(e.Msg)
	return b.String()
}
