package record_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"locbench/bench/record"
)

// TestWriteFileOnFullDisk writes less than a buffer, so that the end of the
// disk is met when the buffer is written out.
func TestWriteFileOnFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=16k"); err != nil {
		t.Skipf("no file system can be mounted here (%v): skipped", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Errorf("unmount %s: %v", disk, err)
		}
	})
	path := filepath.Join(disk, "a.txt")
	err := record.WriteFile(path, func(w io.Writer) error {
		_, err := io.WriteString(w, strings.Repeat("x", 40_000))
		return err
	})
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want that of a full disk, with the path", err)
	}
	if entries, err := os.ReadDir(disk); err != nil || len(entries) != 0 {
		t.Errorf("folder holds %v (%v), want nothing", entries, err)
	}
}
