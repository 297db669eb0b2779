package scenes

import (
	"cmp"
	"fmt"
	"math"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"locbench/kapture"
	"locbench/kapture/geom"
	"locbench/kapture/nearname"
	"locbench/kapture/strictyaml"
)

// cardYAML is the scene file as written; [Card] is the same, checked.
type cardYAML struct {
	Name             string      `yaml:"name"`
	Kind             string      `yaml:"kind"`
	Title            string      `yaml:"title"`
	Description      string      `yaml:"description"`
	Aliases          []string    `yaml:"aliases"`
	Root             string      `yaml:"root"`
	Mapping          []string    `yaml:"mapping"`
	Queries          []QuerySet  `yaml:"queries"`
	Groups           []Group     `yaml:"groups"`
	Features         []string    `yaml:"features"`
	Observations     string      `yaml:"observations"`
	Thresholds       [][]float64 `yaml:"thresholds"`
	RecallThresholds [][]float64 `yaml:"recall_thresholds"`
	Submission       string      `yaml:"submission"`
	Licence          string      `yaml:"licence"`
	Citation         string      `yaml:"citation"`
	Sources          []Source    `yaml:"sources"`
	Archives         []string    `yaml:"archives"`
	Size             string      `yaml:"size"`
	Expected         *Expected   `yaml:"expected"`
	Published        *Published  `yaml:"published"`
	Generate         *Generate   `yaml:"generate"`
}

// cardReader reads one scene file and gathers everything wrong with it.
type cardReader struct {
	path     string
	file     *ast.File
	problems []*kapture.InputError
	// hasThresholds: the file names thresholds, be they right or wrong.
	hasThresholds bool
}

// parseCard reads a scene file's text; path is its name in messages. Everything
// wrong with it comes back at once, as [kapture.InputError] with lines.
func parseCard(path string, text []byte) (*Card, error) {
	r := &cardReader{path: path}
	var raw cardYAML
	var err error
	if r.file, err = strictyaml.Decode(path, text, &raw); err != nil {
		return nil, err
	}
	card := r.card(&raw)
	return card, strictyaml.Join(r.problems)
}

// add notes a problem at a YAML path such as $.thresholds[1]; "" is the file.
func (r *cardReader) add(at, format string, args ...any) {
	e := &kapture.InputError{Path: r.path, Msg: fmt.Sprintf(format, args...)}
	if at != "" {
		e.Line = strictyaml.Line(r.file, at)
	}
	r.problems = append(r.problems, e)
}

func (r *cardReader) card(raw *cardYAML) *Card {
	c := &Card{
		Name: raw.Name, Title: raw.Title, Description: strings.TrimSpace(raw.Description), Aliases: raw.Aliases,
		Root: raw.Root, Mapping: raw.Mapping, Queries: raw.Queries, Features: raw.Features, Observations: raw.Observations,
		Licence: strings.TrimSpace(raw.Licence), Citation: strings.TrimSpace(raw.Citation), Sources: raw.Sources,
		Generate: raw.Generate, Submission: StyleDefault, Kind: cmp.Or(raw.Kind, KindLocalization), Groups: raw.Groups,
		Archives: raw.Archives, Size: raw.Size, Expected: raw.Expected, Published: raw.Published,
	}
	if c.Kind != KindLocalization && c.Kind != KindRetrieval {
		r.add("$.kind", "kind: want %s or %s, found %q", KindLocalization, KindRetrieval, c.Kind)
	}
	if c.Name != "" && !plainName(c.Name) {
		r.add("$.name", "name: want letters, digits, '.', '_' and '-', found %q", c.Name)
	}
	if raw.Submission != "" {
		c.Submission = Style(raw.Submission)
		if !slices.Contains(styles(), raw.Submission) {
			r.add("$.submission", "submission: want one of %s, found %q%s", strings.Join(styles(), ", "), raw.Submission,
				nearname.DidYouMean(nearname.Closest(raw.Submission, styles())))
		}
	}
	if len(c.Features) == 0 {
		c.Features = []string{"."}
	}
	c.Thresholds = r.thresholds("thresholds", raw.Thresholds)
	r.hasThresholds = len(raw.Thresholds) > 0
	c.RecallThresholds = defaultRecall()
	for _, t := range r.thresholds("recall_thresholds", raw.RecallThresholds) {
		if !slices.Contains(c.RecallThresholds, t) {
			c.RecallThresholds = append(c.RecallThresholds, t)
		}
	}
	r.parts(c)
	return c
}

// parts checks mapping, queries and the presence of thresholds; a generated
// scene's are in the scene.yaml that comes with it.
func (r *cardReader) parts(c *Card) {
	if c.Kind == KindRetrieval {
		return
	}
	r.groups(c)
	if c.Generate != nil && len(c.Mapping) == 0 && len(c.Queries) == 0 {
		return
	}
	if len(c.Mapping) == 0 {
		r.add("", "want mapping: the folders of the mapping datasets, found none")
	}
	if len(c.Queries) == 0 {
		r.add("", "want queries: the query datasets such as [{dir: query, split: day}], found none")
	}
	if !r.hasThresholds {
		r.add("", "want thresholds: the scene's own, such as [[0.25, 2], [0.5, 5], [5, 10]] (metres, degrees), found none")
	}
	for i, q := range c.Queries {
		at := fmt.Sprintf("$.queries[%d]", i)
		if q.Dir == "" {
			r.add(at, "queries: want dir: the folder of a query dataset, found none")
		}
		if q.Split == "all" || q.Split != "" && !plainName(q.Split) {
			r.add(at, "queries: split: want letters, digits, '.', '_' and '-', and not all, which every scene has; found %q", q.Split)
		}
		if _, err := compilePattern(q.Pattern); err != nil {
			r.add(at, "queries: pattern %q: %v", q.Pattern, err)
		}
	}
}

// groups checks that groups are made of splits.
func (r *cardReader) groups(c *Card) {
	splits := c.Splits()
	for i, g := range c.Groups {
		at := fmt.Sprintf("$.groups[%d]", i)
		if g.Split == "all" || !plainName(g.Split) || slices.Contains(splits, g.Split) {
			r.add(at, "groups: split: want a name that no split has, found %q", g.Split)
		}
		if len(g.Of) == 0 {
			r.add(at, "groups: want of: the splits that %s is made of, found none", g.Split)
		}
		for _, of := range g.Of {
			if !slices.Contains(splits, of) {
				r.add(at, "groups: of: want one of the splits %s, found %q%s", strings.Join(splits, ", "), of, nearname.DidYouMean(nearname.Closest(of, splits)))
			}
		}
	}
}

func (r *cardReader) thresholds(key string, rows [][]float64) []geom.Threshold {
	var out []geom.Threshold
	for i, row := range rows {
		at := fmt.Sprintf("$.%s[%d]", key, i)
		switch {
		case len(row) != 2:
			r.add(at, "%s: want [metres, degrees], found %d values", key, len(row))
		case !(row[0] > 0) || !(row[1] > 0) || math.IsInf(row[0], 0) || math.IsInf(row[1], 0):
			r.add(at, "%s: want two positive numbers (metres, degrees), found %v", key, row)
		case slices.Contains(out, geom.Threshold{Meters: row[0], Degrees: row[1]}):
			r.add(at, "%s: %v comes twice", key, row)
		default:
			out = append(out, geom.Threshold{Meters: row[0], Degrees: row[1]})
		}
	}
	return out
}

// plainName reports whether s can be part of a file name and of a column.
func plainName(s string) bool {
	other := strings.IndexFunc(s, func(c rune) bool {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		return !letter && !('0' <= c && c <= '9') && !strings.ContainsRune("._-", c)
	})
	return s != "" && other < 0 && s[0] != '.' && s[0] != '-'
}

// compilePattern returns the function that says whether an image name matches.
func compilePattern(pattern string) (func(name string) bool, error) {
	if pattern == "" {
		return func(string) bool { return true }, nil
	}
	if len(pattern) > 2 && pattern[0] == '/' && pattern[len(pattern)-1] == '/' {
		re, err := regexp.Compile(pattern[1 : len(pattern)-1])
		if err != nil {
			return nil, fmt.Errorf("want a regular expression between the slashes: %w", err)
		}
		return re.MatchString, nil
	}
	if _, err := path.Match(pattern, ""); err != nil {
		return nil, fmt.Errorf("want a glob such as night/*.jpg: %w", err)
	}
	return func(name string) bool {
		ok, _ := path.Match(pattern, name)
		return ok
	}, nil
}
