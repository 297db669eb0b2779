package record

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Run is a run directory as read from disk.
type Run struct {
	Dir       string
	Manifest  *Manifest
	Queries   []Query
	Summary   []Summary
	Retrieval []Retrieval
	Failures  []Failure // nil: of a run before there were any
	Server    bool      // Summary holds figures of ServerFile
}

// Paths of the files of a run directory, relative to it.
const (
	ManifestFile  = "manifest.json"
	QueriesFile   = "results/queries.csv"
	SummaryFile   = "results/summary.csv"
	RetrievalFile = "results/retrieval.csv"
	// ServerFile holds what an evaluation server said of the run's submissions, with
	// the columns of summary.csv, written by hand: percentages within thresholds, for
	// scenes whose ground truth is not public.
	ServerFile = "results/server.csv"
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
	server, err := ReadOptional(dir, ServerFile, ReadSummary)
	if err != nil {
		return nil, err
	}
	if err := run.addServer(server); err != nil {
		return nil, err
	}
	if run.Retrieval, err = ReadOptional(dir, RetrievalFile, ReadRetrieval); err != nil {
		return nil, err
	}
	if run.Failures, err = ReadOptional(dir, FailuresFile, ReadFailures); err != nil {
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

// ReadOptional reads a file of a run directory that a run may not have, such as
// one that an earlier version made: then it has no rows.
func ReadOptional[T any](dir, name string, read func(io.Reader, string) ([]T, error)) ([]T, error) {
	rows, err := readFile(dir, name, read)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return rows, err
}

// addServer takes over what a server said, of rows that the run has and has no
// figures of itself.
func (r *Run) addServer(rows []Summary) error {
	type line struct {
		scene, split, feature, method string
		topk                          int
		metric                        string
	}
	of := func(s Summary, metric string) line {
		return line{s.Scene, s.Split, s.Feature, s.Method, s.TopK, metric}
	}
	known := map[line]bool{}
	for _, s := range r.Summary {
		known[of(s, "")] = true
		known[of(s, s.Metric)] = true
	}
	for _, s := range rows {
		path := filepath.Join(r.Dir, filepath.FromSlash(ServerFile))
		what := fmt.Sprintf("%s of %s, %s, %s, top %d", s.Metric, s.Split, s.Feature, s.Method, s.TopK)
		switch {
		case !strings.HasPrefix(s.Metric, "within_") || !(s.Value >= 0 && s.Value <= 100):
			return &FormatError{Path: path, Msg: fmt.Sprintf("want percentages such as within_0.25m_2deg, found %s of %g", s.Metric, s.Value)}
		case !known[of(s, "")]:
			return &FormatError{Path: path, Msg: "want rows of the run, found " + what}
		case known[of(s, s.Metric)]:
			return &FormatError{Path: path, Msg: "want figures that the run does not have, once each, found " + what}
		}
		known[of(s, s.Metric)] = true
	}
	r.Summary, r.Server = append(r.Summary, rows...), len(rows) > 0
	return nil
}
