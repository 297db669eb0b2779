package weights

import (
	"errors"
	"fmt"

	"locbench/retrieval/pickle"
)

// FormatError says where a checkpoint cannot be used, what was expected and
// what was found.
type FormatError struct {
	Path string
	Byte int64 // offset in the file; below 0: the file as a whole
	Msg  string
}

func (e *FormatError) Error() string {
	if e.Byte < 0 {
		return e.Path + ": " + e.Msg
	}
	return fmt.Sprintf("%s: byte %d: %s", e.Path, e.Byte, e.Msg)
}

// bad makes the error of a file as a whole.
func bad(path, format string, args ...any) error {
	return &FormatError{Path: path, Byte: -1, Msg: fmt.Sprintf(format, args...)}
}

// badAt makes the error of a place in a file.
func badAt(path string, at int64, format string, args ...any) error {
	return &FormatError{Path: path, Byte: at, Msg: fmt.Sprintf(format, args...)}
}

// unpickled gives an error of a pickle its file; base is where it starts there.
func unpickled(path string, base int64, err error) error {
	if e, ok := errors.AsType[*pickle.Error](err); ok {
		return badAt(path, base+e.Byte, "%s", e.Msg)
	}
	return err
}

// clip keeps text from a file short enough for a message.
func clip(s string) string {
	if len(s) > 120 {
		return s[:120] + "…"
	}
	return s
}
