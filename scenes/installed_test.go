package scenes

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"locbench/kapture"
	"locbench/scenes/fetch"
)

// TestInstallBesideKapture: what kapture's downloader installed and had accepted is
// known, and what is written is what it reads: YAML lists.
func TestInstallBesideKapture(t *testing.T) {
	s, root := newShop(t, twoParts(t)), t.TempDir()
	installed, licences := filepath.Join(root, installedFile), filepath.Join(root, licencesFile)
	if err := errors.Join(os.WriteFile(installed, []byte("- place_query\n- Zoo_mapping\n"), 0o644), os.WriteFile(licences, []byte("- "+s.URL+"/LICENSE\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	o := s.options(root)
	o.Accept = func(what, _ string) (bool, error) {
		t.Errorf("asked for the licence of %s again", what)
		return true, nil
	}
	done, err := Install(t.Context(), mallScene(), o)
	if err != nil || !slices.Equal(done.Archives, []string{"place_mapping"}) || !slices.Equal(done.Before, []string{"place_query"}) {
		t.Fatalf("found %+v, %v", done, err)
	}
	if text, err := os.ReadFile(installed); err != nil || string(text) != "- Zoo_mapping\n- place_mapping\n- place_query\n" {
		t.Errorf("found %q, %v", text, err)
	}
	if text, err := os.ReadFile(licences); err != nil || string(text) != "- "+s.URL+"/LICENSE\n" {
		t.Errorf("found %q, %v", text, err)
	}
	found, err := VerifyInstalled(t.Context(), mallScene(), root)
	if err != nil || len(found.Wrong) != 0 || found.Files != 2 || !slices.Equal(found.Unknown, []string{"place_query"}) {
		t.Errorf("found %+v, %v", found, err)
	}
}

// TestInstallState reads state files that are empty, and says what is wrong with
// others.
func TestInstallState(t *testing.T) {
	for text, want := range map[string]string{"": "", "[]\n": "", "null\n": "", "a: b\n": "want a YAML list of names", "- [\n": "want a YAML list of names"} {
		s, root := newShop(t, twoParts(t)), t.TempDir()
		if err := os.WriteFile(filepath.Join(root, installedFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		done, err := Install(t.Context(), mallScene(), s.options(root))
		if want == "" && (err != nil || len(done.Archives) != 2) {
			t.Errorf("%q: found %+v, %v", text, done, err)
		}
		if input, ok := errors.AsType[*kapture.InputError](err); want != "" && (!ok || !strings.Contains(input.Error(), want) || !strings.Contains(input.Error(), installedFile)) {
			t.Errorf("%q: want an error with %q, found %v", text, want, err)
		}
	}
}

// TestInstallNewer installs an archive again that the index has a new version of.
func TestInstallNewer(t *testing.T) {
	s, root := newShop(t, twoParts(t)), t.TempDir()
	if _, err := Install(t.Context(), mallScene(), s.options(root)); err != nil {
		t.Fatal(err)
	}
	newer := maps.Clone(s.archives)
	newer["place_query"] = tarball(t, map[string]string{"place/query/sensors/sensors.txt": "# kapture format: 1.1\n# newer\n"})
	next := newShop(t, newer)
	done, err := Install(t.Context(), mallScene(), next.options(root))
	if err != nil || !slices.Equal(done.Archives, []string{"place_query"}) {
		t.Errorf("found %+v, %v", done, err)
	}
}

// TestMergeRefuses: what an archive may not reach alone, two together may not either.
func TestMergeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		link, target string // in the data root; "": none
		file         string
		want         string
	}{
		"through a link of an archive": {"place/away", "../..", "place/away/evil", "found the link"},
		"the installation's files":     {"", "", installState + "/index.yaml", "one of the installation itself"},
		"the list of archives":         {"", "", installedFile, "one of the installation itself"},
		"a folder on another disk":     {"place", "ABSOLUTE", "place/a", ""},
		"a link in the file's place":   {"place/a", "../../evil", "place/a", ""},
	} {
		t.Run(name, func(t *testing.T) {
			above := t.TempDir()
			root, from := filepath.Join(above, "data"), filepath.Join(above, "from")
			file := filepath.Join(from, filepath.FromSlash(c.file))
			err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte("x"), 0o644), os.MkdirAll(filepath.Join(root, filepath.Dir(c.link)), 0o755))
			if c.link != "" {
				err = errors.Join(err, os.Symlink(strings.ReplaceAll(c.target, "ABSOLUTE", t.TempDir()), filepath.Join(root, c.link)))
			}
			if err != nil {
				t.Fatal(err)
			}
			err = merge(t.Context(), "an archive", from, root, []fetch.Unpacked{{Path: c.file}})
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("want an error with %q, found %v", c.want, err)
			}
			if _, err := os.Stat(filepath.Join(above, "evil")); err == nil {
				t.Error("a file got out")
			}
			if text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(c.file))); c.want == "" && (err != nil || string(text) != "x") {
				t.Errorf("want the file in its place, found %q, %v", text, err)
			}
		})
	}
}

// TestInstallRoom: of a download that goes on, what is here needs no room again; one
// archive needs the room of one.
func TestInstallRoom(t *testing.T) {
	s, root := newShop(t, twoParts(t)), t.TempDir()
	i := &installation{o: s.options(root), card: mallScene()}
	i.o.Free = func(string) int64 { return 0 }
	if err := i.defaults(); err != nil {
		t.Fatal(err)
	}
	todo, index, err := i.resolve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	need := func(what string, want int64) {
		t.Helper()
		_, err := i.room(t.Context(), todo, index)
		if space, ok := errors.AsType[*SpaceError](err); !ok || space.Need != want {
			t.Errorf("%s: want %d bytes needed, found %+v, %v", what, want, space, err)
		}
	}
	size := int64(len(s.archives["place_mapping"]) + len(s.archives["place_query"]))
	need("at first", size+size/4+size)
	if err := os.WriteFile(i.archive("place_mapping")+".part", s.archives["place_mapping"][:100], 0o644); err != nil {
		t.Fatal(err)
	}
	need("going on", size+size/4+size-100)
	i.o.Keep, i.o.Parallel = true, 1
	need("archives kept", size+size/4+size-100)
	i.o.Keep = false
	need("one at a time", size+size/4+int64(max(len(s.archives["place_mapping"]), len(s.archives["place_query"])))-100)
}
