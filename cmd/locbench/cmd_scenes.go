package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"locbench/kapture"
	"locbench/scenes"
)

func newScenes(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "scenes",
		Short:   "list, describe, install, verify and generate scenes",
		Long:    "The scenes that locbench knows, and scenes of your own.\n\n" + exitHelp,
		Example: "  locbench scenes list\n  locbench scenes verify my_scene/",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newScenesList(g), newScenesInfo(g), newScenesInstall(g), newScenesVerify(g), newScenesGenerate(g))
	return cmd
}

func newScenesList(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "the known scenes, and whether their data is here",
		Long:    "List the known scenes, and whether their data is here.\n\n" + exitHelp,
		Example: "  locbench scenes list",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			cards, err := scenes.List()
			if err != nil {
				return err
			}
			root, err := scenes.DataRoot(g.dataRoot)
			if err != nil {
				return err
			}
			tab := tabwriter.NewWriter(g.stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(tab, "name\tdata\ttitle")
			for _, c := range cards {
				state := "not here"
				if c.Installed(root) {
					state = c.Folder(root)
				}
				fmt.Fprintf(tab, "%s\t%s\t%s\n", c.Name, state, c.Title)
			}
			return tab.Flush()
		},
	}
}

func newScenesInfo(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "info NAME|DIR|FILE.yaml",
		Short: "parts, splits, thresholds, licence, citation, sources",
		Long:  "Say what a scene is made of: parts, splits, thresholds, features, licence,\ncitation, sources.\n\n" + exitHelp,
		Example: `  locbench scenes info demo
  locbench scenes info my_scene/`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			scene, err := scenes.Open(args[0], scenes.Options{DataRoot: g.dataRoot})
			card, unknown := scenes.Find(args[0])
			switch {
			case unknown == nil && is[*scenes.NotInstalledError](err):
				return infoOfCard(g, card, err.Error())
			case unknown == nil && card.Kind == scenes.KindRetrieval:
				root, err := scenes.DataRoot(g.dataRoot)
				if err != nil {
					return err
				}
				return infoOfCard(g, card, card.Folder(root))
			}
			if err != nil {
				return err
			}
			return infoOfScene(g, scene)
		},
	}
}

func infoOfScene(g *globals, s *scenes.Scene) error {
	tab := tabwriter.NewWriter(g.stdout, 0, 0, 2, ' ', 0)
	cardRows(tab, &s.Card)
	fmt.Fprintf(tab, "folder\t%s\n", s.Dir)
	posed := func(images []scenes.Image) (n int) {
		for _, im := range images {
			if im.HasPose {
				n++
			}
		}
		return n
	}
	fmt.Fprintf(tab, "mapping\t%d images, %d with a pose\n", len(s.Mapping()), posed(s.Mapping()))
	fmt.Fprintf(tab, "queries\t%d images, %d with ground truth\n", len(s.Queries()), posed(s.Queries()))
	bySplit := map[string]int{}
	for _, q := range s.Queries() {
		bySplit[q.Split]++
	}
	for _, split := range s.Splits() {
		fmt.Fprintf(tab, "split %s\t%d queries\n", split, bySplit[split])
	}
	for _, group := range s.Groups {
		n := 0
		for _, of := range group.Of {
			n += bySplit[of]
		}
		fmt.Fprintf(tab, "split %s\t%d queries: %s\n", group.Split, n, strings.Join(group.Of, ", "))
	}
	fmt.Fprintf(tab, "thresholds from\t%s\n", s.ThresholdsFrom)
	for _, kind := range []kapture.FeatureKind{kapture.GlobalFeatures, kapture.Keypoints, kapture.Descriptors} {
		fmt.Fprintf(tab, "%s\t%s\n", strings.ReplaceAll(string(kind), "_", " "), orNone(s.FeatureTypes(kind)))
	}
	return tab.Flush()
}

// infoOfCard describes a known scene by its card; data says where its data is, or
// how to get it.
func infoOfCard(g *globals, c *scenes.Card, data string) error {
	tab := tabwriter.NewWriter(g.stdout, 0, 0, 2, ' ', 0)
	cardRows(tab, c)
	for _, split := range c.Splits() {
		fmt.Fprintf(tab, "split\t%s\n", split)
	}
	for _, group := range c.Groups {
		fmt.Fprintf(tab, "split\t%s: %s\n", group.Split, strings.Join(group.Of, ", "))
	}
	for _, s := range c.Sources {
		fmt.Fprintf(tab, "source\t%s\n", strings.TrimSpace(strings.Join([]string{s.Title, s.URL, s.Note}, "  ")))
	}
	fmt.Fprintf(tab, "data\t%s\n", data)
	return tab.Flush()
}

func cardRows(tab *tabwriter.Writer, c *scenes.Card) {
	fmt.Fprintf(tab, "name\t%s\n", c.Name)
	fmt.Fprintf(tab, "title\t%s\n", c.Title)
	rows := [][2]string{
		{"aliases", strings.Join(c.Aliases, ", ")}, {"description", c.Description}, {"size", c.Size}, {"expected", expectedText(c)}, {"thresholds", joinStrings(c.Thresholds)},
		{"recall thresholds", joinStrings(c.RecallThresholds)}, {"submission style", string(c.Submission)},
		{"licence", firstLine(c.Licence)}, {"citation", c.Citation}, {"published tables", publishedText(c)},
		{"archives", strings.Join(c.Archives, " ")},
	}
	if c.Kind == scenes.KindRetrieval {
		rows = slices.DeleteFunc(rows, func(r [2]string) bool { return strings.Contains(r[0], "threshold") || r[0] == "submission style" })
	}
	for _, r := range rows {
		if r[1] != "" {
			fmt.Fprintf(tab, "%s\t%s\n", r[0], strings.Join(strings.Fields(r[1]), " "))
		}
	}
}

// expectedText counts the images that a published scene has.
func expectedText(c *scenes.Card) string {
	if c.Expected == nil {
		return ""
	}
	var parts []string
	add := func(what string, n int) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	if c.Kind == scenes.KindRetrieval {
		add("images", c.Expected.Mapping)
	} else {
		add("mapping images", c.Expected.Mapping)
	}
	add("queries", c.Expected.Queries)
	for _, split := range slices.Sorted(maps.Keys(c.Expected.Splits)) {
		add("queries in "+split, c.Expected.Splits[split])
	}
	return strings.Join(parts, ", ")
}

func publishedText(c *scenes.Card) string {
	if c.Published == nil {
		return ""
	}
	return c.Published.Dataset
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// joinStrings lists values with their String methods.
func joinStrings[T fmt.Stringer](list []T) string {
	var out []string
	for _, v := range list {
		out = append(out, v.String())
	}
	return strings.Join(out, ", ")
}
