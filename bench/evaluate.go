package bench

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"

	"locbench/bench/metrics"
	"locbench/bench/record"
	"locbench/kapture/geom"
)

// evaluateStage gathers the rows of the localize stages and computes the
// figures of the results files.
func (p *Plan) evaluateStage() stage {
	const version = "2"
	s := stage{name: "evaluate", cost: p.evaluateCost()}
	s.key = func(ctx context.Context) (string, error) {
		d := newDigest("evaluate", version, p.scene.Name, imagesHash(p.queries), imagesHash(p.mapping))
		for _, t := range p.scene.Thresholds {
			d.add("within", t.String())
		}
		for _, t := range p.scene.RecallThresholds {
			d.add("recall", t.String())
		}
		for _, k := range p.topk {
			d.add(strconv.Itoa(k.K))
		}
		for _, g := range p.scene.Groups {
			d.add(append([]string{"group", g.Split}, g.Of...)...)
		}
		for _, path := range p.rowFiles() {
			sum, err := p.run.hashes.file(filepath.Join(p.o.Out, path))
			if err != nil {
				return "", err
			}
			d.add(path, sum)
		}
		seen, err := p.coVisibilityHash(ctx)
		if err != nil {
			return "", err
		}
		d.add("co-visibility", seen)
		for _, f := range p.features {
			sum, err := p.run.hashes.file(filepath.Join(p.o.Out, pairsPath(f)))
			if err != nil {
				return "", err
			}
			d.add(f.name, sum)
		}
		return d.sum(), nil
	}
	s.run = p.evaluate
	return s
}

// rowFiles lists the files of rows in the order of the results.
func (p *Plan) rowFiles() []string {
	var paths []string
	for _, f := range p.features {
		for _, m := range p.methodsOf(f) {
			paths = append(paths, rowsPath(f, m))
		}
	}
	return paths
}

func (p *Plan) evaluate(ctx context.Context) ([]string, error) {
	var queries []record.Query
	for _, path := range p.rowFiles() {
		rows, err := readRows(filepath.Join(p.o.Out, path))
		if err != nil {
			return nil, err
		}
		queries = append(queries, rows...)
	}
	all, err := p.judge()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return []string{record.QueriesFile, record.SummaryFile, record.RetrievalFile, record.FailuresFile}, errors.Join(
		writeRows(p, record.FailuresFile, p.failureRows(queries, all), record.WriteFailures),
		writeRows(p, record.QueriesFile, queries, record.WriteQueries),
		writeRows(p, record.SummaryFile, p.summaryRows(queries), record.WriteSummary),
		writeRows(p, record.RetrievalFile, p.retrievalRows(all), record.WriteRetrieval),
	)
}

// writeRows writes one of the results files.
func writeRows[T any](p *Plan, name string, rows []T, write func(string, []T) error) error {
	path, err := p.place(name)
	if err != nil {
		return err
	}
	return write(path, rows)
}

func readRows(path string) ([]record.Query, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return record.ReadQueries(file, path)
}

// splits lists the splits of the scene: all queries first, then the conditions
// in the order in which the scene names them.
func (p *Plan) splits() []record.Split {
	out := []record.Split{{Name: record.AllSplit, Queries: len(p.queries)}}
	for _, split := range p.scene.Splits() {
		n := 0
		for _, im := range p.queries {
			if im.Split == split {
				n++
			}
		}
		out = append(out, record.Split{Name: split, Queries: n})
	}
	for _, g := range p.scene.Groups {
		group := record.Split{Name: g.Split, Of: g.Of}
		for _, im := range p.queries {
			if group.Holds(im.Split) {
				group.Queries++
			}
		}
		out = append(out, group)
	}
	return out
}

// group is what the figures of the summary are over.
type group struct {
	feature, method string
	k               int
}

// summaryRows computes the figures of every feature, method, k and split.
func (p *Plan) summaryRows(queries []record.Query) []record.Summary {
	var order []group
	members := map[group][]record.Query{}
	for _, q := range queries {
		g := group{q.Feature, q.Method, q.TopK}
		if members[g] == nil {
			order = append(order, g)
		}
		members[g] = append(members[g], q)
	}
	truth := map[string]bool{}
	for _, im := range p.queries {
		truth[im.Name] = im.HasPose
	}
	var rows []record.Summary
	for _, g := range order {
		for _, split := range p.splits() {
			var outcomes []metrics.Outcome
			for _, q := range members[g] {
				if split.Holds(q.Split) {
					outcomes = append(outcomes, metrics.Outcome{Localized: q.Status == record.Localized, HasTruth: truth[q.Query],
						Error: geom.PoseError{Meters: q.TErrM, Degrees: q.RErrDeg}})
				}
			}
			for _, f := range metrics.Summarize(outcomes, p.scene.Thresholds) {
				rows = append(rows, record.Summary{Scene: p.scene.Name, Split: split.Name, Feature: g.feature, Method: g.method,
					TopK: g.k, Metric: f.Metric, Value: f.Value})
			}
		}
	}
	return rows
}
