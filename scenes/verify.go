package scenes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"locbench/kapture"
)

// Severity says what a problem means for a run.
type Severity string

// The severities.
const (
	Warning Severity = "warning" // worth knowing; a run goes on
	Error   Severity = "error"   // a run stops, or its figures would mislead
)

// Problem is something that Verify found.
type Problem struct {
	Path     string // file or folder
	Line     int    // 1-based, 0 if it is not about a line
	Severity Severity
	Check    string // the check that found it, such as "missing feature"
	Msg      string // what was expected and what was found
}

// String returns path:line: severity: message, as compilers have it.
func (p Problem) String() string {
	at := p.Path
	if p.Line > 0 {
		at = fmt.Sprintf("%s:%d", p.Path, p.Line)
	}
	return fmt.Sprintf("%s: %s: %s", at, p.Severity, p.Msg)
}

// verifier gathers the problems of one scene.
type verifier struct {
	scene    *Scene
	lines    lineIndex
	row      []float32 // of the feature being read, reused
	problems []Problem
}

// Verify looks for everything in a scene that would stop a run or spoil its
// figures: images without pose, camera or file; features missing, surplus, of
// the wrong length, NaN or zero; images of the same name; pairs files that name
// unknown images. It reads every global feature and the size of every local
// one, and no image. The problems come sorted by path, line and message; an
// error means that ctx ended.
func (s *Scene) Verify(ctx context.Context) ([]Problem, error) {
	v := &verifier{scene: s, lines: lineIndex{}}
	v.licence()
	for _, p := range s.parts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		v.dataset(p)
		v.files(p)
	}
	v.sharedNames()
	if err := v.features(ctx); err != nil {
		return nil, err
	}
	v.pairs()
	v.expected()
	slices.SortFunc(v.problems, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), strings.Compare(a.Msg, b.Msg))
	})
	return v.problems, nil
}

// Shorten keeps the first n problems of each check in each file, and says how
// many more there are: 30,000 missing features are one finding.
func Shorten(problems []Problem, n int) []Problem {
	type group struct{ path, check string }
	count := map[group]int{}
	last := map[group]int{}
	var out []Problem
	for _, p := range problems {
		g := group{p.Path, p.Check}
		count[g]++
		if count[g] <= n {
			last[g] = len(out)
			out = append(out, p)
		}
	}
	for g, i := range last {
		if more := count[g] - n; more > 0 {
			out[i].Msg += fmt.Sprintf(" (and %d more: %s)", more, g.check)
		}
	}
	return out
}

func (v *verifier) add(p Problem, format string, args ...any) {
	p.Msg = fmt.Sprintf(format, args...)
	v.problems = append(v.problems, p)
}

// addError adds what an error of a reader says, one problem for each file and
// line it names.
func (v *verifier) addError(check, path string, err error) {
	if err == nil {
		return
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			v.addError(check, path, e)
		}
		return
	}
	input, ok := errors.AsType[*kapture.InputError](err)
	switch {
	case !ok:
		v.add(Problem{Path: path, Severity: Error, Check: check}, "%v", err)
	case input.Line == 0 && input.HasByte:
		v.add(Problem{Path: input.Path, Severity: Error, Check: check}, "byte %d: %s", input.Byte, input.Msg)
	default:
		v.add(Problem{Path: input.Path, Line: input.Line, Severity: Error, Check: check}, "%s", input.Msg)
	}
}

// licence warns of a licence file that is named but not there.
func (v *verifier) licence() {
	s := v.scene
	name := s.Licence
	if s.LicenceFile == "" && name != "" && !strings.ContainsAny(name, " \n") && filepath.Ext(name) != "" {
		v.add(Problem{Path: s.path(name), Severity: Warning, Check: "licence"}, "the scene names this licence file, found none")
	}
}

// sharedNames warns of images that are mapping and query images at once.
func (v *verifier) sharedNames() {
	mapping := map[string]bool{}
	for _, im := range v.scene.mapping {
		mapping[im.Name] = true
	}
	for _, p := range v.scene.parts {
		if !p.query {
			continue
		}
		path := p.table("records_camera")
		for i, rec := range p.data.Cameras {
			if mapping[rec.Path] {
				v.add(Problem{Path: path, Line: v.lines.at(path, i), Severity: Warning, Check: "shared name"},
					"query %s is a mapping image too; it is never matched with itself", rec.Path)
			}
		}
	}
}

// expected holds the numbers of images against those that the card says the
// published scene has.
func (v *verifier) expected() {
	e := v.scene.Expected
	if e == nil {
		return
	}
	check := func(what string, want, found int) {
		if want > 0 && want != found {
			v.add(Problem{Path: v.scene.origin(), Severity: Warning, Check: "expected numbers"}, "want %d %s as published, found %d: figures will not be those of the published scene", want, what, found)
		}
	}
	check("mapping images", e.Mapping, len(v.scene.mapping))
	check("queries", e.Queries, len(v.scene.queries))
	splits := map[string]int{}
	for _, q := range v.scene.queries {
		splits[q.Split]++
	}
	for _, g := range v.scene.Groups {
		for _, of := range g.Of {
			splits[g.Split] += splits[of]
		}
	}
	for _, split := range slices.Sorted(maps.Keys(e.Splits)) {
		check("queries in "+split, e.Splits[split], splits[split])
	}
}
