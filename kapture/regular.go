package kapture

import (
	"io/fs"
	"os"
)

// openRegular opens a file of a dataset and returns its size. It looks first:
// opening a named pipe would wait for its other end, without end and deaf to
// Ctrl-C. shown is the name in messages. An error that [absent] knows is
// returned as it is.
func openRegular(fsys fs.FS, name, shown string) (fs.File, int64, error) {
	st, err := fs.Stat(fsys, name)
	var f fs.File
	if err == nil {
		if err := regular(st, shown); err != nil {
			return nil, 0, err
		}
		f, err = fsys.Open(name)
	}
	switch {
	case absent(err):
		return nil, 0, err
	case err != nil:
		return nil, 0, fileError("open", shown, err)
	}
	return f, st.Size(), nil
}

// CheckFile returns an [InputError] if path is there and no regular file, nor a
// link to one: a folder cannot be read, and opening a named pipe waits for its
// other end without end. Other errors are those of [os.Stat].
func CheckFile(path string) error {
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	return regular(st, path)
}

func regular(st fs.FileInfo, shown string) error {
	found := ""
	switch mode := st.Mode(); {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		found = "a folder"
	case mode&fs.ModeNamedPipe != 0:
		found = "a named pipe"
	case mode&fs.ModeSocket != 0:
		found = "a socket"
	default:
		found = "a device"
	}
	return &InputError{Path: shown, Msg: "want a file, found " + found}
}
