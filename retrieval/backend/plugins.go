package backend

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// pluginPathEnv names folders with PJRT plugins, separated as in PATH.
const pluginPathEnv = "PJRT_PLUGIN_LIBRARY_PATH"

// installHint says how to get a plugin.
const installHint = `install one with "go run github.com/gomlx/go-xla/cmd/pjrt_installer@latest", ` +
	`name its folder in ` + pluginPathEnv + `, or give its file as xla:/path/to/plugin.so`

// pluginFolders returns where plugins are looked for, in order.
func pluginFolders() []string {
	folders := filepath.SplitList(os.Getenv(pluginPathEnv))
	if home, err := os.UserHomeDir(); err == nil {
		local := filepath.Join(home, ".local", "lib", "go-xla")
		folders = append(folders, local, filepath.Join(local, "nvidia"))
	}
	folders = append(folders, "/usr/local/lib/go-xla", "/usr/local/lib/go-xla/nvidia")
	folders = append(folders, filepath.SplitList(os.Getenv("LD_LIBRARY_PATH"))...)
	return slices.DeleteFunc(folders, func(f string) bool { return !filepath.IsAbs(f) })
}

// findPlugin returns the first plugin of that name ("cpu", "cuda"), whatever
// version its file's name bears, and the folders looked through; "" if there
// is none. The last pattern is the name in JAX's wheels.
func findPlugin(name string) (path string, looked []string) {
	looked = pluginFolders()
	for _, folder := range looked {
		for _, pattern := range []string{"pjrt_c_api_%s_plugin", "pjrt_c_api_%s_v*_plugin", "pjrt[-_]plugin[-_]%s", "xla_%s_plugin"} {
			found, err := filepath.Glob(filepath.Join(folder, fmt.Sprintf(pattern, name)+sharedSuffix()))
			if err == nil && len(found) > 0 {
				return found[len(found)-1], looked
			}
		}
	}
	return "", looked
}

// sharedSuffix ends the names of shared libraries here.
func sharedSuffix() string {
	switch runtime.GOOS {
	case "darwin":
		return ".dylib"
	case "windows":
		return ".dll"
	}
	return ".so"
}

// checkPlugin looks at a file before it is loaded, because loading runs code of
// it and what the loader says about a wrong file is hard to read.
func checkPlugin(path string) error {
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%s: no such file; %s", path, installHint)
	case err != nil:
		return err
	case !st.Mode().IsRegular():
		return fmt.Errorf("%s: want a PJRT plugin (a shared library), found no regular file", path)
	case strings.Contains(path, ","):
		return fmt.Errorf("%s: a plugin's path must not contain a comma", path)
	case runtime.GOOS != "linux":
		return nil
	}
	f, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("%s: want a PJRT plugin (a shared library), found another file", path)
	}
	defer f.Close()
	symbols, err := f.DynamicSymbols()
	if err != nil || !slices.ContainsFunc(symbols, func(s elf.Symbol) bool { return s.Name == "GetPjrtApi" && s.Section != elf.SHN_UNDEF }) {
		return fmt.Errorf("%s: want a PJRT plugin, found a library that does not export GetPjrtApi", path)
	}
	return nil
}
