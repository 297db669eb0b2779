package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"locbench/retrieval/weights"
)

func newModel(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "model",
		Short:   "describe and convert checkpoints of retrieval networks",
		Long:    "Checkpoints of retrieval networks: PyTorch files, zip or legacy, and safetensors.\nNothing in a file is executed.\n\n" + exitHelp,
		Example: "  locbench model info model.safetensors",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newModelInfo(g), newModelConvert(g))
	return cmd
}

func newModelInfo(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "info FILE",
		Short: "architecture, options, preprocessing, PCA sets, tensors",
		Long: `Say what a checkpoint holds: its format, the network and its options, how images
are prepared, the PCA sets for whitening, the number of parameters; and with
--verbose each tensor. Tensors that the network needs and the file lacks, or has
in another shape, are named and end the command with exit code 3; surplus tensors
do no harm.

` + exitHelp,
		Example: `  locbench model info model.safetensors
  locbench model info model.safetensors --verbose`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := weights.Open(args[0])
			if err != nil {
				return err
			}
			defer c.Close()
			return modelInfo(g, c)
		},
	}
}

func newModelConvert(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "convert IN OUT.safetensors",
		Short: "rewrite a checkpoint as safetensors",
		Long: `Rewrite a checkpoint as safetensors: the tensors as they are, views copied out
row by row, the PCA sets, and as metadata all that rebuilds the network. The same
checkpoint gives the same bytes, from whichever container.

` + exitHelp,
		Example: "  locbench model convert Resnet101-AP-GeM-LM18.pt model.safetensors",
		Args:    cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			if !strings.HasSuffix(args[1], ".safetensors") {
				return usagef("want a name that ends in .safetensors, found %q", args[1])
			}
			c, err := weights.Open(args[0])
			if err != nil {
				return err
			}
			defer c.Close()
			return modelConvert(g, c, args[1])
		},
	}
}

// modelConvert refuses a network that is not supported, by its name; one whose
// tensors do not fit is only warned of, as the file keeps them as they are.
func modelConvert(g *globals, c *weights.Checkpoint, out string) error {
	if c.Arch != "" {
		d, err := c.Check()
		if err != nil {
			return err
		}
		if err := d.Err(c.Path); err != nil {
			g.logger().Warn("converted, but the network cannot be built: " + strings.ReplaceAll(err.Error(), "\n", "; "))
		}
	}
	if err := weights.WriteSafetensors(out, c); err != nil {
		return fmt.Errorf("write %s: %w", out, err)
	}
	g.println("%s: %d tensors; PCA sets: %s", out, len(c.Tensors), orNone(slices.Sorted(maps.Keys(c.PCA))))
	return nil
}

func modelInfo(g *globals, c *weights.Checkpoint) error {
	tab := tabwriter.NewWriter(g.stdout, 0, 0, 2, ' ', 0)
	networkRows(tab, c)
	for _, name := range slices.Sorted(maps.Keys(c.PCA)) {
		p := c.PCA[name]
		fmt.Fprintf(tab, "PCA set %s\t%d components of %d values, %s, whiten %v\n", name, len(p.Variance), len(p.Mean), p.DType, p.Whiten)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Notes)) {
		fmt.Fprintf(tab, "%s\t%s\n", name, firstLine(c.Notes[name]))
	}
	fmt.Fprintf(tab, "tensors\t%d, %s parameters\n", len(c.Tensors), thousands(c.Parameters()))
	if g.verbose {
		for _, t := range c.Tensors {
			fmt.Fprintf(tab, "  %s\t%s %v\n", t.Name, t.DType, t.Shape)
		}
	}
	d, err := c.Check()
	if err == nil {
		differenceRows(tab, d, g.verbose)
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	if err == nil && len(d.Missing)+len(d.Reshaped) > 0 {
		err = &weights.FormatError{Path: c.Path, Byte: -1, Msg: fmt.Sprintf("want the tensors of %s, found %d missing and %d of another shape", c.Arch, len(d.Missing), len(d.Reshaped))}
	}
	return err
}

func networkRows(tab io.Writer, c *weights.Checkpoint) {
	pooling := c.Pooling
	if strings.HasPrefix(pooling, "gem") {
		pooling += " p " + strconv.FormatFloat(c.GemP, 'g', 6, 64)
	}
	head := "fc"
	if c.WithoutFC {
		head = "none"
	}
	fmt.Fprintf(tab, "file\t%s\n", c.Path)
	fmt.Fprintf(tab, "format\t%s\n", c.Format)
	fmt.Fprintf(tab, "architecture\t%s\n", orUnknown(c.Arch))
	fmt.Fprintf(tab, "descriptor\t%d values; pooling %s, linear layer %s\n", c.OutDim, pooling, head)
	fmt.Fprintf(tab, "pixels\tmean %v, standard deviation %v\n", c.Mean, c.Std)
	for _, name := range slices.Sorted(maps.Keys(c.Options)) {
		fmt.Fprintf(tab, "option %s\t%v\n", name, noneForNil(c.Options[name]))
	}
}

func noneForNil(v any) any {
	if v == nil {
		return "none"
	}
	return v
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// maxRows is how many tensors of a kind are named, unless all are asked for.
const maxRows = 10

func differenceRows(tab io.Writer, d *weights.Differences, all bool) {
	var missing, reshaped, surplus []string
	for _, s := range d.Missing {
		missing = append(missing, fmt.Sprintf("%s\t%v", s.Name, s.Shape))
	}
	for _, r := range d.Reshaped {
		reshaped = append(reshaped, fmt.Sprintf("%s\t%v, want %v", r.Name, r.Found, r.Want))
	}
	for _, s := range d.Surplus {
		surplus = append(surplus, fmt.Sprintf("%s\t%v", s.Name, s.Shape))
	}
	tensorRows(tab, "missing", missing, all)
	tensorRows(tab, "other shape", reshaped, all)
	tensorRows(tab, "surplus", surplus, all)
}

func tensorRows(tab io.Writer, what string, rows []string, all bool) {
	fmt.Fprintf(tab, "%s\t%d\n", what, len(rows))
	for i, row := range rows {
		if i == maxRows && !all {
			fmt.Fprintf(tab, "  and %d more\n", len(rows)-maxRows)
			return
		}
		fmt.Fprintf(tab, "  %s\n", row)
	}
}

// thousands prints a number as 44,549,160.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
