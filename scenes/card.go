package scenes

import (
	"slices"

	"locbench/kapture/geom"
)

// Style says how a submission file names the images (visuallocalization.net).
type Style string

// The submission styles.
const (
	StyleDefault  Style = "default"   // the base name
	StyleRobotCar Style = "robotcar"  // camera folder and base name
	StyleFullPath Style = "full-path" // the image's whole path
	StyleRIO10    Style = "rio10"     // the path up to its first dot, and the inverse pose
)

func styles() []string {
	return []string{string(StyleDefault), string(StyleRobotCar), string(StyleFullPath), string(StyleRIO10)}
}

// Kinds of scenes.
const (
	KindLocalization = "localization" // mapping images with poses, queries to localize
	KindRetrieval    = "retrieval"    // a landmark set, for locbench eval
)

// Card is what a scene file says. See the package comment for its keys.
type Card struct {
	Name             string
	Kind             string // KindLocalization or KindRetrieval
	Title            string
	Description      string
	Aliases          []string // other names of a known scene
	Root             string   // known scenes: folder under the data root, default Name
	Mapping          []string // folders of kapture datasets
	Queries          []QuerySet
	Groups           []Group
	Features         []string // folders that hold global_features/ and local_features/; default "."
	Observations     string   // folder of a kapture dataset whose points mapping and query images see; "": none is named
	Thresholds       []geom.Threshold
	RecallThresholds []geom.Threshold // the defaults and what the file adds
	Submission       Style
	Licence          string // text, or the name of a file in the scene's folder
	Citation         string
	Sources          []Source
	Archives         []string // entries of kapture's dataset index
	Size             string   // how much there is, in words
	Expected         *Expected
	Published        *Published
	Generate         *Generate // nil unless locbench makes the scene itself
}

// QuerySet is one entry of queries: the images of a query dataset that form a
// split.
type QuerySet struct {
	Dir     string `yaml:"dir"`
	Split   string `yaml:"split"`   // "": these queries belong to the split all only
	Pattern string `yaml:"pattern"` // "": all images; see the package comment
}

// Group is a split that is made of others: the day of several conditions.
type Group struct {
	Split string   `yaml:"split"`
	Of    []string `yaml:"of"`
}

// Expected are the numbers of images that the published scene has; 0: not known.
type Expected struct {
	Mapping int            `yaml:"mapping"`
	Queries int            `yaml:"queries"`
	Splits  map[string]int `yaml:"splits"` // queries by split
}

// Published says which published tables are about the scene.
type Published struct {
	Dataset string            `yaml:"dataset"` // as the tables name it
	Splits  map[string]string `yaml:"splits"`  // from ours to the tables' where they differ
	// Truth says that the poses of the queries are public, so that a figure
	// without randomness must agree to the last digit.
	Truth bool `yaml:"truth"`
}

// Source says where a part of a scene's data comes from.
type Source struct {
	Title string `yaml:"title"`
	URL   string `yaml:"url"`
	Note  string `yaml:"note"`
}

// Generate holds the options of `locbench scenes generate` for a scene that
// locbench makes.
type Generate struct {
	Mapping int    `yaml:"mapping"` // number of mapping images
	Queries int    `yaml:"queries"` // number of query images
	Size    string `yaml:"size"`    // WIDTHxHEIGHT in pixels
	Seed    uint64 `yaml:"seed"`
}

// Splits returns the names of the splits in the order of the card, without "" and
// without the groups.
func (c *Card) Splits() []string {
	var out []string
	for _, q := range c.Queries {
		if q.Split != "" && !slices.Contains(out, q.Split) {
			out = append(out, q.Split)
		}
	}
	return out
}

// defaultRecall holds the default thresholds of retrieval recall: the same
// place seen from a similar direction, and the same place.
func defaultRecall() []geom.Threshold {
	return []geom.Threshold{{Meters: 5, Degrees: 30}, {Meters: 25, Degrees: 180}}
}

// usualThresholds are those of Aachen Day-Night, RobotCar Seasons and
// Baidu-mall, for a folder that does not name its own.
func usualThresholds() []geom.Threshold {
	return []geom.Threshold{{Meters: 0.25, Degrees: 2}, {Meters: 0.5, Degrees: 5}, {Meters: 5, Degrees: 10}}
}
