package reports

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"locbench/bench/record"
)

// reportFile is a file of a report and what writes it.
type reportFile struct {
	name  string
	write func(io.Writer) error
}

// WriteDir writes the report's files to dir, which is made if need be:
// index.html, tables.md, tables.tex, every figure as .svg and .png, and, in
// views and thumbnails, what the page shows of single queries. Each file is
// written whole or not at all. Files of an earlier report that this one does not
// have are removed, other files are left alone. When ctx is done, WriteDir stops
// between two files and returns its error.
func (r *Report) WriteDir(ctx context.Context, dir string) error {
	for _, folder := range []string{dir, filepath.Join(dir, viewsFolder), filepath.Join(dir, thumbnailsFolder)} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	files := []reportFile{{"tables.md", r.WriteMarkdown}, {"tables.tex", r.WriteLaTeX}}
	for _, s := range r.results {
		for _, f := range s.figures {
			files = append(files, reportFile{f.name + ".svg", f.writeSVG}, reportFile{f.name + ".png", f.writePNG})
		}
	}
	written := []string{}
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := record.WriteFile(filepath.Join(dir, f.name), f.write); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
		written = append(written, f.name)
	}
	views, shown, err := r.writeViews(ctx, dir)
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	err = record.WriteFile(filepath.Join(dir, "index.html"), func(w io.Writer) error { return r.writePage(w, views) })
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return dropStale(dir, append(written, shown...))
}

// writeViews writes the views and pictures of all sections' queries. It returns
// an index for each section, and the files.
func (r *Report) writeViews(ctx context.Context, dir string) ([]*viewIndex, []string, error) {
	var indexes []*viewIndex
	var files []string
	left := r.thumbnails.Most
	for i, s := range r.sections {
		data, err := s.queryData()
		if err != nil {
			return nil, nil, err
		}
		v, err := newViews(s, data)
		if err != nil {
			return nil, nil, err
		}
		n, err := v.makePictures(ctx, dir, r.thumbnails, left)
		if err != nil {
			return nil, nil, err
		}
		left -= n
		id := strconv.Itoa(i + 1)
		scripts, err := v.write(ctx, dir, id)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, scripts...)
		for _, p := range v.pictures {
			files = append(files, p.file)
		}
		indexes = append(indexes, v.index(id))
	}
	return indexes, files, nil
}

// ownFile matches the names of files that some reports have and others do not.
var ownFile = regexp.MustCompile(`^((localized_over|retrieval_recall)_.*\.(svg|png)|views/[0-9]+-[0-9]+\.js|thumbnails/[0-9a-f]{20}\.jpg)$`)

// dropStale removes from dir the files of an earlier report that are not among
// those of this one.
func dropStale(dir string, files []string) error {
	slices.Sort(files)
	for _, folder := range []string{"", viewsFolder, thumbnailsFolder} {
		entries, err := os.ReadDir(filepath.Join(dir, folder))
		if err != nil {
			return fmt.Errorf("write report: %w", err)
		}
		for _, e := range entries {
			name := path.Join(folder, e.Name())
			if _, ours := slices.BinarySearch(files, name); ours || !ownFile.MatchString(name) {
				continue
			}
			if err := os.Remove(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
				return fmt.Errorf("write report: %w", err)
			}
		}
		os.Remove(filepath.Join(dir, folder)) // fails, as it should, if anything is in it
	}
	return nil
}
