package scenes

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"locbench/scenes/fetch"
)

// shop is a server with archives and an index of them.
type shop struct {
	*httptest.Server
	mutex    sync.Mutex
	archives map[string][]byte
	asked    map[string]int
	index    string
	spoil    func(w http.ResponseWriter, r *http.Request, name string) bool // true: answered
}

func newShop(t *testing.T, archives map[string][]byte) *shop {
	t.Helper()
	s := &shop{archives: archives, asked: map[string]int{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	for name, data := range archives {
		sum := sha256.Sum256(data)
		s.index += fmt.Sprintf("%s:\n  url: %s/%s.tar.gz\n  sha256sum: %s\n  license: %s/LICENSE\n", name, s.URL, name, hex.EncodeToString(sum[:]), s.URL)
	}
	return s
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/"), ".tar.gz")
	s.mutex.Lock()
	if r.Method == http.MethodGet {
		s.asked[name]++
	}
	s.mutex.Unlock()
	if s.spoil != nil && s.spoil(w, r, name) {
		return
	}
	switch data, ok := s.archives[name]; {
	case name == "index.yaml":
		fmt.Fprint(w, s.index)
	case name == "LICENSE":
		fmt.Fprint(w, "For looking only.")
	case ok:
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
	default:
		http.NotFound(w, r)
	}
}

func tarball(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for name, text := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(text)), Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// twoParts are the archives of a scene "place".
func twoParts(t *testing.T) map[string][]byte {
	return map[string][]byte{
		"place_mapping": tarball(t, map[string]string{"place/mapping/sensors/sensors.txt": "# kapture format: 1.1\n", "place/mapping/a.jpg": strings.Repeat("m", 100_000)}),
		"place_query":   tarball(t, map[string]string{"place/query/sensors/sensors.txt": "# kapture format: 1.1\n"}),
		"other":         tarball(t, map[string]string{"other/x": "x"}),
	}
}

func mallScene() *Card {
	return &Card{Name: "place", Root: "place", Archives: []string{"place_*"}, Licence: "of the card"}
}

func yes(string, string) (bool, error) { return true, nil }

func (s *shop) options(root string) InstallOptions {
	return InstallOptions{DataRoot: root, Index: s.URL + "/index.yaml", Accept: yes, Client: &fetch.Client{Pause: time.Millisecond, Tries: 3}}
}

func TestInstall(t *testing.T) {
	s, root := newShop(t, twoParts(t)), t.TempDir()
	o := s.options(root)
	var shown []string
	o.Accept = func(what, text string) (bool, error) {
		shown = append(shown, what+": "+text)
		return true, nil
	}
	done, err := Install(t.Context(), mallScene(), o)
	if err != nil || !slices.Equal(done.Archives, []string{"place_mapping", "place_query"}) || done.Files != 3 {
		t.Fatalf("found %+v, %v", done, err)
	}
	if len(shown) != 1 || !strings.Contains(shown[0], "For looking only.") {
		t.Errorf("want the licence shown once, found %q", shown)
	}
	if text, err := os.ReadFile(filepath.Join(root, "place", "mapping", "a.jpg")); err != nil || len(text) != 100_000 {
		t.Errorf("want the image, found %d bytes, %v", len(text), err)
	}
	if left, _ := filepath.Glob(filepath.Join(root, installState, "*.archive")); len(left) > 0 {
		t.Errorf("archives are left: %v", left)
	}
	// The second time nothing is downloaded and nobody asked.
	before := s.asked["place_mapping"]
	if done, err = Install(t.Context(), mallScene(), o); err != nil || len(done.Archives) != 0 || len(done.Before) != 2 || s.asked["place_mapping"] != before || len(shown) != 1 {
		t.Errorf("the second time: %+v, %v", done, err)
	}
	if found, err := VerifyInstalled(t.Context(), mallScene(), root); err != nil || len(found.Wrong) != 0 || found.Files != 3 {
		t.Errorf("hashes: %+v, %v", found, err)
	}
	if err := errors.Join(os.WriteFile(filepath.Join(root, "place", "mapping", "a.jpg"), []byte("other"), 0o644), os.Remove(filepath.Join(root, "place", "query", "sensors", "sensors.txt"))); err != nil {
		t.Fatal(err)
	}
	found, err := VerifyInstalled(t.Context(), mallScene(), root)
	wrong := found.Wrong
	if text := strings.Join(wrong, "\n"); err != nil || len(wrong) != 2 || !strings.Contains(text, "place/mapping/a.jpg: want the SHA-256") || !strings.Contains(text, "place/query/sensors/sensors.txt: missing") {
		t.Errorf("hashes after changes: %v, %v", wrong, err)
	}
	// Without the web, the index that is kept will do.
	s.Close()
	if done, err = Install(t.Context(), mallScene(), o); err != nil || len(done.Before) != 2 {
		t.Errorf("without the web: %+v, %v", done, err)
	}
}

// TestInstallOnly installs a part, then the rest.
func TestInstallOnly(t *testing.T) {
	s, root := newShop(t, twoParts(t)), t.TempDir()
	o := s.options(root)
	o.Only, o.Keep = []string{"*_query"}, true
	done, err := Install(t.Context(), mallScene(), o)
	if err != nil || !slices.Equal(done.Archives, []string{"place_query"}) {
		t.Errorf("found %+v, %v", done, err)
	}
	if _, err := os.Stat(filepath.Join(root, installState, "place_query.archive")); err != nil {
		t.Error(err)
	}
	o.Only = nil
	if done, err = Install(t.Context(), mallScene(), o); err != nil || !slices.Equal(done.Archives, []string{"place_mapping"}) || !slices.Equal(done.Before, []string{"place_query"}) {
		t.Errorf("found %+v, %v", done, err)
	}
}

func TestInstallRefuses(t *testing.T) {
	evil := twoParts(t)
	evil["place_query"] = tarball(t, map[string]string{"../evil": "x"})
	for name, c := range map[string]struct {
		archives map[string][]byte
		card     func(c *Card)
		change   func(s *shop, o *InstallOptions)
		want     string
	}{
		"no licence":       {nil, nil, func(_ *shop, o *InstallOptions) { o.Accept = func(string, string) (bool, error) { return false, nil } }, "the licence of place was not accepted"},
		"no room":          {nil, nil, func(_ *shop, o *InstallOptions) { o.Free = func(string) int64 { return 10 } }, "of free disk in"},
		"not in the index": {nil, func(c *Card) { c.Archives = []string{"place_maping"} }, nil, `found no place_maping; did you mean place_mapping?`},
		"by hand": {nil, func(c *Card) {
			c.Archives, c.Sources = nil, []Source{{Title: "the authors' page", URL: "https://example.org"}}
		}, nil, "get it by hand: the authors' page, https://example.org"},
		"nothing of only":    {nil, nil, func(_ *shop, o *InstallOptions) { o.Only = []string{"nothing*"} }, "that match nothing*"},
		"index of rubbish":   {nil, nil, func(s *shop, _ *InstallOptions) { s.index = "- a\n- b\n" }, "want a dataset index in YAML"},
		"index without hash": {nil, nil, func(s *shop, _ *InstallOptions) { s.index = "place_mapping: {url: x}\n" }, "want a url and a sha256sum of 64 digits"},
		"index with a path": {nil, nil, func(s *shop, _ *InstallOptions) {
			s.index = "../up: {url: x, sha256sum: " + strings.Repeat("a", 64) + "}\n"
		}, "in their name, found \"../up\""},
		"wrong hash": {nil, nil, func(s *shop, _ *InstallOptions) {
			s.index = rehash(s.index)
		}, "wrong SHA-256"},
		"an archive that leaves its folder": {evil, nil, nil, "want a name inside the folder"},
		"no index":                          {nil, nil, func(s *shop, o *InstallOptions) { o.Index = s.URL + "/nothing.yaml" }, "read the dataset index: "},
	} {
		t.Run(name, func(t *testing.T) {
			archives := c.archives
			if archives == nil {
				archives = twoParts(t)
			}
			s, above := newShop(t, archives), t.TempDir()
			root := filepath.Join(above, "data")
			o, card := s.options(root), mallScene()
			if c.card != nil {
				c.card(card)
			}
			if c.change != nil {
				c.change(s, &o)
			}
			_, err := Install(t.Context(), card, o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("want an error with %q, found %v", c.want, err)
			}
			if _, err := os.Stat(filepath.Join(above, "evil")); err == nil {
				t.Error("a file got out")
			}
			if left, _ := filepath.Glob(filepath.Join(root, installState, "unpack-*")); len(left) > 0 {
				t.Errorf("half an archive is left: %v", left)
			}
		})
	}
}

// rehash changes all hashes of an index.
func rehash(index string) string {
	lines := strings.Split(index, "\n")
	for i, l := range lines {
		if strings.Contains(l, "sha256sum: ") {
			lines[i] = "  sha256sum: " + strings.Repeat("0", 64)
		}
	}
	return strings.Join(lines, "\n")
}

// TestInstallGoesOn is interrupted in the middle of an archive, and ends with the
// files of an undisturbed one.
func TestInstallGoesOn(t *testing.T) {
	s, root := newShop(t, twoParts(t)), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	s.spoil = func(w http.ResponseWriter, r *http.Request, name string) bool {
		if name != "place_mapping" || r.Method != http.MethodGet {
			return false
		}
		data := s.archives[name]
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		_, _ = w.Write(data[:len(data)/2])
		w.(http.Flusher).Flush()
		time.Sleep(50 * time.Millisecond)
		cancel()
		<-r.Context().Done()
		return true
	}
	if _, err := Install(ctx, mallScene(), s.options(root)); !errors.Is(err, context.Canceled) {
		t.Fatalf("want it cancelled, found %v", err)
	}
	s.spoil = nil
	done, err := Install(t.Context(), mallScene(), s.options(root))
	if err != nil || !slices.Contains(done.Archives, "place_mapping") {
		t.Fatalf("found %+v, %v", done, err)
	}
	if found, err := VerifyInstalled(t.Context(), mallScene(), root); err != nil || len(found.Wrong) != 0 || found.Files != 3 {
		t.Errorf("hashes: %+v, %v", found, err)
	}
}

// TestInstallAlone: a second process is told that another one is at work.
func TestInstallAlone(t *testing.T) {
	s, root := newShop(t, twoParts(t)), t.TempDir()
	o := s.options(root)
	o.Accept = func(string, string) (bool, error) {
		_, err := Install(t.Context(), mallScene(), s.options(root))
		if err == nil || !strings.Contains(err.Error(), "another locbench process is installing") {
			t.Errorf("the second one: %v", err)
		}
		return true, nil
	}
	if _, err := Install(t.Context(), mallScene(), o); err != nil {
		t.Error(err)
	}
}
