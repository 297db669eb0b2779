package reports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"locbench/bench/record"
	"locbench/kapture"
	"locbench/kapture/geom"
)

// maxRetrieved is how many retrieved images a page lists in all. Above it, the
// list of every query is cut to the same length; the pairs files hold the rest.
const maxRetrieved = 400_000

// queryData is what the page's script shows of single queries. Names are
// written once and meant by their index; columns are parallel to Queries.
type queryData struct {
	Thresholds []record.Threshold  `json:"thresholds"`
	Names      []string            `json:"names"`  // of the thresholds
	Groups     map[string][]string `json:"groups"` // splits of a group of splits
	Runs       []string            `json:"runs"`
	Features   []string            `json:"features"`
	Methods    []string            `json:"methods"`
	Queries    []queryName         `json:"queries"`
	Images     []string            `json:"images"`
	Reasons    []string            `json:"reasons"`
	Causes     []string            `json:"causes"` // of failures
	Lines      []*queryLine        `json:"lines"`
	Retrieved  []*retrievedList    `json:"retrieved"`
	Shown      int                 `json:"shown"` // length of the lists of retrieved images, at most
	Cut        bool                `json:"cut"`   // the pairs files have more
}

type queryName struct {
	Name  string `json:"n"`
	Split string `json:"s"`
}

// queryLine holds the results of all queries under one run, feature, method, k.
type queryLine struct {
	Run     int `json:"r"`
	Feature int `json:"f"`
	Method  int `json:"m"`
	TopK    int `json:"k"`
	// Status is a letter a query: - for no row, f failed, s skipped, l localized
	// without known errors, o outside all thresholds, else 0, 1, …: the finest
	// threshold that the query is within.
	Status  string `json:"s"`
	Meters  string `json:"t"` // see pack
	Degrees string `json:"d"`
	// Causes is a letter a query: - where it did not fail, else 0, 1, … of the
	// page's causes. Empty: not known.
	Causes string `json:"x,omitempty"`
	// Of the others, those that a method does not have are left out.
	Inliers         []int       `json:"i,omitempty"`
	Correspondences []int       `json:"c,omitempty"`
	Why             map[int]int `json:"w,omitempty"` // query → reason

	status, causes  []byte
	meters, degrees []float64
}

// retrievedList holds the retrieved images of all queries under a run's feature.
type retrievedList struct {
	Run     int       `json:"r"`
	Feature int       `json:"f"`
	Images  [][]int   `json:"n"`
	Scores  []numbers `json:"s"`
}

// numbers are written with four significant digits; what is not finite as null.
type numbers []float64

// MarshalJSON implements [json.Marshaler].
func (n numbers) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 7*len(n)+2)
	b = append(b, '[')
	for i, v := range n {
		if i > 0 {
			b = append(b, ',')
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			b = append(b, "null"...)
			continue
		}
		b = strconv.AppendFloat(b, v, 'g', 4, 64)
	}
	return append(b, ']'), nil
}

// gatherer builds a queryData.
type gatherer struct {
	section                  *section
	queries, images, reasons names
	causes                   names
	splits                   []string
	lines                    map[queryLineKey]*queryLine
	data                     *queryData
}

type queryLineKey struct{ run, feature, method, topk int }

// queryData gathers the rows of all queries and the images retrieved for them.
// It does so once.
func (s *section) queryData() (*queryData, error) {
	if s.gathered != nil {
		return s.gathered, nil
	}
	g := &gatherer{section: s, lines: map[queryLineKey]*queryLine{}, data: &queryData{
		Thresholds: s.sortedThresholds(), Features: s.features.list, Methods: s.methods.list, Lines: []*queryLine{}, Retrieved: []*retrievedList{}, Groups: map[string][]string{},
	}}
	for name, split := range s.groups {
		if len(split.Of) > 0 {
			g.data.Groups[name] = split.Of
		}
	}
	for _, t := range g.data.Thresholds {
		g.data.Names = append(g.data.Names, thresholdText(t))
	}
	for _, run := range s.runs {
		g.data.Runs = append(g.data.Runs, run.Label)
		for _, q := range run.Queries {
			if g.queries.id(q.Query) == len(g.splits) {
				g.splits = append(g.splits, q.Split)
			}
		}
	}
	for i, run := range s.runs {
		for _, q := range run.Queries {
			g.add(i, q)
		}
	}
	for i, run := range s.runs {
		for _, f := range run.Failures {
			g.addCause(i, f)
		}
	}
	for i := range s.runs {
		if err := g.addPairs(i); err != nil {
			return nil, err
		}
	}
	s.gathered = g.finish()
	return s.gathered, nil
}

func (g *gatherer) finish() *queryData {
	d := g.data
	for i, name := range g.queries.list {
		d.Queries = append(d.Queries, queryName{name, g.splits[i]})
	}
	d.Images, d.Reasons, d.Causes = g.images.list, g.reasons.list, g.causes.list
	for _, line := range d.Lines {
		line.Status, line.Meters, line.Degrees = string(line.status), pack(line.meters), pack(line.degrees)
		line.Causes = string(line.causes)
		line.status, line.causes, line.meters, line.degrees = nil, nil, nil, nil
	}
	return d
}

// line returns the line of a key, made if need be.
func (g *gatherer) line(key queryLineKey) *queryLine {
	if line, ok := g.lines[key]; ok {
		return line
	}
	n := len(g.queries.list)
	line := &queryLine{Run: key.run, Feature: key.feature, Method: key.method, TopK: key.topk, meters: make([]float64, n), degrees: make([]float64, n), status: make([]byte, n)}
	for i := range n {
		line.meters[i], line.degrees[i], line.status[i] = math.NaN(), math.NaN(), '-'
	}
	g.lines[key] = line
	g.data.Lines = append(g.data.Lines, line)
	return line
}

func (g *gatherer) add(run int, q record.Query) {
	line := g.line(queryLineKey{run, g.section.features.id(q.Feature), g.section.methods.id(q.Method), q.TopK})
	i := g.queries.id(q.Query)
	line.status[i] = g.status(q)
	line.meters[i], line.degrees[i] = q.TErrM, q.RErrDeg
	if q.Inliers >= 0 || q.Correspondences >= 0 {
		if line.Inliers == nil {
			line.Inliers, line.Correspondences = unknownCounts(len(g.queries.list)), unknownCounts(len(g.queries.list))
		}
		line.Inliers[i], line.Correspondences[i] = q.Inliers, q.Correspondences
	}
	if q.Reason != "" {
		if line.Why == nil {
			line.Why = map[int]int{}
		}
		line.Why[i] = g.reasons.id(q.Reason)
	}
}

// status is the letter of a row. The page's errors are rounded, so it does not
// judge them itself.
func (g *gatherer) status(q record.Query) byte {
	switch {
	case q.Status != record.Localized:
		return q.Status[0]
	case math.IsNaN(q.TErrM) || math.IsNaN(q.RErrDeg):
		return 'l'
	}
	e := geom.PoseError{Meters: q.TErrM, Degrees: q.RErrDeg}
	for i, t := range g.data.Thresholds {
		if geom.Threshold(t).Within(e) {
			return byte('0' + i)
		}
	}
	return 'o'
}

// addCause notes why a query failed.
func (g *gatherer) addCause(run int, f record.Failure) {
	line, known := g.lines[queryLineKey{run, g.section.features.id(f.Feature), g.section.methods.id(f.Method), f.TopK}]
	i, asked := g.queries.index[f.Query]
	if !known || !asked {
		return
	}
	if line.causes == nil {
		line.causes = bytes.Repeat([]byte{'-'}, len(g.queries.list))
	}
	line.causes[i] = byte('0' + g.causes.id(causeTitles[f.Cause]))
}

func unknownCounts(n int) []int {
	counts := make([]int, n)
	for i := range counts {
		counts[i] = -1
	}
	return counts
}

// addPairs reads the pairs files of a run, as far as there are any.
func (g *gatherer) addPairs(run int) error {
	features := map[int]bool{}
	for _, line := range g.data.Lines {
		if line.Run == run {
			features[line.Feature] = true
		}
	}
	shown := maxRetrieved / max(1, len(g.queries.list)*len(features)*len(g.section.runs))
	for f, name := range g.section.features.list {
		if !features[f] {
			continue
		}
		pairs, err := readPairs(filepath.Join(g.section.runs[run].Dir, "pairs", name+".txt"))
		if err != nil {
			return err
		}
		if len(pairs) > 0 {
			g.data.Retrieved = append(g.data.Retrieved, g.retrieved(run, f, pairs, max(5, shown)))
		}
	}
	return nil
}

// readPairs reads a pairs file; nil if there is none.
func readPairs(path string) (kapture.Pairs, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read retrieved images: %w", err)
	}
	defer f.Close()
	return kapture.ReadPairs(f, path)
}

// retrieved lists the first images of every query of the results.
func (g *gatherer) retrieved(run, feature int, pairs kapture.Pairs, shown int) *retrievedList {
	n := len(g.queries.list)
	list := &retrievedList{Run: run, Feature: feature, Images: make([][]int, n), Scores: make([]numbers, n)}
	for i := range n {
		list.Images[i], list.Scores[i] = []int{}, numbers{}
	}
	for _, p := range pairs {
		i, ok := g.queries.index[p.Query]
		if !ok {
			continue
		}
		if len(list.Images[i]) == shown {
			g.data.Cut = true
			continue
		}
		list.Images[i] = append(list.Images[i], g.images.id(p.Map))
		list.Scores[i] = append(list.Scores[i], p.Score)
		g.data.Shown = max(g.data.Shown, len(list.Images[i]))
	}
	return list
}

// script returns d as JSON that may stand in a script element: no "<" in it.
func (d *queryData) script(views *viewIndex) ([]byte, error) {
	b, err := json.Marshal(struct {
		*queryData
		Views *viewIndex `json:"views"`
	}{d, views})
	if err != nil {
		return nil, fmt.Errorf("query rows: %w", err)
	}
	return b, nil
}
