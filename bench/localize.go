package bench

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	"locbench/bench/record"
	"locbench/kapture"
	"locbench/kapture/geom"
	"locbench/localize"
	"locbench/retrieval"
	"locbench/scenes"
)

// rowsPath holds the rows of queries.csv that one localize stage makes, until
// the evaluation gathers them.
func rowsPath(f *feature, method string) string {
	return path.Join(stateDir, "rows", f.name, method+".csv")
}

// localizeStage estimates the pose of every query by one method, for every k.
func (p *Plan) localizeStage(f *feature, method string) stage {
	const version = "1"
	s := stage{name: "localize " + f.name + " " + method, feature: f.name, cost: p.localizeCost(f, method), work: p.allQueries}
	s.key = func(ctx context.Context) (string, error) {
		pairs, err := p.run.hashes.file(filepath.Join(p.o.Out, pairsPath(f)))
		if err != nil {
			return "", err
		}
		d := newDigest("localize", version, method, pairs, p.scene.Name, string(p.scene.Submission),
			imagesHash(p.queries), imagesHash(p.mapping), p.sensorsHash())
		if method == "csi" {
			d.add(strconv.FormatFloat(p.o.CSIAlpha, 'g', -1, 64))
		}
		if method == "bdi" {
			content, err := p.contentHash(ctx, f)
			if err != nil {
				return "", err
			}
			d.add(content)
		}
		if matching(method) {
			content, err := p.structureHash(ctx, f, method)
			if err != nil {
				return "", err
			}
			d.add(content)
		}
		for _, k := range p.topk {
			d.add(strconv.Itoa(k.K))
		}
		d.add(f.queriesLack...)
		return d.sum(), nil
	}
	s.run = func(ctx context.Context) ([]string, error) { return p.localize(ctx, f, method) }
	return s
}

// localizer returns a method, and what closes the files that it reads.
func (p *Plan) localizer(method string) (localize.Localizer, func() error, error) {
	nothing := func() error { return nil }
	switch {
	case method == "bdi":
		return localize.BDI{}, nothing, nil
	case method == "csi":
		return localize.CSI{Alpha: p.o.CSIAlpha}, nothing, nil
	case matching(method):
		use, err := p.openStructure(filepath.Join(p.o.Out, matchesDir))
		if err != nil {
			return nil, nil, err
		}
		l, err := use.localizer(method, p.o, p.readMap)
		if err != nil {
			return nil, nil, errors.Join(err, use.Close())
		}
		return l, use.Close, nil
	}
	return localize.EWB{}, nothing, nil
}

func (p *Plan) localize(ctx context.Context, f *feature, method string) ([]string, error) {
	retrieved, err := p.readRetrieved(f)
	if err != nil {
		return nil, err
	}
	queries, err := p.localizeQueries(ctx, f, method, retrieved)
	if err != nil {
		return nil, err
	}
	l, closeFiles, err := p.localizer(method)
	if err != nil {
		return nil, err
	}
	defer closeFiles()
	results, err := p.solve(ctx, f.name+" "+method, l, queries)
	if err != nil {
		return nil, err
	}
	if p.o.Fallback && matching(method) {
		fallBack(queries, results)
	}
	outputs, err := p.writeLocalized(f, method, results)
	if err != nil || !matching(method) {
		return outputs, err
	}
	diagnostics := diagnosticsPath(f, method)
	return append(outputs, diagnostics), p.writeDiagnostics(diagnostics, results)
}

// solve localizes the queries for every k: results by k, then by query. what names
// the work in the progress.
func (p *Plan) solve(ctx context.Context, what string, l localize.Localizer, queries []localize.Query) ([][]localize.Result, error) {
	p.o.Progress.Start("localize "+what, len(queries))
	defer p.o.Progress.Done()
	results := make([][]localize.Result, len(p.topk))
	ks := make([]int, len(p.topk))
	for i, k := range p.topk {
		results[i], ks[i] = make([]localize.Result, len(queries)), k.K
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(p.o.Jobs)
	for _, t := range p.together(l) {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := t.localize(ctx, l, queries, ks, results); err != nil {
				return fmt.Errorf("query %s: %w", queries[t.queries[0]].Name, err)
			}
			p.o.Progress.Add(len(t.queries))
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return results, nil
}

// localizeQueries joins each query with the poses of its retrieved images and,
// for BDI, with the descriptors.
func (p *Plan) localizeQueries(ctx context.Context, f *feature, method string, retrieved []kapture.Pairs) ([]localize.Query, error) {
	var err error
	var descriptors *stacks
	if method == "bdi" {
		if descriptors, err = p.load(ctx, f); err != nil {
			return nil, err
		}
	}
	queries := make([]localize.Query, len(p.queries))
	for i, im := range p.queries {
		q := localize.Query{Name: im.Name, Neighbors: make([]localize.Neighbor, len(retrieved[i]))}
		for j, pair := range retrieved[i] {
			at, ok := findImage(p.mapping, pair.Map)
			if !ok {
				return nil, &kapture.InputError{Path: filepath.Join(p.o.Out, pairsPath(f)), Msg: "want mapping images with a pose, found " + pair.Map}
			}
			q.Neighbors[j] = localize.Neighbor{Name: pair.Map, Pose: p.mapping[at].Pose, Score: pair.Score}
			if descriptors != nil {
				q.Neighbors[j].Descriptor = row(descriptors.mapping, pair.Map)
			}
		}
		if descriptors != nil {
			q.Descriptor = row(descriptors.queries, im.Name)
		}
		queries[i] = q
	}
	return queries, nil
}

// writeLocalized writes the poses and the submission of every k, and the rows
// for the evaluation.
func (p *Plan) writeLocalized(f *feature, method string, results [][]localize.Result) ([]string, error) {
	var outputs []string
	var rows []record.Query
	for ki, k := range p.topk {
		name := method + "_top" + strconv.Itoa(k.K)
		paths, err := p.writePoses(path.Join("poses", f.name, name), results[ki])
		if err != nil {
			return nil, err
		}
		outputs = append(outputs, paths...)
		if p.style != "" {
			submission, err := p.writeSubmission(path.Join("submission", f.name, name+".txt"), results[ki])
			if err != nil {
				return nil, err
			}
			outputs = append(outputs, submission)
		}
		for qi, im := range p.queries {
			rows = append(rows, p.queryRow(f, method, k.K, im, results[ki][qi]))
		}
	}
	p.warnEmptySplits(f, method, results)
	path, err := p.place(rowsPath(f, method))
	if err != nil {
		return nil, err
	}
	return append(outputs, rowsPath(f, method)), record.WriteQueries(path, rows)
}

func (p *Plan) queryRow(f *feature, method string, k int, im scenes.Image, r localize.Result) record.Query {
	row := record.Query{
		Scene: p.scene.Name, Split: splitOf(im), Query: im.Name, Feature: f.name, Method: method, TopK: k,
		Status: record.Failed, TErrM: nan, RErrDeg: nan, Inliers: -1, Correspondences: -1, Reason: r.Why,
	}
	if _, lacks := slices.BinarySearch(f.queriesLack, im.Name); lacks {
		row.Status, row.Reason = record.Skipped, "no global feature "+f.name
	}
	err := geom.Failed()
	if r.OK {
		row.Status, row.Reason = record.Localized, ""
		if r.Fallback {
			row.Reason = "pose of the first retrieved image: " + r.Why
		}
		err = geom.Error(r.Pose, im.Pose)
	}
	if matching(method) && row.Status != record.Skipped {
		row.Inliers, row.Correspondences = r.Inliers, r.Correspondences
	}
	if im.HasPose {
		row.TErrM, row.RErrDeg = err.Meters, err.Degrees
	}
	return row
}

// row returns the descriptor of an image, nil if it has none.
func row(d *retrieval.Descriptors, name string) []float32 {
	if i, ok := slices.BinarySearch(d.Names, name); ok {
		return d.Data[i*d.Dim : (i+1)*d.Dim]
	}
	return nil
}
