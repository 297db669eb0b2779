package backend

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestOpen(t *testing.T) {
	if runtime.GOOS != "linux" || errNoXLA != nil {
		t.Skip("needs Linux and cgo")
	}
	empty := t.TempDir()
	t.Setenv(pluginPathEnv, empty)
	t.Setenv("HOME", empty)
	t.Setenv("LD_LIBRARY_PATH", "")
	for _, name := range []string{"cpu", "cuda"} {
		if path, _ := findPlugin(name); path != "" {
			t.Skipf("%s is installed here", path)
		}
	}
	text := filepath.Join(empty, "note.so")
	if err := os.WriteFile(text, []byte("no library"), 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		spec string
		want []string
	}{
		{"cuda", []string{`open backend "cuda"`, "xla:/path/to/plugin.so"}},
		{"xla:plugin.so", []string{"unknown backend"}},
		{"xla:cpu", []string{"no PJRT plugin in " + empty, "/usr/local/lib/go-xla", "pjrt_installer"}},
		{"xla:/nowhere/plugin.so", []string{"/nowhere/plugin.so: no such file", "pjrt_installer"}},
		{"xla:" + empty, []string{"found no regular file"}},
		{"xla:" + text, []string{text, "want a PJRT plugin (a shared library), found another file"}},
		{"xla:" + self, []string{"does not export GetPjrtApi"}},
	} {
		_, err := Open(c.spec)
		if err == nil {
			t.Errorf("%s opened", c.spec)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: want %q in the message, found %q", c.spec, w, err)
			}
		}
	}
	if _, err := Open("cuda"); !errors.Is(err, ErrSpec) {
		t.Errorf("want ErrSpec, found %v", err)
	}
	b, err := Open("")
	if err != nil || b.Name() != "go" {
		t.Errorf("without plugins: %v, %v", b, err)
	}
}

// A plugin that cannot be loaded is an error, for the named ones too.
func TestOpenBrokenPlugin(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(pluginPathEnv, dir)
	file := filepath.Join(dir, "pjrt_c_api_cuda_plugin"+sharedSuffix())
	if err := os.WriteFile(file, []byte("\x7fELF and no more"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open("xla:cuda"); err == nil {
		t.Error("a broken plugin opened")
	}
	if b, err := Open(""); err != nil || b.Name() != "go" {
		t.Errorf("want the embedded backend where the plugin is broken, found %v, %v", b, err)
	}
}

func TestProbe(t *testing.T) {
	found := Probe()
	if len(found) != 3 || found[0].Spec != "go" || !found[0].OK || found[0].GFLOPS <= 0 {
		t.Fatalf("found %+v", found)
	}
	for _, f := range found[1:] {
		if !f.OK && f.Err == nil {
			t.Errorf("%s: neither OK nor an error", f.Spec)
		}
	}
}
