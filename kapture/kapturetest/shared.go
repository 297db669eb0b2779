// Package kapturetest is support for tests: it finds the reference data that
// lies outside the repository.
package kapturetest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Shared returns the path of a file or folder of the reference data: below
// $LOCBENCH_SHARED, or below shared beside the checkout. The test is skipped
// where there is no such file.
func Shared(t testing.TB, elem ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{root(t)}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("shared data not found at %s: skipped", path)
	}
	return path
}

// SharedJSON reads a JSON file of the reference data into into.
func SharedJSON(t testing.TB, into any, elem ...string) {
	t.Helper()
	path := Shared(t, elem...)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// root is the folder of the reference data. The checkout is the folder with
// go.mod above the working directory, which go test sets to the package's.
func root(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("LOCBENCH_SHARED"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil || dir == filepath.Dir(dir) {
			return filepath.Join(dir, "..", "shared")
		}
		dir = filepath.Dir(dir)
	}
}
