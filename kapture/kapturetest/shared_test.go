package kapturetest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// recorder is a test that remembers why it was skipped, and goes on.
type recorder struct {
	testing.TB
	skipped string
}

func (*recorder) Helper() {}

func (r *recorder) Skipf(format string, args ...any) { r.skipped = fmt.Sprintf(format, args...) }

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestShared looks from a folder inside a checkout, then where the environment
// says.
func TestShared(t *testing.T) {
	beside, elsewhere := t.TempDir(), t.TempDir()
	write(t, filepath.Join(beside, "checkout", "go.mod"), "module m\n")
	write(t, filepath.Join(beside, "checkout", "a", "b", "b.go"), "package b\n")
	write(t, filepath.Join(beside, "shared", "golden", "x.json"), "[1, 2]")
	write(t, filepath.Join(elsewhere, "golden", "x.json"), "[3]")
	t.Chdir(filepath.Join(beside, "checkout", "a", "b"))
	for dir, want := range map[string]string{"": "[1 2]", elsewhere: "[3]"} {
		t.Setenv("LOCBENCH_SHARED", dir)
		var got []int
		r := &recorder{TB: t}
		SharedJSON(r, &got, "golden", "x.json")
		if fmt.Sprint(got) != want || r.skipped != "" {
			t.Errorf("LOCBENCH_SHARED=%q: want %s, found %v, %s", dir, want, got, r.skipped)
		}
	}
}

func TestSharedSkips(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("LOCBENCH_SHARED", dir)
	r := &recorder{TB: t}
	path := Shared(r, "golden", "x.json")
	want := fmt.Sprintf("shared data not found at %s: skipped", filepath.Join(dir, "golden", "x.json"))
	if r.skipped != want || path != filepath.Join(dir, "golden", "x.json") {
		t.Errorf("want %q, found %q and the path %s", want, r.skipped, path)
	}
}

// TestSharedOutsideAnyCheckout ends at the root of the file system.
func TestSharedOutsideAnyCheckout(t *testing.T) {
	t.Setenv("LOCBENCH_SHARED", "")
	t.Chdir(t.TempDir())
	r := &recorder{TB: t}
	if path := Shared(r, "no such file"); r.skipped == "" {
		t.Errorf("want the test skipped, found %s", path)
	}
}
