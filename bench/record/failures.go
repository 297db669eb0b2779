package record

import (
	"io"
	"slices"
	"strconv"
)

// FailuresFile says of every query that was not localized well why that was.
const FailuresFile = "results/failures.csv"

// Cause is why a query is not within the coarsest threshold.
type Cause string

// The causes, in the order in which they are looked for.
const (
	NotTried        Cause = "skipped"          // the method was not tried
	RetrievalMissed Cause = "retrieval_missed" // none of the retrieved images shows what the query shows
	TooFewMatches   Cause = "too_few_matches"  // fewer 2D-3D matches than a pose needs
	TooFewInliers   Cause = "too_few_inliers"  // too few of them agree on a pose
	WrongPose       Cause = "wrong_pose"       // there is a pose, and it is wrong
)

// Causes lists them.
var Causes = []Cause{NotTried, RetrievalMissed, TooFewMatches, TooFewInliers, WrongPose}

// Failure is a row of failures.csv.
type Failure struct {
	Scene, Split, Query, Feature, Method string
	TopK                                 int
	Cause                                Cause
	Relevant                             int // of the retrieved images; -1 (an empty cell): not known
}

var failureColumns = []string{"scene", "split", "query", "feature", "method", "topk", "cause", "relevant"}

// WriteFailures writes rows to path, in the order given.
func WriteFailures(path string, rows []Failure) error {
	return writeTable(path, failureColumns, rows, func(f Failure, out []string) []string {
		return append(out, f.Scene, f.Split, f.Query, f.Feature, f.Method, strconv.Itoa(f.TopK), string(f.Cause), formatCount(f.Relevant))
	})
}

// ReadFailures reads what [WriteFailures] wrote; path is its name in messages.
func ReadFailures(r io.Reader, path string) ([]Failure, error) {
	return readTable(r, path, failureColumns, func(c *cells) Failure {
		return Failure{Scene: c.text(0), Split: c.text(1), Query: c.text(2), Feature: c.text(3), Method: c.text(4),
			TopK: c.topk(5), Cause: c.cause(6), Relevant: c.count(7)}
	})
}

func (c *cells) cause(i int) Cause {
	cause := Cause(c.intern(i))
	if !slices.Contains(Causes, cause) {
		c.problem("want one of %v for cause, found %q", Causes, c.fields[i])
	}
	return cause
}
