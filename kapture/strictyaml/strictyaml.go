// Package strictyaml decodes the YAML files that people write: a key that is not
// known is an error that proposes the one that was meant, and every error names
// the line.
package strictyaml

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"locbench/kapture"
	"locbench/kapture/nearname"
)

// Decode decodes a document of text into a struct, whose fields name their keys
// in yaml tags; what the document does not mention keeps its value. path is the
// file's name in messages. The errors are [kapture.InputError]s, of unknown keys
// all of them. The file is for [Line].
//
// The YAML package panics on some malformed texts (found by fuzzing), which is
// turned into an error here.
func Decode(path string, text []byte, into any) (file *ast.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &kapture.InputError{Path: path, Msg: fmt.Sprintf("want YAML, found a text that the parser breaks on: %v", p)}
		}
	}()
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // a byte order mark, which some editors write
	if file, err = parser.ParseBytes(text, 0); err != nil {
		return nil, wrap(path, err)
	}
	if n := len(file.Docs); n > 1 {
		return nil, &kapture.InputError{Path: path, Msg: fmt.Sprintf("want one document, found %d (separated by ---)", n)}
	}
	r := &reader{path: path}
	for _, doc := range file.Docs {
		r.checkKeys(doc.Body, reflect.TypeOf(into))
	}
	if err := Join(r.problems); err != nil {
		return nil, err
	}
	err = yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(into)
	if errors.Is(err, io.EOF) {
		return nil, &kapture.InputError{Path: path, Msg: "want keys with values, found an empty file"}
	}
	if err != nil {
		return nil, wrap(path, err)
	}
	return file, nil
}

// Line returns the line of a YAML path such as $.thresholds[1]; 0 if the file
// has no such place.
func Line(file *ast.File, at string) int {
	if p, err := yaml.PathString(at); err == nil {
		if n, err := p.FilterFile(file); err == nil && n != nil {
			return n.GetToken().Position.Line
		}
	}
	return 0
}

// Join joins input errors, sorted by line. It returns nil if there are none.
func Join(problems []*kapture.InputError) error {
	slices.SortStableFunc(problems, func(a, b *kapture.InputError) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line))
	})
	errs := make([]error, len(problems))
	for i, p := range problems {
		errs[i] = p
	}
	return kapture.FirstTen(errs)
}

// wrap gives the file and line of an error of the YAML package.
func wrap(path string, err error) error {
	y, ok := errors.AsType[yaml.Error](err)
	if !ok {
		return &kapture.InputError{Path: path, Msg: err.Error()}
	}
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
	case reflect.Bool:
		return "true or false"
	case reflect.Pointer:
		return kindName(t.Elem())
	}
	return "a whole number" // the rest of what our files hold
}

// reader gathers what is wrong with the keys of a file.
type reader struct {
	path     string
	problems []*kapture.InputError
}

// checkKeys reports the keys of node that t, the type it is decoded into, does
// not have. The decoder does the same but stops at the first, without a proposal.
func (r *reader) checkKeys(node ast.Node, t reflect.Type) {
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
	case *ast.MappingValueNode: // a mapping of one key
		if t.Kind() == reflect.Struct {
			r.checkKey(n, t)
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

func (r *reader) checkKey(v *ast.MappingValueNode, t reflect.Type) {
	key := v.Key.GetToken()
	var known []string
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("yaml")
		if name == "-" {
			continue
		}
		if name == key.Value {
			r.checkKeys(v.Value, f.Type)
			return
		}
		known = append(known, name)
	}
	hint := nearname.DidYouMean(nearname.Closest(key.Value, known))
	if hint == "" {
		hint = "; want one of " + strings.Join(known, ", ")
	}
	r.problems = append(r.problems, &kapture.InputError{Path: r.path, Line: key.Position.Line,
		Msg: fmt.Sprintf("unknown key %q%s", key.Value, hint)})
}
