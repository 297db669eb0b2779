package record

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// FormatError says that a results file breaks the format: where, what was
// expected and what was found.
type FormatError struct {
	Path string
	Line int // 1-based; 0: the file as a whole
	Msg  string
}

func (e *FormatError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", e.Path, e.Line, e.Msg)
	}
	return e.Path + ": " + e.Msg
}

// maxProblems is how many bad lines of one file are named.
const maxProblems = 10

// ReadQueries reads queries.csv from r; path is for messages. Bad lines are
// [FormatError]s, the first ten joined.
func ReadQueries(r io.Reader, path string) ([]Query, error) {
	return readTable(r, path, queryColumns, func(c *cells) Query {
		return Query{
			Scene: c.text(0), Split: c.text(1), Query: c.text(2), Feature: c.text(3), Method: c.text(4),
			TopK: c.topk(5), Status: c.status(6), TErrM: c.length(7), RErrDeg: c.length(8),
			Inliers: c.count(9), Correspondences: c.count(10), Reason: c.intern(11),
		}
	})
}

// ReadSummary reads summary.csv from r, as [ReadQueries] does.
func ReadSummary(r io.Reader, path string) ([]Summary, error) {
	return readTable(r, path, summaryColumns, func(c *cells) Summary {
		return Summary{
			Scene: c.text(0), Split: c.text(1), Feature: c.text(2), Method: c.text(3),
			TopK: c.topk(4), Metric: c.text(5), Value: c.length(6),
		}
	})
}

// ReadRetrieval reads retrieval.csv from r, as [ReadQueries] does.
func ReadRetrieval(r io.Reader, path string) ([]Retrieval, error) {
	return readTable(r, path, retrievalColumns, func(c *cells) Retrieval {
		return Retrieval{
			Scene: c.text(0), Split: c.text(1), Feature: c.text(2),
			TopK: c.topk(3), Metric: c.text(4), Value: c.length(5),
		}
	})
}

func readTable[T any](r io.Reader, path string, columns []string, row func(*cells) T) ([]T, error) {
	in := csv.NewReader(bufio.NewReaderSize(r, 1<<16))
	in.FieldsPerRecord = -1
	in.ReuseRecord = true
	header, err := in.Read()
	if err == io.EOF {
		return nil, &FormatError{Path: path, Line: 1, Msg: "want the header " + strings.Join(columns, ",") + ", found an empty file"}
	}
	if err != nil {
		return nil, syntaxError(path, err)
	}
	if !slices.Equal(header, columns) {
		return nil, &FormatError{Path: path, Line: 1, Msg: fmt.Sprintf("want the header %s, found %q", strings.Join(columns, ","), strings.Join(header, ","))}
	}
	var rows []T
	c := &cells{path: path, columns: columns, seen: map[string]string{}}
	for {
		c.fields, err = in.Read()
		if err == io.EOF {
			return rows, c.err()
		}
		if err != nil {
			return nil, errors.Join(c.err(), syntaxError(path, err))
		}
		c.line, _ = in.FieldPos(0)
		if len(c.fields) != len(columns) {
			c.problem("want %d fields, found %d", len(columns), len(c.fields))
			continue
		}
		rows = append(rows, row(c))
	}
}

// syntaxError turns an error of encoding/csv into one that names the file.
func syntaxError(path string, err error) error {
	if e, ok := errors.AsType[*csv.ParseError](err); ok {
		return &FormatError{Path: path, Line: e.Line, Msg: "want CSV, found " + e.Err.Error()}
	}
	return fmt.Errorf("read %s: %w", path, err)
}

// cells reads the fields of one line and gathers what is wrong with them.
type cells struct {
	path     string
	columns  []string
	fields   []string
	line     int
	problems []error
	more     int
	seen     map[string]string
}

func (c *cells) problem(format string, args ...any) {
	if len(c.problems) == maxProblems {
		c.more++
		return
	}
	c.problems = append(c.problems, &FormatError{Path: c.path, Line: c.line, Msg: fmt.Sprintf(format, args...)})
}

func (c *cells) err() error {
	if c.more > 0 {
		return errors.Join(append(c.problems, fmt.Errorf("and %d more", c.more))...)
	}
	return errors.Join(c.problems...)
}

// intern returns field i; equal texts share their memory, or a table of a
// million rows would hold each name a thousand times.
func (c *cells) intern(i int) string {
	s, ok := c.seen[c.fields[i]]
	if !ok {
		s = strings.Clone(c.fields[i])
		c.seen[s] = s
	}
	return s
}

func (c *cells) text(i int) string {
	if c.fields[i] == "" {
		c.problem("want a %s, found none", c.columns[i])
	}
	return c.intern(i)
}

func (c *cells) topk(i int) int {
	n, err := strconv.Atoi(c.fields[i])
	if err != nil || n < 1 {
		c.problem("want a positive number for topk, found %q", c.fields[i])
	}
	return n
}

func (c *cells) status(i int) Status {
	s := Status(c.intern(i))
	if s != Localized && s != Failed && s != Skipped {
		c.problem("want localized, failed or skipped for status, found %q", c.fields[i])
	}
	return s
}

func (c *cells) count(i int) int {
	if c.fields[i] == "" {
		return -1
	}
	n, err := strconv.Atoi(c.fields[i])
	if err != nil || n < 0 {
		c.problem("want a count or nothing for %s, found %q", c.columns[i], c.fields[i])
	}
	return n
}

// length reads a number that cannot be negative, "inf", or nothing.
func (c *cells) length(i int) float64 {
	switch c.fields[i] {
	case "":
		return math.NaN()
	case "inf":
		return math.Inf(1)
	}
	v, err := strconv.ParseFloat(c.fields[i], 64)
	if err != nil || !(v >= 0) || math.IsInf(v, 1) {
		c.problem("want a number from 0 up, inf or nothing for %s, found %q", c.columns[i], c.fields[i])
	}
	return v
}

// number reads a number of either sign, or nothing.
func (c *cells) number(i int) float64 {
	if c.fields[i] == "" {
		return math.NaN()
	}
	v, err := strconv.ParseFloat(c.fields[i], 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		c.problem("want a number or nothing for %s, found %q", c.columns[i], c.fields[i])
	}
	return v
}
