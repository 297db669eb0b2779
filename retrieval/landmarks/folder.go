package landmarks

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"locbench/kapture"
	"locbench/retrieval/imgio"
)

// ReadFolder reads a folder of folders of images: the first folder of an
// image's path is its label. Every image is a query; those with its label are
// positive, and it is its own junk. Names are paths below dir with slashes.
func ReadFolder(dir string) (*Dataset, error) {
	d := &Dataset{Name: Folder, Setups: plain(), Labelled: true}
	labels := map[string][]int{}
	var bad []error
	err := walkImages(dir, func(name string) {
		label, _, ok := strings.Cut(name, "/")
		if !ok {
			bad = append(bad, &kapture.InputError{Path: dir, Msg: fmt.Sprintf("want every image in a folder that is its label, found %s", name)})
			return
		}
		labels[label] = append(labels[label], len(d.Images))
		d.Images = append(d.Images, name)
	})
	if err != nil {
		return nil, err
	}
	if err := kapture.FirstTen(bad); err != nil {
		return nil, err
	}
	for i, name := range d.Images {
		label, _, _ := strings.Cut(name, "/")
		same := slices.DeleteFunc(slices.Clone(labels[label]), func(j int) bool { return j == i })
		d.Queries = append(d.Queries, Query{Name: name, Images: map[Grade][]int{OK: same, Junk: {i}}})
	}
	return d, d.check(dir)
}

// walkImages visits the images below dir by name: paths below dir, with slashes.
func walkImages(dir string, visit func(name string)) error {
	var names []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if rel, err := filepath.Rel(dir, path); err == nil && !e.IsDir() && imgio.IsName(path) {
			names = append(names, filepath.ToSlash(rel))
		}
		return nil
	})
	slices.Sort(names)
	for _, name := range names {
		visit(name)
	}
	return err
}

// Files returns the paths of the images below dir by name: the file's, without
// folders and ending, as the ground truth of Oxford and Paris has them. Two
// files of one name are a [kapture.InputError].
func Files(dir string) (map[string]string, error) {
	files := map[string]string{}
	var bad []error
	err := walkImages(dir, func(rel string) {
		path, name := filepath.Join(dir, filepath.FromSlash(rel)), baseName(rel)
		if other, twice := files[name]; twice {
			bad = append(bad, &kapture.InputError{Path: path, Msg: "want one image of each name, found " + other + " too"})
		}
		files[name] = path
	})
	if err != nil {
		return nil, err
	}
	return files, kapture.FirstTen(bad)
}

// baseName is what the ground truth calls the image of a path.
func baseName(path string) string {
	name := path[strings.LastIndexAny(path, `/\`)+1:]
	if imgio.IsName(name) {
		name = strings.TrimSuffix(name, filepath.Ext(name))
	}
	return name
}
