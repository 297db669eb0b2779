package main

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// asProgram makes the test binary be locbench itself, for tests that interrupt
// or kill a process.
const asProgram = "LOCBENCH_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	testscript.Main(m, map[string]func(){"locbench": main})
}

// program returns the command that runs locbench in its own process.
func program(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// locbench runs the program in this process and returns its output.
func locbench(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGUSR1)
	defer stop()
	var out, err strings.Builder
	code = run(ctx, args, &out, &err)
	return out.String(), err.String(), code
}

// mustRun runs the program and fails the test unless it is done.
func mustRun(t *testing.T, args ...string) (stdout string) {
	t.Helper()
	stdout, stderr, code := locbench(t, args...)
	if code != 0 {
		t.Fatalf("locbench %s: exit code %d\n%s", strings.Join(args, " "), code, stderr)
	}
	return stdout
}

// daylight generates a small scene of one split, which has few figures to draw.
func daylight(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	mustRun(t, "scenes", "generate", filepath.Join(dir, "town"), "--mapping", "24", "--queries", "12", "--size", "96x72", "--local-features", "0", "--quiet")
	put(t, dir, "daylight.yaml", "mapping: [town/mapping]\nqueries: [{dir: town/query_day}]\nthresholds: [[5, 10]]\n")
	return filepath.Join(dir, "daylight.yaml")
}

// tree returns the contents of all files below dir by their relative path.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		files[rel] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// timings is the part of a report's page that says how long the stages took.
var timings = regexp.MustCompile(`(?s)<dt>Stages</dt>.*?</table></div></dd>`)

// results returns the files of a run that must be the same in every run: all
// but the manifest, which holds times, and the state of the stages; the page
// without the times.
func results(t *testing.T, run string) map[string]string {
	t.Helper()
	files := tree(t, run)
	for name := range files {
		if name == "manifest.json" || strings.HasPrefix(name, ".locbench") {
			delete(files, name)
		}
	}
	if page, ok := files["report/index.html"]; ok {
		if !timings.MatchString(page) {
			t.Errorf("want the page of %s with what the stages took, found none", run)
		}
		files["report/index.html"] = timings.ReplaceAllString(page, "")
	}
	return files
}

// sameFiles fails the test where two trees differ.
func sameFiles(t *testing.T, want, got map[string]string) {
	t.Helper()
	for name, text := range want {
		switch other, ok := got[name]; {
		case !ok:
			t.Errorf("%s is missing", name)
		case other != text:
			t.Errorf("%s differs", name)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s should not be there", name)
		}
	}
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// checkpoint FILE: a small network.
			"checkpoint": func(ts *testscript.TestScript, _ bool, args []string) { writeModel(t, ts.MkAbs(args[0])) },
			// halve FILE...: what a transfer that broke leaves.
			"halve": func(ts *testscript.TestScript, _ bool, args []string) {
				for _, name := range args {
					info, err := os.Stat(ts.MkAbs(name))
					ts.Check(err)
					ts.Check(os.Truncate(ts.MkAbs(name), info.Size()/2))
				}
			},
		},
		Setup: func(e *testscript.Env) error {
			e.Setenv("XDG_DATA_HOME", filepath.Join(e.WorkDir, "data"))
			return nil
		},
	})
}
