package scenes

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"locbench/kapture"
	"locbench/kapture/geom"
	"locbench/kapture/nearname"
)

// cardYAML is the scene file as written; [Card] is the same, checked.
type cardYAML struct {
	Name             string      `yaml:"name"`
	Title            string      `yaml:"title"`
	Description      string      `yaml:"description"`
	Aliases          []string    `yaml:"aliases"`
	Root             string      `yaml:"root"`
	Mapping          []string    `yaml:"mapping"`
	Queries          []QuerySet  `yaml:"queries"`
	Features         []string    `yaml:"features"`
	Thresholds       [][]float64 `yaml:"thresholds"`
	RecallThresholds [][]float64 `yaml:"recall_thresholds"`
	Submission       string      `yaml:"submission"`
	Licence          string      `yaml:"licence"`
	Citation         string      `yaml:"citation"`
	Sources          []Source    `yaml:"sources"`
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
	if err := r.decode(text, &raw); err != nil {
		return nil, err
	}
	card := r.card(&raw)
	return card, joinListed(r.problems)
}

// decode parses text into r.file and raw. The YAML package panics on some
// malformed texts (found by FuzzParseCard), which is turned into an error here.
func (r *cardReader) decode(text []byte, raw *cardYAML) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &kapture.InputError{Path: r.path, Msg: fmt.Sprintf("want YAML, found a text that the parser breaks on: %v", p)}
		}
	}()
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // a byte order mark, which some editors write
	if r.file, err = parser.ParseBytes(text, 0); err != nil {
		return yamlError(r.path, err)
	}
	if n := len(r.file.Docs); n > 1 {
		return &kapture.InputError{Path: r.path, Msg: fmt.Sprintf("want one document, found %d (separated by ---)", n)}
	}
	for _, doc := range r.file.Docs {
		r.checkKeys(doc.Body, reflect.TypeFor[cardYAML]())
	}
	if err := joinListed(r.problems); err != nil {
		return err
	}
	err = yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(raw)
	if errors.Is(err, io.EOF) {
		return &kapture.InputError{Path: r.path, Msg: "want a scene file, found an empty one"}
	}
	if err != nil {
		return yamlError(r.path, err)
	}
	return nil
}

// yamlError gives the file and line of an error of the YAML package.
func yamlError(path string, err error) error {
	if y, ok := errors.AsType[yaml.Error](err); ok {
		e := &kapture.InputError{Path: path, Msg: y.GetMessage()}
		if wrong, ok := errors.AsType[*yaml.TypeError](err); ok {
			e.Msg = fmt.Sprintf("want %s, found %s", kindName(wrong.DstType), kindName(wrong.SrcType))
			if wrong.Token != nil {
				e.Msg += fmt.Sprintf(" at %q", wrong.Token.Value)
			}
		}
		if tk := y.GetToken(); tk != nil && tk.Position != nil {
			e.Line = tk.Position.Line
		}
		return e
	}
	return &kapture.InputError{Path: path, Msg: err.Error()}
}

// kindName is a type of the YAML package in a reader's words.
func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "keys with values"
	case reflect.String:
		return "text"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Pointer:
		return kindName(t.Elem())
	}
	return "a whole number" // the rest of what cards hold
}

// checkKeys reports the keys of node that t, the type it is decoded into, does
// not have. The decoder does the same but stops at the first, without a proposal.
func (r *cardReader) checkKeys(node ast.Node, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch n := node.(type) {
	case *ast.MappingNode:
		if t.Kind() != reflect.Struct {
			return
		}
		for _, v := range n.Values {
			r.checkKey(v, t)
		}
	case *ast.SequenceNode:
		if t.Kind() != reflect.Slice {
			return
		}
		for _, v := range n.Values {
			r.checkKeys(v, t.Elem())
		}
	}
}

func (r *cardReader) checkKey(v *ast.MappingValueNode, t reflect.Type) {
	key := v.Key.GetToken()
	var known []string
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Tag.Get("yaml") == key.Value {
			r.checkKeys(v.Value, f.Type)
			return
		}
		known = append(known, f.Tag.Get("yaml"))
	}
	hint := nearname.DidYouMean(nearname.Closest(key.Value, known))
	if hint == "" {
		hint = "; want one of " + strings.Join(known, ", ")
	}
	r.problems = append(r.problems, &kapture.InputError{Path: r.path, Line: key.Position.Line,
		Msg: fmt.Sprintf("unknown key %q%s", key.Value, hint)})
}

// add notes a problem at a YAML path such as $.thresholds[1]; "" is the file.
func (r *cardReader) add(at, format string, args ...any) {
	e := &kapture.InputError{Path: r.path, Msg: fmt.Sprintf(format, args...)}
	if p, err := yaml.PathString(at); err == nil && at != "" {
		if n, err := p.FilterFile(r.file); err == nil && n != nil {
			e.Line = n.GetToken().Position.Line
		}
	}
	r.problems = append(r.problems, e)
}

func (r *cardReader) card(raw *cardYAML) *Card {
	c := &Card{
		Name: raw.Name, Title: raw.Title, Description: strings.TrimSpace(raw.Description), Aliases: raw.Aliases,
		Root: raw.Root, Mapping: raw.Mapping, Queries: raw.Queries, Features: raw.Features,
		Licence: strings.TrimSpace(raw.Licence), Citation: strings.TrimSpace(raw.Citation), Sources: raw.Sources,
		Generate: raw.Generate, Submission: StyleDefault,
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
