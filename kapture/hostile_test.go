package kapture

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestEndlessLine: a file without line breaks, as an image in place of a table
// is, does not fill the memory.
func TestEndlessLine(t *testing.T) {
	text := io.MultiReader(bytes.NewReader([]byte("# pairs\n")), io.LimitReader(zeros{}, 3*maxLine))
	_, err := ReadPairs(text, "pairs.txt")
	checkInputError(t, err, "pairs.txt: byte 8: want lines of at most 67108864 bytes, found a longer one")
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// TestFeatureNameOfOldVersion: version 1.0 names the type in the file; the name
// ends up in paths.
func TestFeatureNameOfOldVersion(t *testing.T) {
	for _, name := range []string{"../../evil", "..", "/etc", "a/b", `a\b`} {
		fsys := dataset(map[string]string{"reconstruction/global_features/global_features.txt": "# kapture format: 1.0\n" + name + ", float32, 4\n"})
		d, err := OpenFS(fsys, "ds")
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.FeatureTypes(GlobalFeatures)
		checkInputError(t, err, "ds/reconstruction/global_features/global_features.txt: want a name that can be a folder's, found ")
	}
}

func TestDataLinesAfterByteOrderMark(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.txt")
	if err := os.WriteFile(path, []byte("\xef\xbb\xbf# head\n\na, b\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if got := DataLines(path); !slices.Equal(got, []int{3}) {
		t.Errorf("want line 3, found %v", got)
	}
}
