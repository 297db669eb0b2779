package record

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Run is a run directory as read from disk.
type Run struct {
	Dir       string
	Manifest  *Manifest
	Queries   []Query
	Summary   []Summary
	Retrieval []Retrieval
}

// Paths of the files of a run directory, relative to it.
const (
	ManifestFile  = "manifest.json"
	QueriesFile   = "results/queries.csv"
	SummaryFile   = "results/summary.csv"
	RetrievalFile = "results/retrieval.csv"
)

// ReadRun reads the run directory dir. A directory without a manifest is a
// [FormatError]: it is not a run. retrieval.csv may be absent, as in a run
// whose scene has no ground truth.
func ReadRun(dir string) (*Run, error) {
	m, err := ReadManifest(filepath.Join(dir, ManifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &FormatError{Path: dir, Msg: "want a run directory, found no " + ManifestFile + " in it"}
	}
	if err != nil {
		return nil, err
	}
	run := &Run{Dir: dir, Manifest: m}
	if run.Queries, err = readFile(dir, QueriesFile, ReadQueries); err != nil {
		return nil, err
	}
	if run.Summary, err = readFile(dir, SummaryFile, ReadSummary); err != nil {
		return nil, err
	}
	run.Retrieval, err = readFile(dir, RetrievalFile, ReadRetrieval)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return run, nil
}

func readFile[T any](dir, name string, read func(io.Reader, string) ([]T, error)) ([]T, error) {
	path := filepath.Join(dir, filepath.FromSlash(name))
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read run %s: %w", dir, err)
	}
	defer f.Close()
	return read(f, path)
}
