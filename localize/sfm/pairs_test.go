package sfm_test

import (
	"os"
	"testing"

	"locbench/kapture"
	"locbench/kapture/kapturetest"
)

func readPairs(t testing.TB, name string) kapture.Pairs {
	t.Helper()
	path := kapturetest.Shared(t, "golden", "colmap_virtual_gallery", name)
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	pairs, err := kapture.ReadPairs(file, path)
	if err != nil {
		t.Fatal(err)
	}
	return pairs
}
