package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"locbench/bench"
	"locbench/bench/record"
	"locbench/kapture"
	"locbench/retrieval/backend"
	"locbench/retrieval/extract"
	"locbench/retrieval/npy"
	"locbench/retrieval/weights"
	"locbench/scenes"
)

// The exit codes of every command, as its help says.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInvalid     = 3
	exitGate        = 4
	exitInterrupted = 130
)

const exitHelp = `Exit codes: 0 done, 1 failed, 2 wrong usage, 3 invalid input data, 4 a gate not met, 130 interrupted.`

// usageError is a wrong command line.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// gateError is a result below what --min-success asks for.
type gateError struct{ msg string }

func (e gateError) Error() string { return e.msg }

// exitCode tells what kind of error err is.
func exitCode(err error) int {
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case is[usageError](err), is[*bench.UsageError](err), is[*extract.OptionError](err), is[*scenes.UnknownSceneError](err), errors.Is(err, backend.ErrSpec):
		return exitUsage
	case is[*kapture.InputError](err), is[*record.FormatError](err), is[*npy.FormatError](err), is[*weights.FormatError](err):
		return exitInvalid
	case is[gateError](err):
		return exitGate
	}
	return exitFailed
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// report prints err for a person: lower case, prefixed, and with what to do
// next where there is something to do. In JSON it is one record a line of err.
func (g *globals) report(err error) {
	code := exitCode(err)
	again := g.args
	if slices.Contains(again, "train") && !slices.Contains(again, "--resume") {
		again = append(slices.Clone(again), "--resume")
	}
	resume, kept := "locbench "+strings.Join(quoted(again), " "), ""
	saves := func(arg string) bool { return arg == "--save" || strings.HasPrefix(arg, "--save=") } // of eval
	resumes := func(arg string) bool {
		return slices.Contains([]string{"run", "extract", "train", "install"}, arg) || saves(arg)
	}
	if slices.ContainsFunc(g.args, resumes) {
		kept = "; what was finished is kept"
	}
	switch {
	case g.logFormat == "json" && code == exitInterrupted:
		g.logger().Error("interrupted"+kept, "resume", resume, "exit_code", code)
		return
	case code == exitInterrupted:
		fmt.Fprintf(g.stderr, "locbench: interrupted%s; go on with:\n  %s\n", kept, resume)
		return
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if g.logFormat == "json" {
			g.logger().Error(line, "exit_code", code)
		} else {
			fmt.Fprintf(g.stderr, "locbench: error: %s\n", line)
		}
	}
	if code == exitUsage && g.logFormat != "json" {
		fmt.Fprintln(g.stderr, "locbench: --help shows how the command is used")
	}
}

// quoted makes arguments that a POSIX shell reads back as they are.
func quoted(args []string) []string {
	out := make([]string, len(args))
	for i, a := range args {
		if a == "" || strings.ContainsAny(a, " \t\n\"'\\$`!*?[]{}()<>|&;#~") {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		out[i] = a
	}
	return out
}
