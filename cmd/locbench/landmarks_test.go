package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGeneratedLandmarks generates landmarks and evaluates a network on those
// that are held out.
func TestGeneratedLandmarks(t *testing.T) {
	dir := t.TempDir()
	set, model, result := filepath.Join(dir, "landmarks"), filepath.Join(dir, "net.safetensors"), filepath.Join(dir, "eval.json")
	mustRun(t, "scenes", "generate", set, "--kind", "landmarks", "--classes", "12", "--views", "3", "--size", "32", "--quiet")
	writeModel(t, model)
	mustRun(t, "eval", "--dataset", "folder", "--data", filepath.Join(set, "val"), "--model", model, "--json", result, "--quiet")
	text, err := os.ReadFile(result)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		All struct {
			MAP float64 `json:"mAP"`
			APs []float64
		}
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.All.APs) != 4*3 || got.All.MAP < 10 || got.All.MAP > 100 {
		t.Errorf("want the mAP of 12 queries, found %s", text)
	}
	mustRun(t, "scenes", "generate", set, "--kind", "landmarks", "--classes", "12", "--views", "3", "--size", "32", "--quiet")
	_, stderr, code := locbench(t, "scenes", "generate", set, "--kind", "landmarks", "--classes", "8", "--views", "3", "--size", "32", "--quiet")
	if code != exitFailed || !strings.Contains(stderr, "--force replaces it") {
		t.Errorf("other landmarks in their place: exit code %d\n%s", code, stderr)
	}
}
