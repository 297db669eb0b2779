package extract

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"locbench/kapture"
	"locbench/retrieval/imgio"
)

// FromFolder lists the images below a folder, by their path in it with slashes,
// sorted. Files of other [imgio.Extensions] and hidden ones are no images.
func FromFolder(dir string) ([]Image, error) {
	var images []Image
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(d.Name(), ".") && path != dir
		switch {
		case hidden && d.IsDir():
			return fs.SkipDir
		case hidden, d.IsDir(), !imgio.IsName(path):
			return nil
		}
		name, err := filepath.Rel(dir, path)
		images = append(images, Image{Name: filepath.ToSlash(name), File: path})
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(images) == 0 {
		return nil, &kapture.InputError{Path: dir, Msg: "want images (" + strings.Join(imgio.Extensions(), ", ") + "), found none"}
	}
	slices.SortFunc(images, func(a, b Image) int { return strings.Compare(a.Name, b.Name) })
	return images, nil
}

// FromList reads a list of images, a path a line, relative to the list's folder
// or absolute. Blank lines and those that begin with # are passed over. The
// order is the list's; an image may be in it twice.
func FromList(path string) ([]Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var images []Image
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name := strings.TrimSpace(lines.Text())
		if name == "" || name[0] == '#' {
			continue
		}
		file := filepath.FromSlash(name)
		if !filepath.IsAbs(file) {
			file = filepath.Join(filepath.Dir(path), file)
		}
		images = append(images, Image{Name: name, File: file})
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return nil, &kapture.InputError{Path: path, Msg: "want a list of images, a path a line, found a line without end"}
	}
	if lines.Err() != nil {
		return nil, fmt.Errorf("read %s: %w", path, lines.Err())
	}
	if len(images) == 0 {
		return nil, &kapture.InputError{Path: path, Msg: "want a list of images, a path a line, found none"}
	}
	return images, nil
}

// FromKapture lists the images of a kapture dataset by their names, sorted.
func FromKapture(dir string) ([]Image, error) {
	d, err := kapture.Open(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, r := range d.Cameras {
		names = append(names, r.Path)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) == 0 {
		return nil, &kapture.InputError{Path: filepath.Join(dir, "sensors", "records_camera.txt"), Msg: "want images, found none"}
	}
	images := make([]Image, len(names))
	for i, name := range names {
		images[i] = Image{Name: name, File: filepath.Join(dir, "sensors", "records_data", filepath.FromSlash(name))}
	}
	return images, nil
}

// CheckFiles names every image whose file is missing or no file at all, each as
// a [*kapture.InputError], all joined.
func CheckFiles(images []Image) error {
	var errs []error
	seen := map[string]bool{}
	for _, im := range images {
		if seen[im.File] {
			continue
		}
		seen[im.File] = true
		err := kapture.CheckFile(im.File)
		if errors.Is(err, fs.ErrNotExist) {
			err = &kapture.InputError{Path: im.File, Msg: "want an image, found no such file"}
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
