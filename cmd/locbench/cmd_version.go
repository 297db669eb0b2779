package main

import (
	"runtime"

	"github.com/spf13/cobra"

	"locbench/retrieval/backend"
)

func newVersion(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "version, Go version, SIMD on or off, backends compiled in",
		Long:    "Print the version, the Go version, whether SIMD is on, and the backends compiled in.\n\n" + exitHelp,
		Example: "  locbench version",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			simd := "off: build with GOEXPERIMENT=simd, graphs on the embedded interpreter are many times faster then"
			if backend.SIMD() {
				simd = "on"
			}
			g.println("locbench %s", version)
			g.println("go       %s %s/%s", runtime.Version(), runtime.GOOS, runtime.GOARCH)
			g.println("simd     %s", simd)
			for _, name := range backend.Compiled() {
				g.println("backend  %s", name)
			}
			return nil
		},
	}
}
