package main

import (
	"strings"

	"github.com/spf13/cobra"

	"locbench/bench"
	"locbench/localize/sfm"
)

// structureFlags are the flags of methods on local features, of run and localize.
type structureFlags struct {
	local, mapDir, rerank, duplicates string
	fallback, rigs                    bool
}

// add defines them; noMap says what stands for a map where --map names none.
func (f *structureFlags) add(cmd *cobra.Command, noMap string) {
	fl := cmd.Flags()
	fl.StringVar(&f.local, "local-features", "", "type of keypoints for local-sfm, local-sfm+ and global-map (default: the only one)")
	fl.StringVar(&f.mapDir, "map", "", "a folder with a map for global-map, of locbench map (default: "+noMap+")")
	fl.StringVar(&f.rerank, "rerank", string(sfm.RerankNone), "order of the retrieved images for methods on local features: "+strings.Join(sfm.Reranks, ", "))
	fl.StringVar(&f.duplicates, "duplicates", string(sfm.KeepDuplicates), "2D-3D matches of global-map that contradict each other: "+strings.Join(sfm.DuplicateChoices, ", "))
	fl.BoolVar(&f.fallback, "fallback", false, "give queries that methods on local features cannot localize the pose of the first retrieved image, marked in queries.csv")
	fl.BoolVar(&f.rigs, "rigs", true, "estimate one pose for the cameras of a rig (local-sfm+ and global-map); the published tables took each image by itself")
}

// fill puts them into the options.
func (f *structureFlags) fill(o *bench.Options) {
	o.LocalFeatures, o.Map, o.Rerank, o.Duplicates, o.Fallback, o.Alone = f.local, f.mapDir, f.rerank, f.duplicates, f.fallback, !f.rigs
}
