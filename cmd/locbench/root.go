package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"locbench/bench"
)

// globals are the flags of every command, and where its output goes.
type globals struct {
	backend   string
	jobs      int
	dataRoot  string
	quiet     bool
	verbose   bool
	logFormat string

	stdout, stderr io.Writer
	args           []string
}

// run is the program: it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	g := &globals{stdout: stdout, stderr: stderr, args: args}
	root := newRoot(g)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	started := false
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if err := cmd.ValidateRequiredFlags(); err != nil {
			return err
		}
		started = true
		return g.check()
	}
	err := root.ExecuteContext(ctx)
	if err != nil && !started { // a flag or an argument that cobra refused
		err = usageError{err}
	}
	if err != nil {
		g.report(err)
	}
	return exitCode(err)
}

func newRoot(g *globals) *cobra.Command {
	root := &cobra.Command{
		Use:   "locbench",
		Short: "benchmark image retrieval for visual localization",
		Long: `locbench measures how well image retrieval serves visual localization: it reads
a kapture scene, retrieves the best mapping images of every query, localizes the
queries from them, evaluates the poses, and draws tables and plots.

` + exitHelp,
		Example:       "  locbench run --scene demo",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	f := root.PersistentFlags()
	f.StringVar(&g.backend, "backend", os.Getenv("LOCBENCH_BACKEND"), "compute backend: go, xla:cpu, xla:cuda or xla:PLUGIN.so (default: the best that works here; env LOCBENCH_BACKEND)")
	f.IntVar(&g.jobs, "jobs", runtime.GOMAXPROCS(0), "workers; results do not depend on it")
	f.StringVar(&g.dataRoot, "data-root", "", "folder of the known scenes (default: env LOCBENCH_DATA, else $XDG_DATA_HOME/locbench)")
	f.BoolVarP(&g.quiet, "quiet", "q", false, "no progress, only warnings and errors")
	f.BoolVarP(&g.verbose, "verbose", "v", false, "say more")
	f.StringVar(&g.logFormat, "log-format", "text", "text or json, on stderr")
	root.AddCommand(newRun(g), newReport(g), newPairs(g), newScenes(g), newModel(g), newExtract(g), newDoctor(g), newVersion(g), newEval(g), newWhiten(g), newTrain(g), newMatch(g), newMap(g), newLocalize(g))
	return root
}

// check refuses global flags that make no sense.
func (g *globals) check() error {
	if g.logFormat != "text" && g.logFormat != "json" {
		return usagef("want --log-format text or json, found %q", g.logFormat)
	}
	if g.jobs < 1 {
		return usagef("want --jobs of at least 1, found %d", g.jobs)
	}
	return nil
}

// logger writes to stderr: a line a stage, warnings always.
func (g *globals) logger() *slog.Logger {
	o := &slog.HandlerOptions{Level: slog.LevelInfo}
	switch {
	case g.quiet:
		o.Level = slog.LevelWarn
	case g.verbose:
		o.Level = slog.LevelDebug
	}
	if g.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(g.stderr, o))
	}
	return slog.New(&plainHandler{w: g.stderr, level: o.Level.Level()})
}

// progress draws bars on a terminal, lines elsewhere, nothing if quiet.
func (g *globals) progress() bench.Progress {
	if g.quiet || g.logFormat == "json" {
		return nil
	}
	file, ok := g.stderr.(*os.File)
	return &progress{w: g.stderr, terminal: ok && term.IsTerminal(int(file.Fd()))}
}

// println writes a line of a result.
func (g *globals) println(format string, args ...any) {
	fmt.Fprintf(g.stdout, format+"\n", args...)
}
