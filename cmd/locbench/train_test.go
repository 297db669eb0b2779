package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// smallTraining generates landmarks and returns the arguments of a training on
// them that takes a second, but for --out.
func smallTraining(t *testing.T) []string {
	t.Helper()
	set := filepath.Join(t.TempDir(), "landmarks")
	mustRun(t, "scenes", "generate", set, "--kind", "landmarks", "--classes", "12", "--views", "6", "--size", "40", "--quiet")
	args := []string{"train", "--quiet"}
	for _, s := range []string{
		"data.path=" + filepath.Join(set, "train"), "validation.data.path=" + filepath.Join(set, "val"), "validation.every=3",
		"model.arch=resnet10_w8", "model.out_dim=16", "augment.size=32", "sampler.batch=24", "sampler.per_class=3",
		"steps=10", "checkpoint=2", "optimizer.learning_rate=1e-3", "whitening.images=24",
	} {
		args = append(args, "--set", s)
	}
	return args
}

// weightsOf returns what a training has left to use and to resume.
func weightsOf(t *testing.T, dir string) []byte {
	t.Helper()
	var all []byte
	for _, name := range []string{"model.safetensors", "last/state.safetensors"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	return all
}

// TestKilledTrainingGoesOn kills trainings at random moments, twice each, and
// resumes them: the weights are those of an undisturbed one, bit by bit.
func TestKilledTrainingGoesOn(t *testing.T) {
	t.Parallel()
	args := smallTraining(t)
	undisturbed := filepath.Join(t.TempDir(), "out")
	start := time.Now()
	if text, err := program(append(args, "--out", undisturbed)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	whole := time.Since(start)
	want := weightsOf(t, undisturbed)
	rng := rand.New(rand.NewPCG(4, 2))
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	killed := 0
	for i := range rounds {
		signal := syscall.SIGKILL
		if i%3 == 2 {
			signal = syscall.SIGINT
		}
		again := append(args, "--out", filepath.Join(t.TempDir(), "out"))
		for range 2 {
			cmd := program(again...)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(rng.Float64() * float64(whole)))
			_ = cmd.Process.Signal(signal) // it may have finished already
			if err := cmd.Wait(); err != nil {
				killed++
				checkStopped(t, signal, cmd.ProcessState.ExitCode(), stderr.String())
			}
			again = append(again[:len(again):len(again)], "--resume")
		}
		if text, err := program(again...).CombinedOutput(); err != nil {
			t.Fatalf("resume: %v\n%s", err, text)
		}
		if !bytes.Equal(want, weightsOf(t, again[indexOf(again, "--out")+1])) {
			t.Fatalf("round %d: the resumed training has other weights", i)
		}
	}
	if killed == 0 {
		t.Error("no training was stopped before its end: the test shows nothing")
	}
}

func indexOf(args []string, arg string) int {
	for i, a := range args {
		if a == arg {
			return i
		}
	}
	return -1
}

// TestTrainingOnFullDisk: the last good checkpoint stays, and with room the
// training goes on from it.
func TestTrainingOnFullDisk(t *testing.T) {
	disk := mountTmpfs(t, "size=4m", 0)
	args := smallTraining(t)
	elsewhere := filepath.Join(t.TempDir(), "out")
	mustRun(t, append(args, "--out", elsewhere)...)
	info, err := os.Stat(filepath.Join(elsewhere, "last", "state.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	// Room for one checkpoint and a model, but not for the next one beside it.
	filler := filepath.Join(disk, "filler")
	if err := os.WriteFile(filler, make([]byte, 4<<20-info.Size()*7/4-64<<10), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(disk, "out")
	_, stderr, code := locbench(t, append(args, "--out", out)...)
	if code != exitFailed || !strings.Contains(stderr, "no space left on device") || !strings.Contains(stderr, disk) {
		t.Fatalf("want exit code 1 and the full disk named, found %d and:\n%s", code, stderr)
	}
	mustRun(t, "model", "info", filepath.Join(out, "last", "state.safetensors"))
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	mustRun(t, "train", "--quiet", "--out", out, "--resume")
	if !bytes.Equal(weightsOf(t, elsewhere), weightsOf(t, out)) {
		t.Error("the resumed training has other weights")
	}
}

// TestTrainingUsage has what users get wrong first.
func TestTrainingUsage(t *testing.T) {
	args := smallTraining(t)
	out := filepath.Join(t.TempDir(), "out")
	more := func(extra ...string) []string {
		return append(args[:len(args):len(args)], append([]string{"--out", out}, extra...)...)
	}

	stdout, stderr, code := locbench(t, more("--dry-run")...)
	if code != exitDone || !strings.Contains(stdout, "48 images of 8 classes") || !strings.Contains(stdout, "in all, by estimate") {
		t.Errorf("--dry-run: exit code %d\n%s%s", code, stdout, stderr)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("--dry-run has written something")
	}
	_, stderr, code = locbench(t, "train", "--out", out, "--resume")
	if code != exitUsage || !strings.Contains(stderr, "want --out with a training to resume") {
		t.Errorf("nothing to resume: exit code %d\n%s", code, stderr)
	}
	_, stderr, code = locbench(t, more("--set", "los.bins=3")...)
	if code != exitInvalid || !strings.Contains(stderr, `unknown key "los"`) || !strings.Contains(stderr, "did you mean loss") {
		t.Errorf("unknown key: exit code %d\n%s", code, stderr)
	}
	mustRun(t, more("--set", "steps=1")...)
	for _, name := range []string{"config.yaml", "model.safetensors", "log.csv", "training.svg", "training.png", "last/state.safetensors"} {
		if _, err := os.Stat(filepath.Join(out, filepath.FromSlash(name))); err != nil {
			t.Error(err)
		}
	}
	_, stderr, code = locbench(t, more("--set", "steps=1")...)
	if code != exitUsage || !strings.Contains(stderr, "--resume") {
		t.Errorf("a training that is there: exit code %d\n%s", code, stderr)
	}
	_, stderr, code = locbench(t, more("--resume")...)
	if code != exitInvalid || !strings.Contains(stderr, "config.yaml:") || !strings.Contains(stderr, "want the settings that the training began with") {
		t.Errorf("other settings: exit code %d\n%s", code, stderr)
	}
}

// TestTrainedModelEvaluates: the validation figure of the log is what eval says
// of the model.
func TestTrainedModelEvaluates(t *testing.T) {
	args := smallTraining(t)
	out := filepath.Join(t.TempDir(), "out")
	stdout := mustRun(t, append(args, "--out", out, "--set", "steps=3")...)
	val := strings.TrimPrefix(args[indexOf(args, "validation.every=3")-2], "validation.data.path=")
	printed := mustRun(t, "eval", "--dataset", "folder", "--data", val, "--model", filepath.Join(out, "model.safetensors"), "--quiet")
	_, figure, ok := strings.Cut(strings.TrimSpace(stdout), "validation mAP ")
	if !ok || !strings.Contains(printed, figure) {
		t.Errorf("training ends with %q, eval prints\n%s", stdout, printed)
	}
}
