package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"locbench/bench/record"
	"locbench/kapture"
	"locbench/localize"
	"locbench/localize/match"
	"locbench/localize/sfm"
	"locbench/retrieval/backend"
	"locbench/scenes"
)

// The files that LocalizeQueries writes beside the kapture dataset of poses.
const (
	onePoses       = "submission.txt"
	oneQueries     = "queries.csv"
	oneDiagnostics = "diagnostics.csv"
)

// LocalizeOptions say how the queries of a scene are localized by one method.
type LocalizeOptions struct {
	// Options that count: Out, Features (of bdi: one), CSIAlpha, LocalFeatures,
	// Map, Rerank, Duplicates,
	// Fallback, Alone, Seed, Backend, Jobs, Log, Progress.
	Options
	Method  string
	Pairs   string // a kapture pairs file: the retrieved images
	TopK    int    // how many of them; 0: all
	Matches string // verified matches of methods on local features; "": made in Out
}

// Localization is the outcome of LocalizeQueries.
type Localization struct {
	Queries, Localized int
	TopK               int
	// Summary holds the figures of every split.
	Summary []record.Summary
}

// LocalizeQueries localizes the queries of a scene by one method and writes a
// kapture dataset of those that were, with submission.txt, queries.csv and, for
// methods on local features, diagnostics.csv beside its sensors.
func LocalizeQueries(ctx context.Context, scene *scenes.Scene, o LocalizeOptions) (Localization, error) {
	p, f, err := onePlan(scene, o)
	if err != nil {
		return Localization{}, err
	}
	if p.backend, err = backend.Open(o.Backend); err != nil {
		return Localization{}, err
	}
	defer p.backend.Close()
	p.backend.Jobs = p.o.Jobs
	p.announce()
	k := p.maxK()
	if o.Rerank != "" && o.Rerank != string(sfm.RerankNone) {
		k = len(p.mapping) // the first ones of another order may be any
	}
	pairs, err := p.readPairs(&feature{name: f.name, kind: kindPairs, file: o.Pairs}, k)
	if err != nil {
		return Localization{}, err
	}
	queries, err := p.localizeQueries(ctx, f, o.Method, byQuery(p.queries, pairs))
	if err != nil {
		return Localization{}, err
	}
	l, closeFiles, err := p.oneLocalizer(ctx, o, pairs)
	if err != nil {
		return Localization{}, err
	}
	defer closeFiles()
	results, err := p.solve(ctx, o.Method, l, queries)
	if err != nil {
		return Localization{}, err
	}
	if p.o.Fallback && matching(o.Method) {
		fallBack(queries, results)
	}
	return p.writeOne(f, o.Method, results)
}

// onePlan is the plan of one method and the feature that stands for its pairs.
func onePlan(scene *scenes.Scene, o LocalizeOptions) (*Plan, *feature, error) {
	use := o.Options
	use.Methods, use.matched = []string{o.Method}, o.Matches != ""
	if o.Method == "" {
		return nil, nil, usagef("want a method of %s, found none", strings.Join(Methods, ", "))
	}
	if o.TopK < 0 {
		return nil, nil, usagef("want top k of at least 1, found %d", o.TopK)
	}
	if o.Method == "bdi" {
		if use.Pairs = nil; len(use.Features) != 1 {
			return nil, nil, usagef("want one global feature for bdi, found %d", len(use.Features))
		}
	} else {
		if len(use.Features) > 0 {
			return nil, nil, usagef("want a global feature for bdi only, found one for %s", o.Method)
		}
		use.Pairs = []PairsFile{{Name: strings.TrimSuffix(filepath.Base(o.Pairs), filepath.Ext(o.Pairs)), File: o.Pairs}}
	}
	k := o.TopK
	if k == 0 {
		most, err := longest(o.Pairs)
		if err != nil {
			return nil, nil, err
		}
		k = most
	}
	use.TopK = []int{k}
	p, err := NewPlan(scene, use)
	if err != nil {
		return nil, nil, err
	}
	return p, p.features[0], nil
}

// longest is how many images the best served query has in a pairs file, at
// least 1.
func longest(file string) (int, error) {
	in, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	pairs, err := kapture.ReadPairs(in, file)
	if err != nil {
		return 0, err
	}
	counts, most := map[string]int{}, 1
	for _, pair := range pairs {
		counts[pair.Query]++
		most = max(most, counts[pair.Query])
	}
	return most, nil
}

// oneLocalizer returns the method, and what closes the files that it reads.
// Matches are made first if none are given.
func (p *Plan) oneLocalizer(ctx context.Context, o LocalizeOptions, pairs kapture.Pairs) (localize.Localizer, func() error, error) {
	if !matching(o.Method) {
		return p.localizer(o.Method)
	}
	// Before the matching, which takes long.
	var known *sfm.Map
	if o.Method == "global-map" {
		if p.triangulates() {
			return nil, nil, usagef("want a map for global-map, found none in the scene: locbench map makes one")
		}
		var err error
		if known, err = p.readMap(); err != nil {
			return nil, nil, err
		}
	}
	if o.Matches == "" {
		o.Matches = filepath.Join(p.o.Out, matchesDir)
		if _, err := p.match(ctx, match.Pairs(pairs)); err != nil {
			return nil, nil, err
		}
	}
	use, err := p.openStructure(o.Matches)
	if err != nil {
		return nil, nil, err
	}
	if n := use.lack(pairs); n > 0 {
		p.o.Log.Warn(fmt.Sprintf("%d of %d pairs have no matches in %s", n, len(pairs), o.Matches))
	}
	l, err := use.localizer(o.Method, p.o, func() (*sfm.Map, error) { return known, nil })
	if err != nil {
		return nil, nil, errors.Join(err, use.Close())
	}
	return l, use.Close, nil
}

// lack counts the pairs that are not in the folder of matches.
func (s *structure) lack(pairs kapture.Pairs) int {
	there := s.there()
	n := 0
	for _, p := range match.Pairs(pairs) {
		if !there[p] {
			n++
		}
	}
	return n
}

// writeOne writes what LocalizeQueries promises and sums it up.
func (p *Plan) writeOne(f *feature, method string, results [][]localize.Result) (Localization, error) {
	done := Localization{Queries: len(p.queries), TopK: p.topk[0].K}
	if err := p.poses(results[0]).Write(p.o.Out); err != nil {
		return done, fmt.Errorf("write poses: %w", err)
	}
	if p.style != "" {
		if _, err := p.writeSubmission(onePoses, results[0]); err != nil {
			return done, err
		}
	}
	rows := make([]record.Query, len(p.queries))
	for i, im := range p.queries {
		rows[i] = p.queryRow(f, method, done.TopK, im, results[0][i])
		if results[0][i].OK {
			done.Localized++
		}
	}
	file, err := p.place(oneQueries)
	if err != nil {
		return done, err
	}
	if err := record.WriteQueries(file, rows); err != nil {
		return done, err
	}
	if matching(method) {
		if err := p.writeDiagnostics(oneDiagnostics, results); err != nil {
			return done, err
		}
	}
	done.Summary = p.summaryRows(rows)
	return done, nil
}
