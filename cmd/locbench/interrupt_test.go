package main

import (
	"bytes"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestKilledRunGoesOn kills a run at ten random moments of its life; a second
// call finishes it, with the same bytes as an undisturbed run.
func TestKilledRunGoesOn(t *testing.T) {
	t.Parallel()
	disturb(t, syscall.SIGKILL)
}

// TestInterruptedRunGoesOn does the same with Ctrl-C.
func TestInterruptedRunGoesOn(t *testing.T) {
	t.Parallel()
	disturb(t, syscall.SIGINT)
}

func disturb(t *testing.T, signal syscall.Signal) {
	interruptions := 10
	if testing.Short() {
		interruptions = 3
	}
	scene := daylight(t)
	// The report shows the command line, so all runs have the same.
	benchmark := func(dir string) *exec.Cmd {
		cmd := program("run", "--scene", scene, "--out", "run", "--topk", "5", "--methods", "ewb,bdi", "--quiet")
		cmd.Dir = dir
		return cmd
	}
	undisturbed := t.TempDir()
	start := time.Now()
	if out, err := benchmark(undisturbed).CombinedOutput(); err != nil {
		t.Fatalf("undisturbed run: %v\n%s", err, out)
	}
	whole := time.Since(start)
	want := results(t, filepath.Join(undisturbed, "run"))
	rng := rand.New(rand.NewPCG(1, uint64(signal)))
	stopped := 0
	for range interruptions {
		dir := t.TempDir()
		cmd := benchmark(dir)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		after := time.Duration(rng.Float64() * float64(whole))
		time.Sleep(after)
		_ = cmd.Process.Signal(signal) // it may have finished already
		if err := cmd.Wait(); err != nil {
			stopped++
			checkStopped(t, signal, cmd.ProcessState.ExitCode(), stderr.String())
		}
		if text, err := benchmark(dir).CombinedOutput(); err != nil {
			t.Fatalf("second call after %v at %v: %v\n%s", signal, after, err, text)
		}
		sameFiles(t, want, results(t, filepath.Join(dir, "run")))
		if t.Failed() {
			t.Fatalf("after %v at %v of %v", signal, after, whole)
		}
	}
	if stopped == 0 {
		t.Errorf("none of %d runs was stopped before its end: the test shows nothing", interruptions)
	}
}

func checkStopped(t *testing.T, signal syscall.Signal, code int, stderr string) {
	t.Helper()
	if signal != syscall.SIGINT || code == -1 { // -1: the signal came before it was caught
		return
	}
	if code != exitInterrupted || !strings.Contains(stderr, "go on with") {
		t.Errorf("after Ctrl-C want exit code %d and how to go on, found %d and:\n%s", exitInterrupted, code, stderr)
	}
}
