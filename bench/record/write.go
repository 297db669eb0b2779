package record

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
)

// Column names of the three tables, in their order.
var (
	queryColumns     = []string{"scene", "split", "query", "feature", "method", "topk", "status", "t_err_m", "r_err_deg", "inliers", "correspondences", "reason"}
	summaryColumns   = []string{"scene", "split", "feature", "method", "topk", "metric", "value"}
	retrievalColumns = []string{"scene", "split", "feature", "topk", "metric", "value"}
)

// WriteFile makes the file at path hold what write writes: all of it, or, on
// any error, what was there before. It writes beside path, syncs and renames.
func WriteFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".tmp-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	w := bufio.NewWriterSize(f, 1<<16)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// WriteQueries writes queries.csv to path, rows in the order given.
func WriteQueries(path string, rows []Query) error {
	return writeTable(path, queryColumns, rows, func(q Query, out []string) []string {
		return append(out, q.Scene, q.Split, q.Query, q.Feature, q.Method, strconv.Itoa(q.TopK), string(q.Status),
			formatFloat(q.TErrM), formatFloat(q.RErrDeg), formatCount(q.Inliers), formatCount(q.Correspondences), q.Reason)
	})
}

// WriteSummary writes summary.csv to path, rows in the order given.
func WriteSummary(path string, rows []Summary) error {
	return writeTable(path, summaryColumns, rows, func(s Summary, out []string) []string {
		return append(out, s.Scene, s.Split, s.Feature, s.Method, strconv.Itoa(s.TopK), s.Metric, formatFloat(s.Value))
	})
}

// WriteRetrieval writes retrieval.csv to path, rows in the order given.
func WriteRetrieval(path string, rows []Retrieval) error {
	return writeTable(path, retrievalColumns, rows, func(r Retrieval, out []string) []string {
		return append(out, r.Scene, r.Split, r.Feature, strconv.Itoa(r.TopK), r.Metric, formatFloat(r.Value))
	})
}

func writeTable[T any](path string, columns []string, rows []T, fields func(T, []string) []string) error {
	return WriteFile(path, func(w io.Writer) error {
		c := csv.NewWriter(w)
		if err := c.Write(columns); err != nil {
			return err
		}
		line := make([]string, 0, len(columns))
		for _, row := range rows {
			line = fields(row, line[:0])
			if err := c.Write(line); err != nil {
				return err
			}
		}
		c.Flush()
		return c.Error()
	})
}

// formatFloat gives the shortest text that reads back as v: plain decimals
// from 1e-4 up to 1e16, as Python's repr has it, so that other tools' files
// compare as text. NaN is empty.
func formatFloat(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return ""
	case math.IsInf(v, 1):
		return "inf"
	case math.IsInf(v, -1):
		return "-inf"
	case a == 0 || (a >= 1e-4 && a < 1e16):
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'e', -1, 64)
}

func formatCount(n int) string {
	if n < 0 {
		return ""
	}
	return strconv.Itoa(n)
}
