package trainset

import (
	"os"
	"path/filepath"
	"testing"
)

// fuzzSource opens whatever is in a file: it may fail, but not panic, and what
// it returns is sound.
func fuzzSource(f *testing.F, kind string, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "data")
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), unchecked(kind, path))
		if err != nil {
			return
		}
		if s.Len() < 2 {
			t.Errorf("a set of %d images", s.Len())
		}
		n := 0
		for c := range s.Classes() {
			for _, i := range s.Members(c) {
				if s.Class(int(i)) != c {
					t.Errorf("image %d of class %d is a member of class %d", i, s.Class(int(i)), c)
				}
				n++
			}
		}
		if n != s.Len() {
			t.Errorf("%d members of classes, %d images", n, s.Len())
		}
		for i := range min(s.Len(), 20) {
			if s.File(i) == "" || s.Relation(i, 0) != s.Relation(0, i) {
				t.Errorf("image %d: file %q, relations %d and %d", i, s.File(i), s.Relation(i, 0), s.Relation(0, i))
			}
		}
	})
}

func FuzzCSV(f *testing.F) {
	fuzzSource(f, KindCSV, "image,label\na,1\nb,1\n", "image;label;x0;y0;x1;y1\na;1;0;0;5;5\nb;1;;;;\n", "\ufeffpath\tclass\tsplit\na\t1\ttrain\nb\t1\ttrain\n", "image,label\n\"a")
}

func FuzzClean(f *testing.F) {
	fuzzSource(f, KindClean, "http://h/a.jpg 1 0 1 0 1\nhttp://h/b.jpg 1 0 1 0 1\n", "a 1\nb 1\n#\n\n", "a 1 1 2 3 4\nb 1 4 3 2 1\n")
}

func FuzzGoogle(f *testing.F) {
	fuzzSource(f, KindGoogle2, "landmark_id,images\n1,abcd abce\n", "id,url,landmark_id\nabcd,u,1\nabce,u,1\n")
}

func FuzzRetrieval(f *testing.F) {
	var seeds []string
	for _, name := range []string{"lists.pkl", "arrays.pkl"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		seeds = append(seeds, string(data))
	}
	fuzzSource(f, KindRetrieval, seeds...)
}
