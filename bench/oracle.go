package bench

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"locbench/bench/record"
	"locbench/kapture"
	"locbench/kapture/geom"
	"locbench/scenes"
)

// The oracles: retrieval that knows the truth, as the upper bound of what
// retrieval can do for localization.
const (
	oraclePose    = "oracle-pose"         // the mapping images that are nearest by pose
	oracleVisible = "oracle-covisibility" // those that see most of the same points
)

// oracleReach makes metres and degrees one number, as the pairs of the map have it.
var oracleReach = mapWithin

// addOracles adds them as features.
func (p *Plan) addOracles() error {
	if !p.knowsTruth() {
		return usagef("want queries with known poses for oracle retrieval, found none of %d", len(p.queries))
	}
	seen, err := p.coVisibility()
	if err != nil {
		return err
	}
	add := func(name, from string, knows func(im scenes.Image) bool) error {
		f := &feature{name: name, kind: kindOracle, from: from}
		for _, im := range p.queries {
			if !knows(im) {
				f.queriesLack = append(f.queriesLack, im.Name)
			}
		}
		if n := len(f.queriesLack); n > 0 {
			p.warn("%d queries are skipped by %s, which does not know them: %s", n, name, firstFew(f.queriesLack))
		}
		return p.addFeature(f)
	}
	if err := add(oraclePose, "the true poses", func(im scenes.Image) bool { return im.HasPose }); err != nil {
		return err
	}
	if seen == nil {
		p.leftOut = append(p.leftOut, record.LeftOut{Kind: "feature", Name: oracleVisible, Reason: "the scene does not say which points its queries see"})
		return nil
	}
	return add(oracleVisible, "the points that are seen", func(im scenes.Image) bool { return im.HasPose && seen.Sees(im.Name) > 0 })
}

// oracleHash is a hash of the truth.
func (p *Plan) oracleHash(ctx context.Context) (string, error) {
	seen, err := p.coVisibilityHash(ctx)
	return newDigest("oracle", imagesHash(p.queries), imagesHash(p.mapping), seen).sum(), err
}

// oraclePairs ranks the mapping images by the truth.
func (p *Plan) oraclePairs(f *feature) (kapture.Pairs, error) {
	seen, err := p.coVisibility()
	if err != nil {
		return nil, err
	}
	var out kapture.Pairs
	for _, im := range p.queries {
		if _, lacks := slices.BinarySearch(f.queriesLack, im.Name); lacks {
			continue
		}
		var ranked kapture.Pairs
		if f.name == oracleVisible {
			ranked = seen.Ranked(im.Name, func(name string) bool { _, ok := findImage(p.mapping, name); return ok })
		} else {
			ranked = p.byPose(im)
		}
		out = append(out, ranked[:min(len(ranked), p.maxK())]...)
	}
	return out, nil
}

// byPose ranks the mapping images by their distance d and angle a to a query:
// the score is 1/(1 + d/25 m + a/45°).
func (p *Plan) byPose(query scenes.Image) kapture.Pairs {
	var ranked kapture.Pairs
	for _, im := range p.mapping {
		if im.Name == query.Name {
			continue
		}
		e := geom.Error(im.Pose, query.Pose)
		ranked = append(ranked, kapture.Pair{Query: query.Name, Map: im.Name, Score: 1 / (1 + e.Meters/oracleReach.Meters + e.Degrees/oracleReach.Degrees)})
	}
	slices.SortFunc(ranked, func(a, b kapture.Pair) int {
		return cmp.Or(-cmp.Compare(a.Score, b.Score), strings.Compare(a.Map, b.Map))
	})
	return ranked
}
