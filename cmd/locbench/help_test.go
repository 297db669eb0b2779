package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// playground is a folder in which the examples of the help texts and of the
// README work: a scene of the user's with two features, a pairs file, a small
// demo scene in place of the known one, two finished runs, a checkpoint, images
// in a kapture dataset, a folder and a list, and a landmark set.
func playground(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("LOCBENCH_DATA", filepath.Join(dir, "data"))
	if err := os.Rename(toyScene(t), "my_scene"); err != nil {
		t.Fatal(err)
	}
	for _, feature := range []string{"AP-GeM-LM18", "NetVLAD"} {
		if err := os.CopyFS(filepath.Join("my_scene", "global_features", feature), os.DirFS(filepath.Join("my_scene", "global_features", "toy"))); err != nil {
			t.Fatal(err)
		}
		put(t, "my_scene", "global_features/"+feature+"/global_features/global_features.txt", "# kapture format: 1.1\n"+feature+", float32, 4, L2\n")
	}
	if err := os.RemoveAll(filepath.Join("my_scene", "global_features", "toy")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("LOCBENCH_INDEX", sceneIndex(t, 0, "baidu-mall", "aachen"))
	put(t, ".", "fire_top50_pairs.txt", "# kapture format: 1.1\nq0.jpg, m0.jpg, 0.9\nq1.jpg, m1.jpg, 0.8\n")
	landmarkFiles(t, ".")
	landmarkImages(t, "roxford5k")
	writeModel(t, "Resnet101-AP-GeM-LM18.pt") // what a file is, its content says, not its name
	mustRun(t, "model", "convert", "Resnet101-AP-GeM-LM18.pt", "model.safetensors")
	mustRun(t, "scenes", "generate", filepath.Join("data", "demo"), "--mapping", "12", "--queries", "6", "--size", "64x48", "--local-features", "60", "--quiet")
	put(t, ".", "mapping_pairs.txt", mappingPairs(t, filepath.Join("data", "demo")))
	if err := errors.Join(os.CopyFS("my_dataset", os.DirFS(filepath.Join("data", "demo", "mapping"))),
		os.CopyFS("my_images", os.DirFS(filepath.Join("data", "demo", "query_day", "sensors", "records_data")))); err != nil {
		t.Fatal(err)
	}
	listImages(t, "list.txt", "my_images")
	mustRun(t, "scenes", "generate", "landmarks", "--kind", "landmarks", "--classes", "16", "--views", "6", "--size", "64", "--quiet")
	put(t, ".", "train.yaml", "model: {arch: resnet10_w8, out_dim: 16}\ndata: {path: landmarks/train}\naugment: {size: 32}\nsampler: {batch: 24}\nsteps: 2\n")
	mustRun(t, "match", "--scene", "demo", "--pairs", "mapping_pairs.txt", "--out", "matches", "--verify", "--quiet")
	// One split in place of three: a third of the figures.
	put(t, "data", "demo/scene.yaml", "name: demo\nmapping: [mapping]\nqueries: [{dir: query_day}]\nthresholds: [[5, 10]]\n")
	mustRun(t, "pairs", "--scene", "demo", "--topk", "3", "--out", "pairs.txt", "--quiet")
	mustRun(t, "map", "--scene", "demo", "--matches", "matches", "--out", "map", "--quiet")
	for _, run := range []string{"demo", "other"} {
		mustRun(t, "run", "--scene", "demo", "--out", filepath.Join("runs", run), "--topk", "1", "--methods", "ewb", "--quiet")
	}
}

// TestDocumentedCommands runs every command that the help texts and the README
// show, those of both once.
func TestDocumentedCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds: skipped with -short")
	}
	shown := []struct {
		where string
		lines []string
		least int
	}{
		{"the help texts", examples(t, newRoot(&globals{})), 10},
		{"README.md", readmeCommands(t), 6},
	}
	playground(t)
	ran := map[string]bool{}
	for _, s := range shown {
		if len(s.lines) < s.least {
			t.Errorf("found only %d commands in %s", len(s.lines), s.where)
		}
		for _, line := range s.lines {
			if !ran[line] {
				runLine(t, line)
			}
			ran[line] = true
		}
	}
}

// examples returns the example lines of a command and all below it.
func examples(t *testing.T, cmd *cobra.Command) []string {
	t.Helper()
	if cmd.Example == "" || !strings.Contains(cmd.Long, exitHelp) {
		t.Errorf("%s: want an example and the exit codes in its help", cmd.CommandPath())
	}
	var lines []string
	for line := range strings.SplitSeq(cmd.Example, "\n") {
		lines = append(lines, strings.TrimSpace(line))
	}
	for _, sub := range cmd.Commands() {
		lines = append(lines, examples(t, sub)...)
	}
	return lines
}

// readmeCommands returns the lines of the README that call locbench; its two
// make targets are what CI runs.
func readmeCommands(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	inBlock := false
	for line := range strings.SplitSeq(string(text), "\n") {
		command, _, _ := strings.Cut(line, " #")
		switch {
		case strings.HasPrefix(line, "```"):
			inBlock = !inBlock
		case inBlock && (strings.HasPrefix(line, "locbench ") || strings.HasPrefix(line, "bin/locbench ")):
			lines = append(lines, strings.TrimSpace(command))
		}
	}
	return lines
}

// runLine runs one line of documentation that calls locbench.
func runLine(t *testing.T, line string) {
	t.Helper()
	args := strings.Fields(strings.ReplaceAll(line, "'", "")) // quotes keep a shell from reading *, here nothing does
	if len(args) < 2 || filepath.Base(args[0]) != "locbench" {
		t.Errorf("want a line that runs locbench, found %q", line)
		return
	}
	if _, stderr, code := locbench(t, args[1:]...); code != exitDone {
		t.Errorf("%s: exit code %d\n%s", line, code, stderr)
	}
}
