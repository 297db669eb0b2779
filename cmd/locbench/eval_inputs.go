package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"locbench/kapture"
	"locbench/retrieval"
	"locbench/retrieval/landmarks"
	"locbench/retrieval/npy"
)

// openDataset reads the ground truth that the flags name.
func (f *evalFlags) openDataset() (*landmarks.Dataset, error) {
	if f.dataset == landmarks.Folder {
		return landmarks.ReadFolder(f.data)
	}
	if f.gnd != "" {
		return landmarks.ReadTruth(f.dataset, f.gnd)
	}
	for _, ending := range []string{".pkl", ".json"} {
		path := filepath.Join(f.data, "gnd_"+f.dataset+ending)
		if _, err := os.Stat(path); err == nil {
			return landmarks.ReadTruth(f.dataset, path)
		}
	}
	if !landmarks.Classic(f.dataset) {
		return nil, &kapture.InputError{Path: f.data, Msg: fmt.Sprintf("want gnd_%s.pkl or gnd_%[1]s.json, found neither; --gnd names another file", f.dataset)}
	}
	var names []string
	if path := listOf(f.database, f.dbList); path != "" {
		files, err := landmarks.Files(f.data)
		if err != nil {
			return nil, err
		}
		if len(files) == 0 { // no images here: the list says what the database is
			if names, err = f.readList(path); err != nil {
				return nil, err
			}
		}
	}
	return landmarks.ReadClassic(f.dataset, f.data, names)
}

// listOf is the list of the rows of an .npy file: the one named, or that
// beside it, or none.
func listOf(descriptors, list string) string {
	if list != "" || descriptors == "" {
		return list
	}
	beside := strings.TrimSuffix(descriptors, ".npy") + ".txt"
	if info, err := os.Stat(beside); err != nil || info.IsDir() || beside == descriptors {
		return ""
	}
	return beside
}

func (f *evalFlags) readList(path string) ([]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return landmarks.ReadList(file, path, f.dataset == landmarks.Folder, f.data)
}

// rowFiles are files of descriptors that are open, with one whitening.
type rowFiles struct {
	whiten *retrieval.Whitener
	files  []*npy.File
}

func (r *rowFiles) open(path string) (*landmarks.Rows, error) {
	file, err := npy.Open(path)
	if err != nil {
		return nil, err
	}
	r.files = append(r.files, file)
	return &landmarks.Rows{File: file, Whiten: r.whiten}, nil
}

func (r *rowFiles) close() {
	for _, file := range r.files {
		file.Close() // nothing was written
	}
}

// search ranks by descriptors.
func (f *evalFlags) search(ctx context.Context, g *globals, d *landmarks.Dataset) ([][]landmarks.Place, error) {
	whiten, err := f.whiten.open()
	if err != nil {
		return nil, err
	}
	r := &rowFiles{whiten: whiten}
	defer r.close()
	s := landmarks.Search{QueryExpansion: f.queryExpand, DatabaseExpansion: f.dbExpand, Jobs: g.jobs}
	if s.Database, err = f.openRows(r, f.database, f.dbList, d.Images); err != nil {
		return nil, err
	}
	if s.Queries = s.Database; !d.Labelled {
		if s.Queries, err = f.openRows(r, f.queries, f.queryList, queryNames(d)); err != nil {
			return nil, err
		}
	}
	return f.rank(ctx, g, d, r, s)
}

// rank adds the distractors to a search, and ranks.
func (f *evalFlags) rank(ctx context.Context, g *globals, d *landmarks.Dataset, r *rowFiles, s landmarks.Search) ([][]landmarks.Place, error) {
	total := 0
	for _, path := range f.distractors {
		rows, err := r.open(path)
		if err != nil {
			return nil, err
		}
		s.Distractors = append(s.Distractors, rows)
		total += rows.Len()
	}
	if f.queryExpand.K > 0 {
		total *= 2 // they are gone through once more
	}
	if p := g.progress(); p != nil && total > 0 {
		p.Start("rank distractors", total)
		defer p.Done()
		s.Progress = p.Add
	}
	return d.FromDescriptors(ctx, s)
}

// openRows opens descriptors and puts them in the order of names.
func (f *evalFlags) openRows(r *rowFiles, path, list string, names []string) (*landmarks.Rows, error) {
	rows, err := r.open(path)
	if err != nil {
		return nil, err
	}
	return rows, f.sortRows(rows, listOf(path, list), names)
}

// sortRows puts rows in the order of names by their list, if there is one.
func (f *evalFlags) sortRows(rows *landmarks.Rows, list string, names []string) error {
	if list == "" {
		return nil
	}
	listed, err := f.readList(list)
	if errors.Is(err, fs.ErrNotExist) {
		return &kapture.InputError{Path: list, Msg: "want a list of images, found no such file"}
	}
	if err != nil {
		return err
	}
	if len(listed) != rows.File.Rows() {
		return &kapture.InputError{Path: list, Msg: fmt.Sprintf("want a name for each row of %s, which has the shape %v, found %d", rows.File.Path(), rows.File.Shape(), len(listed))}
	}
	rows.Select, err = landmarks.RowsOf(names, listed, list)
	return err
}

func queryNames(d *landmarks.Dataset) []string {
	names := make([]string, len(d.Queries))
	for i, q := range d.Queries {
		names[i] = q.Name
	}
	return names
}

// whitenFlags are the flags that name a whitening.
type whitenFlags struct {
	file string
	retrieval.Whitening
}

// String describes the whitening; empty for none.
func (f *whitenFlags) String() string {
	if f.file == "" {
		return ""
	}
	text := fmt.Sprintf("%s, power %v", f.file, f.Power)
	if f.Dim > 0 {
		text += fmt.Sprintf(", %d dimensions", f.Dim)
	}
	return text
}

// open returns nil where no whitening is asked for.
func (f *whitenFlags) open() (*retrieval.Whitener, error) {
	if f.file == "" {
		return nil, nil
	}
	pca, err := openPCA(f.file)
	if err != nil {
		return nil, err
	}
	w, err := pca.Whitener(f.Whitening)
	if err != nil {
		return nil, usagef("whiten with %s: %v", f.file, err)
	}
	return w, nil
}
