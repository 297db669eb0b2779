package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"

	"locbench/bench/record"
	"locbench/kapture"
	"locbench/retrieval"
)

// pairsPath is where the retrieval of a feature lands in the run directory.
func pairsPath(f *feature) string { return path.Join("pairs", f.name+".txt") }

// retrieveStage ranks the mapping images for every query, up to the largest k.
func (p *Plan) retrieveStage(f *feature) stage {
	const version = "1"
	s := stage{name: "retrieve " + f.name, feature: f.name, feeds: true, cost: p.retrieveCost(f), work: p.allQueries}
	s.key = func(ctx context.Context) (string, error) {
		content, err := p.contentHash(ctx, f)
		if err != nil {
			return "", err
		}
		d := newDigest("retrieve", version, content, p.backend.Name(), strconv.Itoa(p.maxK()))
		d.add(names(p.queries)...)
		d.add("mapping")
		d.add(names(p.mapping)...)
		return d.sum(), nil
	}
	s.run = func(ctx context.Context) ([]string, error) {
		pairs, err := p.pairsOf(ctx, f)
		if err != nil {
			return nil, err
		}
		path, err := p.place(pairsPath(f))
		if err != nil {
			return nil, err
		}
		return []string{pairsPath(f)}, record.WriteFile(path, func(w io.Writer) error {
			_, err := pairs.WriteTo(w)
			return err
		})
	}
	return s
}

func (p *Plan) pairsOf(ctx context.Context, f *feature) (kapture.Pairs, error) {
	switch f.kind {
	case kindPairs:
		return p.readPairs(f, p.maxK())
	case kindOracle:
		return p.oraclePairs(f)
	}
	s, err := p.load(ctx, f)
	if err != nil {
		return nil, err
	}
	// One more than needed: a query that is a mapping image too is left out of its own matches.
	hits, err := retrieval.TopK(ctx, p.backend, s.queries, s.mapping, p.maxK()+1)
	if err != nil {
		return nil, err
	}
	return retrieval.Pairs(hits, s.queries, s.mapping, p.maxK()), nil
}

// readPairs reads a pairs file, checks its names against the scene and brings
// it into the order of the run's own files: queries by name, best first, at
// most k each.
func (p *Plan) readPairs(f *feature, k int) (kapture.Pairs, error) {
	file, err := os.Open(f.file)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	pairs, err := kapture.ReadPairs(file, f.file)
	if err != nil {
		return nil, err
	}
	if pairs, err = p.checkPairs(f, pairs); err != nil {
		return nil, err
	}
	var out kapture.Pairs
	for _, ranked := range byQuery(p.queries, pairs) {
		out = append(out, ranked[:min(len(ranked), k)]...)
	}
	return out, nil
}

// readRetrieved reads what the retrieve stage wrote: for each query of the
// scene, in order, its ranked mapping images.
func (p *Plan) readRetrieved(f *feature) ([]kapture.Pairs, error) {
	name := filepath.Join(p.o.Out, pairsPath(f))
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read retrieved images: %w", err)
	}
	defer file.Close()
	pairs, err := kapture.ReadPairs(file, name)
	if err != nil {
		return nil, err
	}
	return byQuery(p.queries, pairs), nil
}
