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
	if _, err := Open("xla:cuda"); err == nil || !strings.Contains(err.Error(), file) && errNoXLA == nil {
		t.Errorf("want an error of %s, found %v", file, err)
	}
	if b, err := Open(""); err != nil || b.Name() != "go" {
		t.Errorf("want the embedded backend where the plugin is broken, found %v, %v", b, err)
	}
}

// TestFindPlugin looks through the folders in their order, and takes the last
// of several versions.
func TestFindPlugin(t *testing.T) {
	home, named := t.TempDir(), t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("LD_LIBRARY_PATH", "")
	t.Setenv(pluginPathEnv, named)
	local := filepath.Join(home, ".local", "lib", "go-xla")
	for _, step := range []struct{ folder, name string }{
		{filepath.Join(local, "nvidia"), "xla_test_plugin"},
		{local, "pjrt_c_api_test_v0.8_plugin"},
		{local, "pjrt_c_api_test_v0.9_plugin"},
		{named, "pjrt_c_api_test_plugin"},
	} {
		file := filepath.Join(step.folder, step.name+sharedSuffix())
		if err := os.MkdirAll(step.folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, looked := findPlugin("test"); got != file || looked[0] != named || looked[1] != local {
			t.Errorf("want %s, found %q in %v", file, got, looked)
		}
	}
	if got, _ := findPlugin("other"); got != "" {
		t.Errorf("want no plugin of another name, found %s", got)
	}
}

func TestProbe(t *testing.T) {
	found := Probe()
	if len(found) != 3 || found[0].Spec != "go" || !found[0].OK || found[0].GFLOPS <= 0 || found[0].GFLOPS > 1e5 {
		t.Fatalf("found %+v", found)
	}
	for _, f := range found[1:] {
		if !f.OK && f.Err == nil {
			t.Errorf("%s: neither OK nor an error", f.Spec)
		}
	}
}
