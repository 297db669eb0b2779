package trainset

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"locbench/kapture"
)

// put writes a file below dir, and the folders above it.
func put(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// putAll writes empty files: what a set names is looked for, not read.
func putAll(t testing.TB, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		put(t, dir, name, "")
	}
}

func mustOpen(t testing.TB, s Source) *Set {
	t.Helper()
	set, err := Open(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// wantInvalid opens a source and wants an input error with all the texts.
func wantInvalid(t *testing.T, s Source, texts ...string) {
	t.Helper()
	_, err := Open(t.Context(), s)
	if _, ok := errors.AsType[*kapture.InputError](err); !ok {
		t.Fatalf("want an input error, found %v", err)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("want %q in the error, found %v", text, err)
		}
	}
}

// describe lists a set: a class and its images a line.
func describe(s *Set) string {
	var b strings.Builder
	for c := range s.Classes() {
		b.WriteString(s.ClassName(c) + ":")
		for _, i := range s.Members(c) {
			b.WriteString(" " + s.Name(int(i)))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func wantSet(t *testing.T, s *Set, want string) {
	t.Helper()
	if got := describe(s); got != want {
		t.Errorf("want\n%sfound\n%s", want, got)
	}
}

func wantWarnings(t *testing.T, s *Set, want ...string) {
	t.Helper()
	if got := strings.Join(s.Warnings(), "\n"); got != strings.Join(want, "\n") {
		t.Errorf("want the warnings %q, found %q", want, s.Warnings())
	}
}
