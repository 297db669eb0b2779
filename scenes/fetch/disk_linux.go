package fetch

import "golang.org/x/sys/unix"

// Free returns how many bytes may be written to the file system of a folder; -1:
// not known.
func Free(dir string) int64 {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return -1
	}
	return int64(s.Bavail) * s.Bsize
}
