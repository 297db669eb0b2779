package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// mountTmpfs mounts a file system of its own for a test, or skips it.
func mountTmpfs(t *testing.T, options string, flags uintptr) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", flags, options); err != nil {
		t.Skipf("no file system can be mounted here (%v): skipped", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return dir
}

// TestFullDisk runs into the end of a disk of 1 MiB: the message names the file
// and the cause, no file is half written, and once there is room the run goes on.
func TestFullDisk(t *testing.T) {
	disk := mountTmpfs(t, "size=1m", 0)
	filler := filepath.Join(disk, "filler")
	if err := os.WriteFile(filler, make([]byte, 980<<10), 0o644); err != nil {
		t.Fatal(err)
	}
	scene := toyScene(t)
	out := filepath.Join(disk, "run")
	_, stderr, code := locbench(t, "run", "--scene", scene, "--out", out)
	if code != 1 || !strings.Contains(stderr, "no space left on device") || !strings.Contains(stderr, disk) {
		t.Errorf("want exit code 1 and the full disk named, found %d and:\n%s", code, stderr)
	}
	for name, text := range results(t, out) {
		if text == "" || strings.HasSuffix(name, ".csv") && !strings.HasSuffix(text, "\n") {
			t.Errorf("%s is half written", name)
		}
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	mustRun(t, "run", "--scene", scene, "--out", out)
	elsewhere := filepath.Join(t.TempDir(), "run")
	mustRun(t, "run", "--scene", scene, "--out", elsewhere)
	want, got := results(t, elsewhere), results(t, out)
	delete(want, "report/index.html") // it shows the command, with --out
	delete(got, "report/index.html")
	sameFiles(t, want, got)
}

// TestReadOnlyOutput wants a plain message, not a trace.
func TestReadOnlyOutput(t *testing.T) {
	disk := mountTmpfs(t, "", syscall.MS_RDONLY)
	_, stderr, code := locbench(t, "run", "--scene", toyScene(t), "--out", filepath.Join(disk, "run"))
	if code != 1 || !strings.Contains(stderr, "make run directory") || !strings.Contains(stderr, "read-only file system") {
		t.Errorf("want exit code 1 and the read-only folder named, found %d and:\n%s", code, stderr)
	}
}
