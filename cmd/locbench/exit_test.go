package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"locbench/bench"
	"locbench/bench/record"
	"locbench/kapture"
	"locbench/scenes"
)

func TestExitCode(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("the disk is full"), 1},
		{&scenes.NotInstalledError{}, 1},
		{usagef("want a flag"), 2},
		{&bench.UsageError{}, 2},
		{&scenes.UnknownSceneError{}, 2},
		{fmt.Errorf("stage retrieve: %w", errors.Join(&kapture.InputError{}, errors.New("and 3 more"))), 3},
		{&record.FormatError{}, 3},
		{gateError{}, 4},
		{fmt.Errorf("stage retrieve: %w", context.Canceled), 130},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%v: want exit code %d, found %d", c.err, c.want, got)
		}
	}
}

func TestQuotedArgumentsReadBack(t *testing.T) {
	got := quoted([]string{"run", "--scene", "my town", "it's", ""})
	want := []string{"run", "--scene", "'my town'", `'it'\''s'`, "''"}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("want %s, found %s", want[i], got[i])
		}
	}
}
