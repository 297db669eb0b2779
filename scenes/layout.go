package scenes

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"locbench/kapture"
)

// cardOfFolder makes the card of a folder that has the usual layout and no
// scene file.
func cardOfFolder(dir string) (*Card, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	card := &Card{
		Name: folderName(dir), Features: []string{"."}, Submission: StyleDefault,
		Thresholds: usualThresholds(), RecallThresholds: defaultRecall(),
	}
	var all string
	for _, e := range entries { // sorted by name
		name := e.Name()
		split, isQuery := strings.CutPrefix(name, "query_")
		switch {
		case !isDataset(filepath.Join(dir, name)):
		case name == "mapping":
			card.Mapping = []string{name}
		case name == "query":
			card.Queries = append(card.Queries, QuerySet{Dir: name})
		case isQuery && split == "all":
			all = name
		case isQuery && split != "" && !plainName(split):
			return nil, &kapture.InputError{Path: filepath.Join(dir, name),
				Msg: fmt.Sprintf("want query_ and the name of a split (letters, digits, '.', '_', '-'), found %q; rename it, or name it in a scene.yaml", name)}
		case isQuery:
			card.Queries = append(card.Queries, QuerySet{Dir: name, Split: split})
		}
		if e.Type().IsRegular() && isLicence(name) && card.Licence == "" {
			card.Licence = name
		}
	}
	if len(card.Queries) == 0 && all != "" {
		card.Queries = []QuerySet{{Dir: all}}
	}
	if len(card.Mapping) == 0 || len(card.Queries) == 0 {
		return nil, notScene(dir, entries, card)
	}
	return card, nil
}

// isDataset reports whether dir is a kapture dataset: the one file that every
// kapture has is there.
func isDataset(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "sensors", "sensors.txt"))
	return err == nil && info.Mode().IsRegular()
}

func isLicence(name string) bool {
	base := strings.ToLower(strings.TrimSuffix(name, filepath.Ext(name)))
	return base == "license" || base == "licence"
}

// notScene says what was looked for in a folder and what is there.
func notScene(dir string, entries []os.DirEntry, card *Card) error {
	var lacks []string
	if len(card.Mapping) == 0 {
		lacks = append(lacks, "mapping/sensors/sensors.txt")
	}
	if len(card.Queries) == 0 {
		lacks = append(lacks, "query/sensors/sensors.txt (or query_*/)")
	}
	msg := fmt.Sprintf("not a scene: want scene.yaml, or kapture datasets in mapping/ and query/ (or query_*/); missing %s; found %s",
		strings.Join(lacks, " and "), listing(entries))
	if isDataset(dir) {
		msg += "; this directory is itself one kapture dataset: name it in a scene.yaml"
	}
	return &kapture.InputError{Path: dir, Msg: msg}
}

// listing names the first few entries of a folder.
func listing(entries []os.DirEntry) string {
	if len(entries) == 0 {
		return "an empty directory"
	}
	var names []string
	for _, e := range entries[:min(8, len(entries))] {
		name := e.Name()
		if e.IsDir() {
			name += "/"
		}
		names = append(names, name)
	}
	if more := len(entries) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}
