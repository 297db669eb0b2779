package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"locbench/bench"
)

// printPlan says what a run would do.
func printPlan(ctx context.Context, g *globals, plan *bench.Plan) error {
	steps, err := plan.Steps(ctx)
	if err != nil {
		return err
	}
	g.println("run directory %s", plan.Out())
	tab := tabwriter.NewWriter(g.stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tab, "state\ttime about\tdisk about\t  stage")
	var seconds float64
	var bytes int64
	for _, s := range steps {
		state := "to do"
		if s.Done {
			state = "done"
		}
		fmt.Fprintf(tab, "%s\t%s\t%s\t  %s\n", state, roughly(s.Seconds), size(s.Bytes), s.Name)
		seconds += s.Seconds
		bytes += s.Bytes
	}
	fmt.Fprintf(tab, "\t%s\t%s\t  in all, by estimate\n", roughly(seconds), size(bytes))
	return tab.Flush()
}

// roughly prints a duration to one digit or two.
func roughly(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d == 0:
		return "-"
	case d < time.Second:
		return "<1s"
	case d < time.Minute:
		return d.Round(time.Second).String()
	}
	return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
}

// size prints a number of bytes.
func size(n int64) string {
	switch {
	case n == 0:
		return "-"
	case n < 1e4:
		return fmt.Sprintf("%d B", n)
	case n < 1e7:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	case n < 1e10:
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.0f GB", float64(n)/1e9)
}
