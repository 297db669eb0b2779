package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"locbench/scenes"
)

// installFlags are the flags of locbench scenes install.
type installFlags struct {
	index     string
	only      []string
	yes, keep bool
}

func newScenesInstall(g *globals) *cobra.Command {
	f := &installFlags{}
	cmd := &cobra.Command{
		Use:   "install NAME",
		Short: "download a known scene",
		Long: `Download the archives of a known scene and unpack them below the data root. The
archives and their hashes come from kapture's public dataset index. The licence is
shown and must be accepted. An interrupted installation goes on where it stopped; a
second one does nothing. Nothing of what is downloaded is executed.

For scenes whose data nobody may pass on, it says how to get it by hand.

` + exitHelp,
		Example: `  locbench scenes install aachen --yes
  locbench scenes install baidu-mall --only '*_mapping_*,*_query_*' --yes`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), g, args[0]) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.index, "index", cmp.Or(os.Getenv("LOCBENCH_INDEX"), scenes.KaptureIndex), "the dataset index: a URL or a file (env LOCBENCH_INDEX)")
	fl.StringSliceVar(&f.only, "only", nil, "patterns of the archives to install, such as *_mapping (default: all of the scene)")
	fl.BoolVar(&f.yes, "yes", false, "accept the licence without being asked")
	fl.BoolVar(&f.keep, "keep-archives", false, "keep the archives after they are unpacked")
	return cmd
}

func (f *installFlags) run(ctx context.Context, g *globals, name string) error {
	card, root, err := knownScene(g, name)
	if err != nil {
		return err
	}
	if card.Generate != nil {
		return usagef("scene %s is generated, not downloaded: %s", card.Name, card.HowToGet(card.Folder(root)))
	}
	o := scenes.InstallOptions{DataRoot: root, Index: f.index, Only: f.only, Keep: f.keep, Accept: f.accept(ctx, g), Log: g.logger()}
	if p := g.progress(); p != nil {
		o.Progress = p
	}
	done, err := scenes.Install(ctx, card, o)
	if is[*scenes.LicenceError](err) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	if len(done.Archives) == 0 {
		g.println("%s: all %d archives are installed already", card.Folder(root), len(done.Before))
		return nil
	}
	g.println("%s: %d archives installed, %d files; %d were there", card.Folder(root), len(done.Archives), done.Files, len(done.Before))
	return nil
}

// accept shows a licence and asks on the terminal. Without one, --yes must say it.
func (f *installFlags) accept(ctx context.Context, g *globals) func(what, text string) (bool, error) {
	return func(what, text string) (bool, error) {
		fmt.Fprintf(g.stderr, "Licence of %s:\n\n%s\n\n", what, strings.TrimSpace(text))
		if f.yes {
			return true, nil
		}
		if !term.IsTerminal(int(os.Stdin.Fd())) {
			return false, usagef("want the licence of %s accepted: read it above and say --yes", what)
		}
		fmt.Fprintf(g.stderr, "Do you accept it? [y/N] ")
		return saysYes(ctx, os.Stdin)
	}
}

// saysYes reads a line and returns whether it is yes; the end of the input is no.
// Ctrl-C ends the waiting.
func saysYes(ctx context.Context, in io.Reader) (bool, error) {
	answers := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(in).ReadString('\n')
		answers <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case answer := <-answers:
		return answer == "y" || answer == "yes", nil
	}
}

// knownScene finds a known scene and the data root.
func knownScene(g *globals, name string) (*scenes.Card, string, error) {
	card, err := scenes.Find(name)
	if err != nil {
		return nil, "", err
	}
	root, err := scenes.DataRoot(g.dataRoot)
	return card, root, err
}
