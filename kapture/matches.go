package kapture

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"slices"
	"strings"
)

const (
	matchesFolder = "reconstruction/matches"
	matchesSuffix = ".matches"
	overlapping   = ".overlapping/"
	matchBytes    = 3 * 8 // float64 index 1, index 2, score
)

// Match says that two keypoints show the same place.
type Match struct {
	Keypoint1 int // row of image 1's keypoints
	Keypoint2 int // row of image 2's keypoints
	Score     float64
}

// ImagePair is two images, Image1 before Image2 in byte order.
type ImagePair struct{ Image1, Image2 string }

// ordered returns the pair of two images, and whether they changed places.
func ordered(image1, image2 string) (p ImagePair, swapped bool) {
	if image2 < image1 {
		return ImagePair{image2, image1}, true
	}
	return ImagePair{image1, image2}, false
}

// Matches are the matches between images by one type of keypoints, read a pair
// at a time. It is safe for concurrent use.
type Matches struct {
	blobs *blobs
	files map[ImagePair]matchFile
}

// matchFile is where the matches of a pair lie: some programs write them under
// the second image.
type matchFile struct {
	name    string
	swapped bool
}

// MatchTypes returns the types of keypoints under reconstruction/matches,
// sorted. In version 1.0, whose matches lie there directly, it is the type of
// the dataset's keypoints.
func (d *Dataset) MatchTypes() ([]string, error) {
	if d.fsys == nil {
		return nil, nil
	}
	entries, err := fs.ReadDir(d.fsys, matchesFolder)
	if absent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fileError("read", d.path(matchesFolder), err)
	}
	if d.Version == "1.0" {
		return []string{d.onlyKeypoints()}, nil
	}
	var types []string
	for _, e := range entries {
		if st, err := fs.Stat(d.fsys, path.Join(matchesFolder, e.Name())); err == nil && st.IsDir() {
			types = append(types, e.Name())
		}
	}
	return types, nil
}

// Matches opens the matches under reconstruction/matches of a type of
// keypoints. A type that is not there is an [InputError].
func (d *Dataset) Matches(keypointsType string) (*Matches, error) {
	types, err := d.MatchTypes()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(types, keypointsType) {
		return nil, &InputError{Path: d.path(matchesFolder), Msg: fmt.Sprintf("want type %s, found %s", quote(keypointsType), listed(types))}
	}
	folder := matchesFolder
	if d.Version != "1.0" {
		folder = path.Join(folder, keypointsType)
	}
	return openMatches(d.fsys, folder, d.path(folder))
}

// OpenMatches opens the matches in a folder of their own: files of the form
// IMAGE1.overlapping/IMAGE2.matches, or a tar of them.
func OpenMatches(dir string) (*Matches, error) { return openMatches(os.DirFS(dir), ".", dir) }

func openMatches(fsys fs.FS, dir, shown string) (*Matches, error) {
	b, err := openBlobs(fsys, dir, shown, "matches", matchesSuffix)
	if err != nil {
		return nil, err
	}
	m := &Matches{blobs: b, files: make(map[ImagePair]matchFile, len(b.names))}
	for _, name := range b.names {
		image1, image2, ok := strings.Cut(name, overlapping)
		if !ok {
			continue
		}
		pair, swapped := ordered(image1, image2)
		if _, ok := m.files[pair]; ok && swapped {
			continue // the file in the right order is the pair's
		}
		m.files[pair] = matchFile{name, swapped}
	}
	return m, nil
}

// Pairs returns the pairs that have matches, sorted.
func (m *Matches) Pairs() []ImagePair {
	pairs := make([]ImagePair, 0, len(m.files))
	for p := range m.files {
		pairs = append(pairs, p)
	}
	slices.SortFunc(pairs, func(a, b ImagePair) int {
		if c := strings.Compare(a.Image1, b.Image1); c != 0 {
			return c
		}
		return strings.Compare(a.Image2, b.Image2)
	})
	return pairs
}

// Read returns the matches between two images, Keypoint1 in image1 and
// Keypoint2 in image2, whichever way round they are stored. A pair without
// matches, a file of the wrong length and an index that is none are
// [InputError]s.
func (m *Matches) Read(image1, image2 string) ([]Match, error) {
	pair, swapped := ordered(image1, image2)
	file, ok := m.files[pair]
	if !ok {
		return nil, m.blobs.missing(pair.Image1 + overlapping + pair.Image2)
	}
	raw, err := m.blobs.read(file.name, nil)
	if err != nil {
		return nil, err
	}
	if len(raw)%matchBytes != 0 {
		return nil, m.blobs.invalid(file.name, "want a multiple of %d bytes (rows of 3 float64), found %d", matchBytes, len(raw))
	}
	matches := make([]Match, len(raw)/matchBytes)
	for i := range matches {
		v, ok := decodeMatch(raw[i*matchBytes:])
		if !ok {
			return nil, m.blobs.invalid(file.name, "want two keypoint indices and a score in row %d, found others", i)
		}
		if swapped != file.swapped {
			v.Keypoint1, v.Keypoint2 = v.Keypoint2, v.Keypoint1
		}
		matches[i] = v
	}
	return matches, nil
}

func decodeMatch(raw []byte) (Match, bool) {
	float := func(i int) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:])) }
	index1, index2, score := float(0), float(1), float(2)
	m := Match{Keypoint1: int(index1), Keypoint2: int(index2), Score: score}
	return m, isIndex(index1) && isIndex(index2) && score == score
}

func isIndex(v float64) bool { return v >= 0 && v <= math.MaxInt32 && v == math.Trunc(v) }

// Close closes the tar, if there is one.
func (m *Matches) Close() error { return m.blobs.Close() }

// MatchWriter writes the matches by one type of keypoints.
type MatchWriter struct{ blobs *blobWriter }

// CreateMatches begins matches that are stored a file a pair in folder dir.
func CreateMatches(dir string) (*MatchWriter, error) {
	b, err := newBlobWriter(dir, matchesSuffix)
	if err != nil {
		return nil, err
	}
	return &MatchWriter{b}, nil
}

// CreateMatchesTar begins matches that are stored in one tar, in the order of
// the calls of Write. It takes the place of an older one on Close.
func CreateMatchesTar(dir string) (*MatchWriter, error) {
	b, err := newTarWriter(dir, "matches", matchesSuffix)
	if err != nil {
		return nil, err
	}
	return &MatchWriter{b}, nil
}

// Write writes the matches of a pair, under the image that comes first. A file
// is written whole or not at all. Write is safe for concurrent use.
func (w *MatchWriter) Write(image1, image2 string, matches []Match) error {
	for _, image := range []string{image1, image2} {
		if why := badPath(image); why != "" {
			return fmt.Errorf("write matches: %s%s", wantPath, why)
		}
	}
	pair, swapped := ordered(image1, image2)
	raw := make([]byte, 0, len(matches)*matchBytes)
	for _, m := range matches {
		first, second := float64(m.Keypoint1), float64(m.Keypoint2)
		if !isIndex(first) || !isIndex(second) || m.Score != m.Score {
			return fmt.Errorf("write matches of %s and %s: want indices and a score, found %+v", image1, image2, m)
		}
		if swapped {
			first, second = second, first
		}
		for _, v := range []float64{first, second, m.Score} {
			raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(v))
		}
	}
	return w.blobs.write(pair.Image1+overlapping+pair.Image2, raw)
}

// Close finishes a tar, whole or not at all. Files need no Close.
func (w *MatchWriter) Close() error {
	_, err := w.blobs.finish()
	return err
}

// Discard drops a tar that was begun; after Close it does nothing, so that it
// can be deferred.
func (w *MatchWriter) Discard() error { return w.blobs.Discard() }
