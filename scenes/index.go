package scenes

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/google/renameio/v2"

	"locbench/kapture"
	"locbench/kapture/nearname"
	"locbench/scenes/fetch"
)

// KaptureIndex is where kapture publishes which archives there are.
const KaptureIndex = "https://github.com/naver/kapture/raw/main/dataset/kapture_dataset_index.yaml"

// IndexEntry is an archive of a dataset index. What it names as an install script
// is never run.
type IndexEntry struct {
	URL     string `yaml:"url"`
	SHA256  digits `yaml:"sha256sum"`
	Licence string `yaml:"license,omitempty"` // where its text is
	Script  string `yaml:"install_script,omitempty"`
}

// digits are those of a hash as they stand in a YAML file: some hashes look like a
// number, and are none.
type digits string

// UnmarshalYAML implements yaml.BytesUnmarshaler.
func (d *digits) UnmarshalYAML(text []byte) error {
	*d = digits(strings.Trim(strings.TrimSpace(string(text)), `"'`))
	return nil
}

// Index is a dataset index: archives by name.
type Index map[string]IndexEntry

const maxIndex = 16 << 20 // bytes

// readIndex reads an index from a file or from the web; what came from the web is
// kept in cache, and used where the web cannot be reached.
func readIndex(ctx context.Context, client *fetch.Client, from, cache string) (Index, error) {
	if !strings.HasPrefix(from, "http://") && !strings.HasPrefix(from, "https://") {
		text, err := os.ReadFile(from)
		if err != nil {
			return nil, err
		}
		return parseIndex(text, from)
	}
	text, err := client.Text(ctx, from, maxIndex)
	if err != nil {
		kept, readErr := os.ReadFile(cache)
		if readErr != nil || ctx.Err() != nil {
			return nil, fmt.Errorf("read the dataset index: %w", err)
		}
		return parseIndex(kept, cache)
	}
	index, err := parseIndex(text, from)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(cache), 0o777); err != nil {
		return nil, err
	}
	return index, renameio.WriteFile(cache, text, 0o644)
}

func parseIndex(text []byte, name string) (Index, error) {
	var index Index
	if err := yaml.Unmarshal(text, &index); err != nil {
		return nil, &kapture.InputError{Path: name, Msg: fmt.Sprintf("want a dataset index in YAML, archives with url and sha256sum: %s", firstLine(err))}
	}
	for archive, e := range index {
		if e.URL == "" || len(e.SHA256) != 64 || strings.Trim(strings.ToLower(string(e.SHA256)), "0123456789abcdef") != "" {
			return nil, &kapture.InputError{Path: name, Msg: fmt.Sprintf("want a url and a sha256sum of 64 digits of %q, found %q and %q", archive, e.URL, e.SHA256)}
		}
		if !plainName(archive) {
			return nil, &kapture.InputError{Path: name, Msg: fmt.Sprintf("want archives with letters, digits, '.', '_' and '-' in their name, found %q", archive)}
		}
	}
	return index, nil
}

// match returns the archives that patterns name, sorted. A pattern without any is
// an error with near ones.
func (x Index) match(patterns []string) ([]string, error) {
	var all, out []string
	for name := range x {
		all = append(all, name)
	}
	slices.Sort(all)
	for _, p := range patterns {
		before := len(out)
		for _, name := range all {
			if ok, err := path.Match(p, name); err != nil {
				return nil, fmt.Errorf("want a pattern with * and ?, found %q: %w", p, err)
			} else if ok {
				out = append(out, name)
			}
		}
		if len(out) == before {
			return nil, fmt.Errorf("want archives of the dataset index, found no %s%s", p, nearname.DidYouMean(nearname.Closest(p, all)))
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// matchesAny reports whether one of some patterns matches an archive.
func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { ok, err := path.Match(p, name); return ok && err == nil })
}
