package main

import (
	"strings"

	"github.com/spf13/cobra"

	"locbench/retrieval/backend"
)

func newDoctor(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "which backends and devices work here, and what is missing",
		Long: `Look for every compute backend: what was found, where it was looked for, and how
to get what is missing; and measure the speed of those that work. Nothing is
downloaded or installed.

` + exitHelp,
		Example: "  locbench doctor",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			for _, f := range backend.Probe() {
				printFound(g, f)
			}
			return nil
		},
	}
}

func printFound(g *globals, f backend.Found) {
	if f.OK {
		g.println("%-9s works: %s, %.0f GFLOP/s", f.Spec, f.Detail, f.GFLOPS)
		if f.Memory != "" {
			g.println("%-9s memory %s", "", f.Memory)
		}
		return
	}
	g.println("%-9s not here: %v", f.Spec, f.Err)
	if len(f.Looked) > 0 {
		g.println("%-9s looked in %s", "", strings.Join(f.Looked, ", "))
	}
	if f.Hint != "" {
		g.println("%-9s %s", "", f.Hint)
	}
}
