package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"locbench/retrieval/extract"
)

// listImages writes a list of the images below a folder.
func listImages(t *testing.T, list, dir string) {
	t.Helper()
	images, err := extract.FromFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	text := "# images of " + dir + "\n"
	for _, im := range images {
		text += filepath.ToSlash(im.File) + "\n"
	}
	put(t, filepath.Dir(list), filepath.Base(list), text)
}

// TestExtractKilled: an extraction that was killed goes on and ends with the
// bytes of one that was not.
func TestExtractKilled(t *testing.T) {
	dir := t.TempDir()
	mustRun(t, "scenes", "generate", filepath.Join(dir, "town"), "--mapping", "24", "--queries", "3", "--size", "128x96", "--local-features", "0", "--quiet")
	model := filepath.Join(dir, "model.safetensors")
	writeModel(t, model)
	args := func(out string) []string {
		return []string{"extract", "--kapture", filepath.Join(dir, "town", "mapping"), "--model", model, "--name", "toy", "--out", filepath.Join(dir, out), "--quiet", "--batch", "2"}
	}
	mustRun(t, args("whole")...)
	cmd := program(args("killed")...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitForFiles(t, filepath.Join(dir, "killed"), ".gfeat", 4)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	mustRun(t, args("killed")...)
	sameFiles(t, tree(t, filepath.Join(dir, "whole")), tree(t, filepath.Join(dir, "killed")))
}

// waitForFiles waits until a folder holds so many files of an ending.
func waitForFiles(t *testing.T, dir, ending string, n int) {
	t.Helper()
	for range 1000 {
		found := 0
		_ = filepath.WalkDir(dir, func(path string, _ os.DirEntry, _ error) error { // not there yet: none
			if strings.HasSuffix(path, ending) {
				found++
			}
			return nil
		})
		if found >= n {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%s does not get %d files of %s", dir, n, ending)
}
