package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"locbench/bench/record"
	"locbench/kapture/geom"
	"locbench/retrieval/backend"
)

func TestRoughNumbers(t *testing.T) {
	for seconds, want := range map[float64]string{0: "-", 0.2: "<1s", 1: "1s", 12.6: "13s", 61: "1m", 600: "10m", 3700: "1h2m"} {
		if got := roughly(seconds); got != want {
			t.Errorf("%v s: want %s, found %s", seconds, want, got)
		}
	}
	for n, want := range map[int64]string{
		0: "-", 1: "1 B", 9999: "9999 B", 10_000: "10 kB", 9_999_400: "9999 kB", 10_000_000: "10 MB", 9_999_400_000: "9999 MB", 10_000_000_000: "10 GB",
	} {
		if got := size(n); got != want {
			t.Errorf("%d: want %s, found %s", n, want, got)
		}
	}
}

func TestDoctorSaysWhatToDo(t *testing.T) {
	var out strings.Builder
	g := &globals{stdout: &out}
	printFound(g, backend.Found{Spec: "go", OK: true, Detail: "AVX2", GFLOPS: 12.4, Hint: "none"})
	printFound(g, backend.Found{Spec: "xla:cuda", Err: errors.New("no plugin"), Looked: []string{"/a", "/b"}, Hint: "get it there"})
	printFound(g, backend.Found{Spec: "xla:cpu", Err: errors.New("not built in")})
	want := "go        works: AVX2, 12 GFLOP/s\n" +
		"xla:cuda  not here: no plugin\n          looked in /a, /b\n          get it there\n" +
		"xla:cpu   not here: not built in\n"
	if out.String() != want {
		t.Errorf("want\n%sfound\n%s", want, out.String())
	}
}

// TestLogLines shows the level of warnings and errors only, and less or more
// as asked for.
func TestLogLines(t *testing.T) {
	for _, tt := range []struct {
		g    globals
		want string
	}{
		{globals{}, "locbench: done  stage=a  n=1\nlocbench: warn: odd  stage=a\nlocbench: error: bad  stage=a\n"},
		{globals{quiet: true}, "locbench: warn: odd  stage=a\nlocbench: error: bad  stage=a\n"},
		{globals{verbose: true}, "locbench: detail  stage=a\nlocbench: done  stage=a  n=1\nlocbench: warn: odd  stage=a\nlocbench: error: bad  stage=a\n"},
	} {
		var out strings.Builder
		tt.g.stderr = &out
		l := tt.g.logger().With("stage", "a")
		l.Debug("detail")
		l.Info("done", "n", 1)
		l.Warn("odd")
		l.Error("bad")
		if out.String() != tt.want {
			t.Errorf("quiet %v, verbose %v: want\n%sfound\n%s", tt.g.quiet, tt.g.verbose, tt.want, out.String())
		}
	}
}

func TestNoProgress(t *testing.T) {
	for _, g := range []globals{{quiet: true}, {logFormat: "json"}} {
		if p := g.progress(); p != nil {
			t.Errorf("quiet %v, format %s: want no progress, found %T", g.quiet, g.logFormat, p)
		}
	}
	g := globals{logFormat: "text", stderr: os.Stderr}
	if g.progress() == nil {
		t.Error("want a progress, found none")
	}
}

// TestKnownSceneIsGenerated stops as soon as the program says that it generates.
func TestKnownSceneIsGenerated(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, err strings.Builder
	code := run(ctx, []string{"run", "--scene", "demo", "--data-root", t.TempDir()}, &out, &err)
	if code != exitInterrupted || !strings.Contains(err.String(), "scene demo is not here yet: generating it") {
		t.Errorf("want exit code %d and the scene generated, found %d and\n%s", exitInterrupted, code, err.String())
	}
}

func TestGateTakesTheBestRowOfAllQueries(t *testing.T) {
	near := geom.Threshold{Meters: 0.25, Degrees: 2}
	rows := []record.Summary{
		{Split: "day", Metric: "within_0.25m_2deg", Value: 90},
		{Split: record.AllSplit, Metric: "within_0.25m_2deg", Value: 40},
		{Split: record.AllSplit, Metric: "within_0.25m_2deg", Value: 60},
		{Split: record.AllSplit, Metric: "within_5m_10deg", Value: 95},
		{Split: record.AllSplit, Metric: "within_0.25m_2deg", Value: 50},
	}
	for percent, met := range map[float64]bool{0: true, 60: true, 60.1: false, 90: false} {
		err := (&gate{near, percent}).check(rows)
		if (err == nil) != met {
			t.Errorf("%v %%: want it met: %v, found %v", percent, met, err)
		}
		if err != nil && (!strings.Contains(err.Error(), "the best row has 60.00 %") || exitCode(err) != exitGate) {
			t.Errorf("%v %%: found %v", percent, err)
		}
	}
	for text, want := range map[string]float64{"0.25m_2deg=0": 0, "0.25m_2deg=100": 100, "0.25m_2deg=62.5": 62.5} {
		if g, err := parseGate(text, []geom.Threshold{near}); err != nil || g.percent != want || g.threshold != near {
			t.Errorf("%s: found %+v, %v", text, g, err)
		}
	}
	for _, text := range []string{"0.25m_2deg", "0.25m_2deg=", "0.25m_2deg=100.1", "0.25m_2deg=-1", "0.25m_2deg=nan", "0.25m=5", "1m_1deg=5"} {
		if _, err := parseGate(text, []geom.Threshold{near}); exitCode(err) != exitUsage {
			t.Errorf("%s: want a usage error, found %v", text, err)
		}
	}
}
