//go:build !linux

package fetch

// Free returns how many bytes may be written to the file system of a folder; -1:
// not known.
func Free(string) int64 { return -1 }
