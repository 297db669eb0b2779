package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// TestWrongUsage wants each command line refused with exit code 2.
func TestWrongUsage(t *testing.T) {
	dir := toyScene(t)
	for _, args := range [][]string{
		{"run"},
		{"run", "--scene", dir, "--csi-alpha", "NaN"},
		{"run", "--scene", dir, "--backend", "quantum"},
		{"run", "--scene", dir, "--pairs", "mine=none.txt"},
		{"run", "--scene", dir, "--out", filepath.Join(dir, "mapping", "run")},
		{"pairs"},
		{"pairs", "--scene", dir, "--out", dir},
		{"pairs", "--scene", dir, "--features", "toy,tiny-image", "--weights", "NaN,1"},
		{"pairs", "--scene", dir, "--features", "toy,tiny-image", "--fusion", "mean-min", "--gamma", "2"},
		{"scenes", "generate", filepath.Join(dir, "new"), "--size", "10x10"},
		{"scenes", "generate", filepath.Join(dir, "new"), "--kind", "houses"},
		{"scenes", "generate", filepath.Join(dir, "new"), "--classes", "20"},
		{"scenes", "generate", filepath.Join(dir, "new"), "--kind", "landmarks", "--mapping", "20"},
		{"scenes", "generate", filepath.Join(dir, "new"), "--kind", "landmarks", "--size", "64x64"},
		{"scenes", "generate", filepath.Join(dir, "new"), "--kind", "landmarks", "--classes", "3"},
		{"report"},
	} {
		if len(args) > 1 && args[0] == "run" && args[len(args)-2] != "--out" {
			args = append(args, "--out", filepath.Join(t.TempDir(), "out"))
		}
		checkFails(t, args, exitUsage, []string{"locbench: error: ", "--help shows how"})
	}
}

// TestJSONLog: whatever happens, standard error is one JSON record a line.
func TestJSONLog(t *testing.T) {
	dir := toyScene(t)
	out := filepath.Join(t.TempDir(), "out")
	for code, args := range [][]string{
		exitDone:    {"run", "--scene", dir, "--out", out, "--topk", "1,9"},
		exitFailed:  {"pairs", "--scene", dir, "--out", filepath.Join(out, "none", "pairs.txt")},
		exitUsage:   {"run", "--scene", dir, "--topk", "0"},
		exitInvalid: {"run", "--scene", filepath.Join(dir, "mapping")},
	} {
		_, stderr, got := locbench(t, append(args, "--log-format", "json")...)
		if got != code {
			t.Errorf("%q: want exit code %d, found %d", args, code, got)
		}
		last := map[string]any{}
		for line := range strings.Lines(stderr) {
			clear(last)
			if err := json.Unmarshal([]byte(line), &last); err != nil {
				t.Errorf("%q: want JSON, found %q", args, line)
			}
		}
		if code != exitDone && (last["level"] != "ERROR" || last["exit_code"] != float64(code)) {
			t.Errorf("%q: want the error as the last record, found %v", args, last)
		}
	}
}
