package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"locbench/scenes"
)

// sceneIndex serves a dataset index in which all archives of some scenes hold a
// generated one in the place of the first; slowly, if asked to.
func sceneIndex(t *testing.T, pause time.Duration, names ...string) (url string) {
	t.Helper()
	dir := t.TempDir()
	var archives []string
	for _, name := range names {
		card, err := scenes.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		archives = append(archives, card.Archives...)
	}
	card, err := scenes.Find(names[0])
	if err != nil {
		t.Fatal(err)
	}
	scene := filepath.Join(dir, card.Root)
	mustRun(t, "scenes", "generate", scene, "--mapping", "10", "--queries", "6", "--size", "96x72", "--local-features", "100", "--quiet")
	// The layout of the card: queries in one folder, no scene file.
	if err := os.Rename(filepath.Join(scene, "query_day"), filepath.Join(scene, "query")); err != nil {
		t.Fatal(err)
	}
	for _, drop := range []string{"scene.yaml", "query_night", "ground_truth"} {
		if err := os.RemoveAll(filepath.Join(scene, drop)); err != nil {
			t.Fatal(err)
		}
	}
	archive := filepath.Join(dir, "archive.tar.gz")
	pack(t, archive, dir, card.Root)
	text, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	var s *httptest.Server
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/index.yaml":
			for _, name := range archives {
				fmt.Fprintf(w, "%s:\n  url: %s/archive\n  sha256sum: %s\n", strings.ReplaceAll(name, "*", "all"), s.URL, hex.EncodeToString(sum[:]))
			}
		case "/archive":
			var out http.ResponseWriter = w
			if pause > 0 && r.Method == http.MethodGet && r.Header.Get("Range") == "" {
				out = &slow{w, pause}
			}
			http.ServeFile(out, r, archive)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL + "/index.yaml"
}

// slow sends a little, and waits once.
type slow struct {
	http.ResponseWriter
	pause time.Duration
}

func (s *slow) Write(b []byte) (int, error) {
	if s.pause == 0 {
		return s.ResponseWriter.Write(b)
	}
	n, err := s.ResponseWriter.Write(b[:min(len(b), 4096)])
	s.ResponseWriter.(http.Flusher).Flush()
	time.Sleep(s.pause)
	s.pause = 0
	if err != nil || n == len(b) {
		return n, err
	}
	more, err := s.ResponseWriter.Write(b[n:])
	return n + more, err
}

func pack(t *testing.T, archive, dir, sub string) {
	t.Helper()
	out, err := os.Create(archive)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(out)
	w := tar.NewWriter(z)
	err = fs.WalkDir(os.DirFS(dir), sub, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		in, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		defer in.Close()
		info, err := in.Stat()
		if err != nil {
			return err
		}
		if err := w.WriteHeader(&tar.Header{Name: name, Size: info.Size(), Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			return err
		}
		_, err = io.Copy(w, in)
		return err
	})
	for _, e := range []error{err, w.Close(), z.Close(), out.Close()} {
		if e != nil {
			t.Fatal(e)
		}
	}
}

// TestInstallRunReport gets a known scene from an index, runs on it, and reports:
// what a newcomer does.
func TestInstallRunReport(t *testing.T) {
	index, root := sceneIndex(t, 0, "baidu-mall"), t.TempDir()
	t.Setenv("LOCBENCH_DATA", root)
	args := []string{"scenes", "install", "baidu-mall", "--index", index, "--only", "*_mapping_*,*_query_*", "--quiet"}
	// Nobody is at the terminal: the licence is shown, and --yes asked for.
	if _, stderr, code := locbench(t, args...); code != exitUsage || !strings.Contains(stderr, "Licence of baidu-mall") || !strings.Contains(stderr, "say --yes") {
		t.Fatalf("without --yes: exit code %d\n%s", code, stderr)
	}
	args = append(args, "--yes")
	if said := mustRun(t, args...); !strings.Contains(said, "archives installed") {
		t.Errorf("installing says %q", said)
	}
	if said := mustRun(t, args...); !strings.Contains(said, "installed already") {
		t.Errorf("installing again says %q", said)
	}
	if said := mustRun(t, "scenes", "verify", "baidu-mall", "--hashes"); !strings.Contains(said, "files as they were installed") || !strings.Contains(said, "0 errors") {
		t.Errorf("verifying says %q", said)
	}
	out := filepath.Join(t.TempDir(), "run")
	mustRun(t, "run", "--scene", "baidu-mall", "--topk", "1,5", "--out", out, "--quiet")
	said := mustRun(t, "report", "--published", out)
	if !strings.Contains(said, "beside published figures") || !strings.Contains(said, "AP-GeM-LM18") || !strings.Contains(said, "kapture-localization/doc/benchmark_results_baidu.adoc") {
		t.Errorf("the report says\n%s", said)
	}
	// A changed file is found.
	image, err := filepath.Glob(filepath.Join(root, "*", "query", "sensors", "records_data", "*", "*", "*.jpg"))
	if err != nil || len(image) == 0 {
		t.Fatalf("want images, found %v, %v", image, err)
	}
	if err := os.WriteFile(image[0], []byte("no image"), 0o644); err != nil {
		t.Fatal(err)
	}
	if stdout, _, code := locbench(t, "scenes", "verify", "baidu-mall", "--hashes"); code != exitInvalid || !strings.Contains(stdout, "want the SHA-256") {
		t.Errorf("a changed file: exit code %d\n%s", code, stdout)
	}
}

// TestInstallInterrupted kills and interrupts an installation, and goes on.
func TestInstallInterrupted(t *testing.T) {
	index := sceneIndex(t, 400*time.Millisecond, "baidu-mall")
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGKILL} {
		root := t.TempDir()
		args := []string{"scenes", "install", "baidu-mall", "--index", index, "--only", "*_mapping_*,*_query_*", "--yes", "--data-root", root, "--quiet"}
		cmd := program(args...)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(250 * time.Millisecond)
		_ = cmd.Process.Signal(signal)
		err := cmd.Wait()
		if signal == syscall.SIGINT && (cmd.ProcessState.ExitCode() != exitInterrupted || !strings.Contains(stderr.String(), "go on with:\n  locbench scenes install")) {
			t.Errorf("after %v: %v\n%s", signal, err, stderr.String())
		}
		if said := mustRun(t, args...); !strings.Contains(said, "archives installed") && !strings.Contains(said, "installed already") {
			t.Errorf("going on says %q", said)
		}
		mustRun(t, "scenes", "verify", "baidu-mall", "--hashes", "--data-root", root)
	}
}

// TestInstallByHand says how to get what nobody may pass on, and what is generated.
func TestInstallByHand(t *testing.T) {
	t.Setenv("LOCBENCH_DATA", t.TempDir())
	for name, want := range map[string]string{"demo": "locbench scenes generate", "oxford5k": "get it by hand", "nothing": "unknown scene"} {
		if _, stderr, code := locbench(t, "scenes", "install", name, "--yes"); code == exitDone || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit code %d\n%s", name, code, stderr)
		}
	}
	if _, stderr, code := locbench(t, "run", "--scene", "aachen"); code != exitFailed || !strings.Contains(stderr, "locbench scenes install Aachen-Day-Night-v1.1") {
		t.Errorf("a scene that is not here: exit code %d\n%s", code, stderr)
	}
}

// TestInfoOfKnown: what is not here is described with its splits; a retrieval data set
// is described, here or not.
func TestInfoOfKnown(t *testing.T) {
	root := t.TempDir()
	t.Setenv("LOCBENCH_DATA", root)
	if said := mustRun(t, "scenes", "info", "robotcar_v2"); !strings.Contains(said, "night-rain") || !strings.Contains(said, "night-all: night, night-rain") || !strings.Contains(said, "locbench scenes install") {
		t.Errorf("robotcar_v2: %s", said)
	}
	dir := filepath.Join(root, "oxford5k")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if said := mustRun(t, "scenes", "info", "oxford5k"); !strings.Contains(said, "5063 images") || !strings.Contains(said, dir) {
		t.Errorf("oxford5k: %s", said)
	}
	if _, stderr, code := locbench(t, "run", "--scene", "oxford5k"); code != exitInvalid || !strings.Contains(stderr, "for locbench eval") {
		t.Errorf("run on oxford5k: exit code %d\n%s", code, stderr)
	}
}

// TestSaysYes: only yes is yes, and Ctrl-C does not wait for an answer.
func TestSaysYes(t *testing.T) {
	for text, want := range map[string]bool{"y\n": true, " YES \n": true, "no\n": false, "\n": false, "": false, "yesterday\n": false} {
		if got, err := saysYes(t.Context(), strings.NewReader(text)); err != nil || got != want {
			t.Errorf("%q: want %v, found %v, %v", text, want, got, err)
		}
	}
	in, out := io.Pipe()
	defer out.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := saysYes(ctx, in); !errors.Is(err, context.Canceled) {
		t.Errorf("want it cancelled, found %v", err)
	}
}
