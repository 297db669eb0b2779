package scenes

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"locbench/kapture/nearname"
)

//go:embed cards/*.yaml
var cardFiles embed.FS

// sceneFile is the scene file that a scene folder may hold.
const sceneFile = "scene.yaml"

// List returns the cards of the known scenes, sorted by name. An error means
// that a card of this program is broken.
func List() ([]Card, error) {
	files, err := cardFiles.ReadDir("cards")
	if err != nil {
		return nil, fmt.Errorf("list scenes: %w", err)
	}
	var cards []Card
	for _, f := range files {
		text, err := cardFiles.ReadFile("cards/" + f.Name())
		if err != nil {
			return nil, fmt.Errorf("list scenes: %w", err)
		}
		card, err := parseCard("cards/"+f.Name(), text)
		if err != nil {
			return nil, fmt.Errorf("list scenes: %w", err)
		}
		if card.Root == "" {
			card.Root = card.Name
		}
		cards = append(cards, *card)
	}
	slices.SortFunc(cards, func(a, b Card) int { return strings.Compare(a.Name, b.Name) })
	return cards, nil
}

// Find returns the card of a known scene by its name or an alias, or an
// [UnknownSceneError].
func Find(name string) (*Card, error) {
	cards, err := List()
	if err != nil {
		return nil, err
	}
	var names, all []string
	for i, c := range cards {
		if c.Name == name || slices.Contains(c.Aliases, name) {
			return &cards[i], nil
		}
		names = append(names, c.Name)
		all = append(append(all, c.Name), c.Aliases...)
	}
	return nil, &UnknownSceneError{Ref: name, Near: nearname.Closest(filepath.Base(name), all), Known: names}
}

// DataRoot returns the folder that holds the data of known scenes: dir if it is
// not empty, else the environment's LOCBENCH_DATA, else
// $XDG_DATA_HOME/locbench, else ~/.local/share/locbench.
func DataRoot(dir string) (string, error) {
	if dir != "" {
		return dir, nil
	}
	if dir := os.Getenv("LOCBENCH_DATA"); dir != "" {
		return dir, nil
	}
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) { // the XDG specification: a relative one is ignored
		return filepath.Join(dir, "locbench"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find the data root (set LOCBENCH_DATA or --data-root): %w", err)
	}
	return filepath.Join(home, ".local", "share", "locbench"), nil
}

// Folder returns where a known scene's data lies under a data root.
func (c *Card) Folder(dataRoot string) string {
	return filepath.Join(dataRoot, filepath.FromSlash(c.Root))
}

// Installed reports whether a known scene's folder under the data root is
// there. A scene that locbench makes is there once its scene file is, which is
// written last.
func (c *Card) Installed(dataRoot string) bool {
	dir := c.Folder(dataRoot)
	if c.Generate != nil {
		info, err := os.Stat(filepath.Join(dir, sceneFile))
		return err == nil && info.Mode().IsRegular()
	}
	info, err := os.Stat(dir)
	return err == nil && info.IsDir()
}

// HowToGet says how to get a known scene's data into dir: a command line for a
// scene that locbench makes or installs, else the card's sources.
func (c *Card) HowToGet(dir string) string {
	if g := c.Generate; g != nil {
		return fmt.Sprintf("locbench scenes generate %s --mapping %d --queries %d --size %s --seed %d",
			shellWord(dir), g.Mapping, g.Queries, g.Size, g.Seed)
	}
	if len(c.Archives) > 0 {
		line := "locbench scenes install " + c.Name
		if usual, err := DataRoot(""); err != nil || c.Folder(usual) != filepath.Clean(dir) {
			line += " --data-root " + shellWord(strings.TrimSuffix(filepath.Clean(dir), string(filepath.Separator)+filepath.FromSlash(c.Root)))
		}
		return line
	}
	var from []string
	for _, s := range c.Sources {
		from = append(from, strings.Join(nonEmpty(s.Title, s.URL, s.Note), ", "))
	}
	return strings.Join(from, "; ") + " → " + dir
}

// shellWord quotes s for a POSIX shell if it needs it.
func shellWord(s string) string {
	if strings.IndexFunc(s, func(c rune) bool { return !plainName("a"+string(c)) && c != '/' }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func nonEmpty(parts ...string) []string {
	return slices.DeleteFunc(parts, func(s string) bool { return s == "" })
}
