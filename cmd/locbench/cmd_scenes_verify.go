package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"locbench/kapture"
	"locbench/scenes"
)

// shownProblems is how many problems of a kind in a file are printed.
const shownProblems = 10

func newScenesVerify(g *globals) *cobra.Command {
	hashes, all := false, false
	cmd := &cobra.Command{
		Use:   "verify NAME|DIR|FILE.yaml",
		Short: "the pre-flight check: everything that is wrong with a scene, at once",
		Long: `Check a scene before a long run: missing or surplus features, wrong lengths,
duplicate names, unknown images in pairs files, queries without camera, mapping
images without pose, and more; every problem with its file and line. --hashes also
holds the files that scenes install wrote against the hashes that they had.

` + exitHelp,
		Example: "  locbench scenes verify my_scene/",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if hashes {
				if err := verifyHashes(cmd.Context(), g, args[0]); err != nil {
					return err
				}
			}
			scene, err := scenes.Open(args[0], scenes.Options{DataRoot: g.dataRoot})
			if err != nil {
				return err
			}
			problems, err := scene.Verify(cmd.Context())
			if err != nil {
				return err
			}
			wrong := 0
			for _, p := range problems {
				if p.Severity == scenes.Error {
					wrong++
				}
			}
			shown := problems
			if !all {
				shown = scenes.Shorten(problems, shownProblems)
			}
			for _, p := range shown {
				g.println("%s", p)
			}
			g.println("%s: %d mapping images, %d queries, %d errors, %d warnings", scene.Name,
				len(scene.Mapping()), len(scene.Queries()), wrong, len(problems)-wrong)
			if wrong > 0 {
				return &kapture.InputError{Path: scene.Dir, Msg: fmt.Sprintf("want a scene without errors, found %d", wrong)}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "print every problem (default: ten of a kind in a file, and how many more there are)")
	cmd.Flags().BoolVar(&hashes, "hashes", false, "of a known scene: read all installed files again and compare their hashes")
	return cmd
}

// verifyHashes holds the installed files of a known scene against their hashes.
func verifyHashes(ctx context.Context, g *globals, name string) error {
	card, root, err := knownScene(g, name)
	if err != nil {
		return err
	}
	found, err := scenes.VerifyInstalled(ctx, card, root)
	if err != nil {
		return err
	}
	for _, w := range found.Wrong {
		g.println("%s", w)
	}
	if len(found.Unknown) > 0 {
		g.logger().Warn("installed by another program, no hashes of the files are known", "archives", strings.Join(found.Unknown, ", "))
	}
	if len(found.Wrong) > 0 {
		return &kapture.InputError{Path: card.Folder(root), Msg: fmt.Sprintf("want %d files as they were installed, found %d that are not; scenes install gets an archive again once its line in kapture_dataset_installed.yaml is removed", found.Files, len(found.Wrong))}
	}
	if found.Files == 0 {
		return usagef("want a scene that scenes install installed, found no file of %s", card.Name)
	}
	g.println("%s: %d files as they were installed", card.Folder(root), found.Files)
	return nil
}
