package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"locbench/kapture"
	"locbench/scenes"
)

func newScenesVerify(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "verify NAME|DIR|FILE.yaml",
		Short: "the pre-flight check: everything that is wrong with a scene, at once",
		Long: `Check a scene before a long run: missing or surplus features, wrong lengths,
duplicate names, unknown images in pairs files, queries without camera, mapping
images without pose, and more; every problem with its file and line.

` + exitHelp,
		Example: "  locbench scenes verify my_scene/",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
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
				g.println("%s", p)
				if p.Severity == scenes.Error {
					wrong++
				}
			}
			g.println("%s: %d mapping images, %d queries, %d errors, %d warnings", scene.Name,
				len(scene.Mapping()), len(scene.Queries()), wrong, len(problems)-wrong)
			if wrong > 0 {
				return &kapture.InputError{Path: scene.Dir, Msg: fmt.Sprintf("want a scene without errors, found %d", wrong)}
			}
			return nil
		},
	}
}
