package kapture

import (
	"archive/tar"
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// tarOf makes a tar of names and contents, in turn.
func tarOf(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: files[i], Size: int64(len(files[i+1])), Mode: 0o644}
		if strings.HasSuffix(files[i], "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// openTar opens keypoints of two bytes a row that lie in a tar.
func openTar(data []byte) (*Features, error) {
	fsys := fstest.MapFS{
		"keypoints.txt": &fstest.MapFile{Data: []byte(head + "x, uint8, 2\n")},
		"keypoints.tar": &fstest.MapFile{Data: data},
	}
	return openFeatures(fsys, ".", "ds", Keypoints)
}

func TestTar(t *testing.T) {
	long := strings.Repeat("folder/", 40) + "c.jpg"
	f, err := openTar(tarOf(t, "sub/", "", "./b.jpg.kpt", "old1", "a.jpg.kpt", "abcd", "b.jpg.kpt", "new2new2", "note.txt", "?", long+".kpt", ""))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := f.Images(); !slices.Equal(got, []string{"a.jpg", "b.jpg", long}) {
		t.Errorf("got images %v", got)
	}
	for image, want := range map[string]string{"a.jpg": "abcd", "b.jpg": "new2new2", long: ""} {
		v, err := f.Float32(image, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := decode(Uint8, []byte(want), []float32(nil)); !slices.Equal(v, got) {
			t.Errorf("%s: got %v, want %v", image, v, got)
		}
	}
	_, err = f.Float32("note", nil)
	checkInputError(t, err, "ds/keypoints.tar: want note.kpt, found no such entry")
}

func TestTarInvalid(t *testing.T) {
	whole := tarOf(t, "a.jpg.kpt", strings.Repeat("x", 1000), "b.jpg.kpt", "abcd")
	// Blocks: header, two of data, header, one of data, two of zeros.
	flipped := slices.Clone(whole)
	flipped[1] ^= 1
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"empty":              {nil, "ds/keypoints.tar: byte 0: want two blocks of zeros, found the end of the file: the tar is cut short"},
		"cut in data":        {whole[:700], "ds/keypoints.tar: byte 512: want 1000 bytes of \"a.jpg.kpt\", found 188: the tar is cut short"},
		"cut in padding":     {whole[:1520], "ds/keypoints.tar: byte 1520: want two blocks of zeros, found the end of the file"},
		"cut in header":      {whole[:1700], "ds/keypoints.tar: byte 1700: want a whole tar, found unexpected EOF"},
		"cut between files":  {whole[:1536], "ds/keypoints.tar: byte 1536: want two blocks of zeros"},
		"cut before the end": {whole[:2560], "ds/keypoints.tar: byte 2560: want two blocks of zeros"},
		"cut in the end":     {whole[:3072], "ds/keypoints.tar: byte 3072: want two blocks of zeros"},
		"broken header":      {flipped, "ds/keypoints.tar: byte 512: want a whole tar, found archive/tar: invalid tar header"},
		"parent":             {tarOf(t, "../a.jpg.kpt", "ab"), `ds/keypoints.tar: byte 512: want a path inside the dataset (no .., no empty element), found "../a.jpg.kpt"`},
		"hidden parent":      {tarOf(t, "./../a.jpg.kpt", "ab"), `found "../a.jpg.kpt"`},
		"absolute":           {tarOf(t, "/a.jpg.kpt", "ab"), `found the absolute path "/a.jpg.kpt"`},
		"backslash":          {tarOf(t, `..\a.jpg.kpt`, "ab"), "found a backslash"},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := openTar(test.data)
			if err == nil {
				f.Close()
			}
			checkInputError(t, err, test.want)
		})
	}
	f, err := openTar(tarOf(t, "a.jpg.kpt", "abcd", "b.jpg.kpt", "abc"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Float32("b.jpg", nil)
	checkInputError(t, err, "ds/keypoints.tar: byte 1536: b.jpg.kpt: want a multiple of 2 bytes (rows of 2 uint8), found 3")
}

func TestMatches(t *testing.T) {
	want := []Match{{1, 2, 0.5}, {3, 40000, -1}}
	swapped := []Match{{2, 1, 0.5}, {40000, 3, -1}}
	for name, create := range map[string]func(string) (*MatchWriter, error){"files": CreateMatches, "tar": CreateMatchesTar} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			w, err := create(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Discard()
			if err := w.Write("b/2.jpg", "a/1.jpg", swapped); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			m, err := OpenMatches(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if got := m.Pairs(); !slices.Equal(got, []ImagePair{{"a/1.jpg", "b/2.jpg"}}) {
				t.Errorf("got pairs %v", got)
			}
			got, err := m.Read("a/1.jpg", "b/2.jpg")
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("got %v, %v, want %v", got, err, want)
			}
			got, err = m.Read("b/2.jpg", "a/1.jpg")
			if err != nil || !slices.Equal(got, swapped) {
				t.Errorf("got %v, %v, want %v", got, err, swapped)
			}
			_, err = m.Read("a/1.jpg", "c.jpg")
			checkInputError(t, err, "a/1.jpg.overlapping/c.jpg.matches")
		})
	}
}

func TestMatchesInvalid(t *testing.T) {
	dir := t.TempDir()
	half := []byte{24: 0}
	negative := make([]byte, 24)
	negative[7], negative[6] = 0xbf, 0xf0 // index 1 is -1
	for image, data := range map[string][]byte{"half": half, "negative": negative} {
		name := filepath.Join(dir, "a.overlapping", image+".matches")
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	m, err := OpenMatches(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Read("a", "half")
	checkInputError(t, err, "a.overlapping/half.matches: want a multiple of 24 bytes (rows of 3 float64), found 25")
	_, err = m.Read("negative", "a")
	checkInputError(t, err, "a.overlapping/negative.matches: want two keypoint indices and a score in row 0, found others")
	w, err := CreateMatches(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write("a", "../b", nil); err == nil {
		t.Error("a path out of the folder was accepted")
	}
	for _, bad := range []Match{{-1, 0, 0}, {0, -1, 0}, {1 << 31, 0, 0}, {0, 0, math.NaN()}} {
		if err := w.Write("a", "b", []Match{bad}); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
	if err := w.Write("a", "b", []Match{{0, 1<<31 - 1, 0}}); err != nil {
		t.Error(err)
	}
}
