package trainset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"locbench/kapture"
	"locbench/kapture/nearname"
)

// Kinds of sources.
const (
	KindFolder    = "folder"          // a folder of folders of images
	KindCSV       = "csv"             // a table of images and labels
	KindClean     = "landmarks-clean" // the lists of the authors of Deep Image Retrieval
	KindGoogle1   = "gldv1"           // Google Landmarks, 2018
	KindGoogle2   = "gldv2"           // Google Landmarks v2, all or clean
	KindRetrieval = "retrieval-sfm"   // the pickles of cnnimageretrieval
	KindKapture   = "kapture"         // scenes with poses
)

// Kinds returns the kinds of sources, sorted.
func Kinds() []string {
	kinds := []string{KindFolder, KindCSV, KindClean, KindGoogle1, KindGoogle2, KindRetrieval, KindKapture}
	slices.Sort(kinds)
	return kinds
}

// What to do about images whose file is missing.
const (
	MissingError     = "error"     // list them and stop
	MissingDrop      = "drop"      // leave them out, with a warning
	MissingUnchecked = "unchecked" // do not look: saves seconds with millions of images
)

// Source says where training images are and how they belong together.
type Source struct {
	Kind   string   `yaml:"kind"`
	Path   string   `yaml:"path"`   // the folder, list, table or pickle
	Images string   `yaml:"images"` // the folder of the images; empty: where Path is
	Boxes  []string `yaml:"boxes"`  // tables of boxes, of gldv1
	Split  string   `yaml:"split"`  // of retrieval-sfm and of tables that have splits: train or val

	// Datasets are the kapture datasets of one map below Path; none: Path itself.
	Datasets []string `yaml:"datasets"`
	Near     Near     `yaml:"near"` // of kapture

	MinPerClass int    `yaml:"min_per_class"` // classes of fewer images are left out; at least 2
	MaxPerClass int    `yaml:"max_per_class"` // a random choice of so many; 0: all
	Missing     string `yaml:"missing"`       // MissingError, MissingDrop or MissingUnchecked

	Seed uint64 `yaml:"-"` // of the choice for MaxPerClass
	Jobs int    `yaml:"-"` // workers; below 1: one
}

// DefaultSource returns a source of a kind at a path, with the settings that
// are used where nothing else is said.
func DefaultSource(kind, path string) Source {
	return Source{Kind: kind, Path: path, Split: "train", Near: DefaultNear(), MinPerClass: 2, Missing: MissingError}
}

// Check reports all that is wrong with the settings, without looking at files.
func (s Source) Check() error {
	var errs []error
	want := func(ok bool, name, what string, found any) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s: want %s, found %v", name, what, found))
		}
	}
	if kinds := Kinds(); !slices.Contains(kinds, s.Kind) {
		near := nearname.DidYouMean(nearname.Closest(s.Kind, kinds))
		errs = append(errs, fmt.Errorf("kind: want one of %s, found %q%s", strings.Join(kinds, ", "), s.Kind, near))
	}
	want(s.Path != "", "path", "a file or folder", "none")
	want(s.Kind != KindRetrieval || s.Split == "train" || s.Split == "val", "split", "train or val", fmt.Sprintf("%q", s.Split))
	want(s.MinPerClass >= 2, "min_per_class", "at least 2", s.MinPerClass)
	want(s.MaxPerClass == 0 || s.MaxPerClass >= s.MinPerClass, "max_per_class", fmt.Sprintf("0 or at least min_per_class (%d)", s.MinPerClass), s.MaxPerClass)
	missing := []string{MissingError, MissingDrop, MissingUnchecked}
	want(slices.Contains(missing, s.Missing), "missing", "one of "+strings.Join(missing, ", "), fmt.Sprintf("%q", s.Missing))
	want(len(s.Boxes) == 0 || s.Kind == KindGoogle1, "boxes", "none but with kind "+KindGoogle1, len(s.Boxes))
	want(s.Images == "" || s.Kind != KindFolder && s.Kind != KindKapture, "images", "none with kind "+KindFolder+" or "+KindKapture, s.Images)
	want(len(s.Datasets) == 0 || s.Kind == KindKapture, "datasets", "none but with kind "+KindKapture, len(s.Datasets))
	if s.Kind == KindKapture {
		errs = append(errs, s.Near.check())
	}
	return errors.Join(errs...)
}

// FromLabels returns a set of named images with a label each, as of images in
// memory, which [LoaderOptions] gets by its Open. Classes of one image are left
// out, so that images of the set have other numbers than their place in names.
func FromLabels(names, labels []string) (*Set, error) {
	if len(names) != len(labels) {
		return nil, fmt.Errorf("training data: want as many names as labels, found %d and %d", len(names), len(labels))
	}
	s := DefaultSource(KindFolder, "labels")
	s.Missing = MissingUnchecked
	g := newGathering(s, "labels", func(name string) string { return name })
	for i, label := range labels {
		g.add(names[i], label, 0)
	}
	return g.set(context.Background())
}

// Open reads the source.
func Open(ctx context.Context, s Source) (*Set, error) {
	if err := s.Check(); err != nil {
		return nil, fmt.Errorf("training data: %w", err)
	}
	read := map[string]func(context.Context, Source) (*Set, error){
		KindFolder: openFolder, KindCSV: openCSV, KindClean: openClean, KindGoogle1: openGoogle1, KindGoogle2: openGoogle2,
		KindRetrieval: openRetrieval, KindKapture: openKapture,
	}[s.Kind]
	set, err := read(ctx, s)
	if missing, ok := errors.AsType[*fs.PathError](err); ok && errors.Is(err, fs.ErrNotExist) {
		err = &kapture.InputError{Path: missing.Path, Msg: "want training data of kind " + s.Kind + ", found nothing there"}
	}
	if err != nil {
		return nil, fmt.Errorf("training data: %w", err)
	}
	return set, nil
}
