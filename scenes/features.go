package scenes

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"locbench/kapture"
	"locbench/kapture/nearname"
)

// place is a folder that holds features of one kind and type.
type place struct {
	dir  string
	part *part // the dataset that the folder is inside of, nil for orphan features
}

// header returns the path of the place's text file.
func (p place) header(kind kapture.FeatureKind) string {
	return filepath.Join(p.dir, string(kind)+".txt")
}

// tar returns the path of the archive that holds the place's features, and
// whether there is one; package kapture reads it in place of files.
func (p place) tar(kind kapture.FeatureKind) (string, bool) {
	path := filepath.Join(p.dir, string(kind)+".tar")
	_, err := os.Stat(path)
	return path, err == nil
}

// file returns the path of an image's feature file.
func (p place) file(kind kapture.FeatureKind, image string) string {
	return filepath.Join(p.dir, filepath.FromSlash(image)+suffix(kind))
}

func (p place) open(kind kapture.FeatureKind, typ string) (*kapture.Features, error) {
	if p.part != nil {
		return p.part.data.Features(kind, typ)
	}
	return kapture.OpenFeatures(p.dir, kind)
}

// suffix returns the ending of a kind's files.
func suffix(kind kapture.FeatureKind) string {
	switch kind {
	case kapture.GlobalFeatures:
		return ".gfeat"
	case kapture.Keypoints:
		return ".kpt"
	}
	return ".desc"
}

// findFeatures notes every folder of features inside the datasets and beside
// them. Nothing in the folders is read yet.
func (s *Scene) findFeatures() error {
	s.places = map[kapture.FeatureKind]map[string][]place{}
	for _, kind := range kinds() {
		s.places[kind] = map[string][]place{}
		for _, p := range s.parts {
			types, err := p.data.FeatureTypes(kind)
			if err != nil {
				return err
			}
			for _, typ := range types {
				s.places[kind][typ] = append(s.places[kind][typ], place{dir: p.featureDir(kind, typ), part: p})
			}
		}
		for _, root := range s.Card.Features {
			if err := s.findOrphans(kind, s.path(root)); err != nil {
				return err
			}
		}
	}
	return nil
}

// featureDir returns the folder of a type inside the dataset. Version 1.0 has
// one type and no folder for it.
func (p *part) featureDir(kind kapture.FeatureKind, typ string) string {
	dir := filepath.Join(p.dir, "reconstruction", string(kind))
	inner := place{dir: filepath.Join(dir, typ)}
	if _, err := os.Stat(inner.header(kind)); err != nil {
		return dir
	}
	return inner.dir
}

// findOrphans notes the features beside the datasets:
// global_features/TYPE/global_features, local_features/TYPE/{keypoints,descriptors}.
func (s *Scene) findOrphans(kind kapture.FeatureKind, root string) error {
	parent := filepath.Join(root, "local_features")
	if kind == kapture.GlobalFeatures {
		parent = filepath.Join(root, "global_features")
	}
	entries, err := os.ReadDir(parent)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if errors.Is(err, syscall.ENOTDIR) {
		return &kapture.InputError{Path: s.origin(), Msg: fmt.Sprintf("want %s to be a folder of features, found a file", parent)}
	}
	if err != nil {
		return fmt.Errorf("look for features: %w", err)
	}
	for _, e := range entries {
		p := place{dir: filepath.Join(parent, e.Name(), string(kind))}
		if info, err := os.Stat(p.header(kind)); err == nil && info.Mode().IsRegular() {
			s.places[kind][e.Name()] = append(s.places[kind][e.Name()], p)
		}
	}
	return nil
}

func kinds() []kapture.FeatureKind {
	return []kapture.FeatureKind{kapture.GlobalFeatures, kapture.Keypoints, kapture.Descriptors}
}

// FeatureTypes returns the types of a kind of features that the scene has,
// inside its datasets or beside them, sorted.
func (s *Scene) FeatureTypes(kind kapture.FeatureKind) []string {
	return slices.Sorted(maps.Keys(s.places[kind]))
}

// FeatureFiles returns the paths of the files that a type of features is in
// (its text files, and the feature files or tar archives), sorted: what a run
// that reads the type depends on.
func (s *Scene) FeatureFiles(kind kapture.FeatureKind, typ string) ([]string, error) {
	var files []string
	for _, p := range s.places[kind][typ] {
		files = append(files, p.header(kind))
		if tar, ok := p.tar(kind); ok {
			files = append(files, tar)
			continue
		}
		f, err := p.open(kind, typ)
		if err != nil {
			return nil, err
		}
		for _, image := range f.Images() {
			files = append(files, p.file(kind, image))
		}
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

// FeatureSource reads one type of features wherever the scene has it. Its
// methods are safe for concurrent use.
type FeatureSource struct {
	header kapture.FeatureHeader
	places []*kapture.Features
}

// Features opens a type of features. All folders that hold it must agree on
// dtype and dsize; where they do not, the [kapture.InputError] names both
// files. The caller closes the source.
func (s *Scene) Features(kind kapture.FeatureKind, typ string) (*FeatureSource, error) {
	places := s.places[kind][typ]
	if len(places) == 0 {
		types := s.FeatureTypes(kind)
		have := "it has none"
		if len(types) > 0 {
			have = "it has " + strings.Join(types, ", ")
		}
		return nil, &kapture.InputError{Path: s.origin(),
			Msg: fmt.Sprintf("want %s of type %s, found none: %s%s", kind, typ, have, nearname.DidYouMean(nearname.Closest(typ, types)))}
	}
	src := &FeatureSource{}
	for i, p := range places {
		f, err := p.open(kind, typ)
		if err != nil {
			return nil, errors.Join(err, src.Close())
		}
		src.places = append(src.places, f)
		if i == 0 {
			src.header = f.Header()
			continue
		}
		if err := sameShape(src.header, f.Header()); err != nil {
			return nil, errors.Join(&kapture.InputError{Path: p.header(kind),
				Msg: fmt.Sprintf("two kinds of %s under the type %s: %v in %s", kind, typ, err, places[0].header(kind))}, src.Close())
		}
	}
	return src, nil
}

// sameShape says in what the headers of two folders of one type differ.
func sameShape(first, other kapture.FeatureHeader) error {
	if first.DType == other.DType && first.DSize == other.DSize {
		return nil
	}
	return fmt.Errorf("found %v × %d here, but %v × %d", other.DType, other.DSize, first.DType, first.DSize)
}

// Header returns what the type's text files say.
func (f *FeatureSource) Header() kapture.FeatureHeader { return f.header }

// Has reports whether there is a feature of the image.
func (f *FeatureSource) Has(image string) bool { return f.find(image) != nil }

// Images returns the names of the images that have a feature, sorted, each once.
func (f *FeatureSource) Images() []string {
	var names []string
	for _, p := range f.places {
		names = append(names, p.Images()...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Float32 reads an image's feature as rows × DSize float32, appended to dst[:0].
// Where several folders hold it, the first counts: mapping datasets, then query
// datasets, then the folders beside them.
func (f *FeatureSource) Float32(image string, dst []float32) ([]float32, error) {
	p := f.find(image)
	return cmp.Or(p, f.places[0]).Float32(image, dst) // none has it: the first one's error says so
}

// Path returns the file that holds an image's feature, for messages.
func (f *FeatureSource) Path(image string) string {
	return cmp.Or(f.find(image), f.places[0]).Path(image)
}

func (f *FeatureSource) find(image string) *kapture.Features {
	for _, p := range f.places {
		if p.Has(image) {
			return p
		}
	}
	return nil
}

// Close closes the files that are open.
func (f *FeatureSource) Close() error {
	var errs []error
	for _, p := range f.places {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}
