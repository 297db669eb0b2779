package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"

	"locbench/bench/record"
	"locbench/kapture"
	"locbench/kapture/geom"
	"locbench/localize"
	"locbench/localize/match"
	"locbench/localize/robust"
	"locbench/localize/sfm"
)

const (
	matchesDir = "matches" // of verified matches, in the run directory
	mapDir     = "map"     // holds the kapture reconstruction that global-map used
	// mapNeighbors is how many mapping images each is matched with for the map,
	// of those within mapWithin.
	mapNeighbors = 20
)

var mapWithin = geom.Threshold{Meters: 25, Degrees: 45}

// matches reports whether a method of the run works on local features.
func (p *Plan) matches() bool { return slices.ContainsFunc(p.o.Methods, matching) }

// triangulates reports whether the run makes its own map.
func (p *Plan) triangulates() bool {
	return slices.Contains(p.o.Methods, "global-map") && p.o.Map == "" && p.scene.MapFiles() == nil
}

// matchStage matches and verifies every query with its retrieved images, for
// all features and the largest k at once, and the mapping images with those near
// them if a map is to be made.
func (p *Plan) matchStage() stage {
	pairs := 0
	s := stage{name: "match", cost: p.matchCost(), work: func() (int, string) { return pairs, "pairs" }}
	s.key = func(ctx context.Context) (string, error) {
		content, err := p.matchesOf(ctx)
		if err != nil {
			return "", err
		}
		pairs, err := p.matchPairs()
		if err != nil {
			return "", err
		}
		d := newDigest(content)
		for _, pair := range pairs {
			d.add(pair.Image1, pair.Image2)
		}
		return d.sum(), nil
	}
	s.run = func(ctx context.Context) ([]string, error) {
		todo, err := p.matchPairs()
		if err != nil {
			return nil, err
		}
		pairs = len(todo)
		return p.match(ctx, todo)
	}
	return s
}

// matchesOf is a hash of all that the matches of a pair depend on.
func (p *Plan) matchesOf(ctx context.Context) (string, error) {
	const version = "2"
	content, err := p.localHash(ctx)
	if err != nil {
		return "", err
	}
	return newDigest("match", version, content, p.backend.Name(), strconv.FormatUint(p.o.Seed, 10)).sum(), nil
}

// keepMatchesOf drops the matches of an earlier run that were made of other
// inputs; those of the same inputs stay, and are not made again.
func (p *Plan) keepMatchesOf(content string) error {
	marker, err := p.place(path.Join(stateDir, "matches.key"))
	if err != nil {
		return err
	}
	if old, err := os.ReadFile(marker); err == nil && string(old) == content && !p.o.Force {
		return nil
	}
	if err := os.RemoveAll(filepath.Join(p.o.Out, matchesDir)); err != nil {
		return err
	}
	return record.WriteFile(marker, func(w io.Writer) error {
		_, err := io.WriteString(w, content)
		return err
	})
}

// matchPairs are the pairs of images that the run matches, sorted.
func (p *Plan) matchPairs() ([]kapture.ImagePair, error) {
	var all kapture.Pairs
	for _, f := range p.features {
		retrieved, err := p.readRetrieved(f)
		if err != nil {
			return nil, err
		}
		for _, pairs := range retrieved {
			all = append(all, pairs...)
		}
	}
	if p.triangulates() {
		all = append(all, p.nearPairs()...)
	}
	return match.Pairs(all), nil
}

// nearPairs are the pairs of mapping images that the map is made of. They are
// looked for once: that takes all pairs of poses.
func (p *Plan) nearPairs() kapture.Pairs {
	if p.near != nil {
		return p.near
	}
	images := make([]*sfm.Image, len(p.mapping))
	for i, im := range p.mapping {
		images[i] = &sfm.Image{Name: im.Name, Pose: im.Pose}
	}
	p.near = sfm.Near(images, mapNeighbors, mapWithin)
	return p.near
}

// match matches pairs of images into the run directory, and returns the files.
func (p *Plan) match(ctx context.Context, pairs []kapture.ImagePair) ([]string, error) {
	content, err := p.matchesOf(ctx)
	if err != nil {
		return nil, err
	}
	if err := p.keepMatchesOf(content); err != nil {
		return nil, err
	}
	local, err := p.local.open(p.scene)
	if err != nil {
		return nil, err
	}
	defer local.Close()
	done, err := local.match(ctx, p.backend, pairs, MatchOptions{Verify: true, Out: filepath.Join(p.o.Out, matchesDir),
		Seed: p.o.Seed, Jobs: p.o.Jobs, Log: p.o.Log, Progress: p.o.Progress})
	if err != nil {
		return nil, err
	}
	p.o.Log.Info("pairs matched", "pairs", done.Pairs, "verified", done.Verified, "matched before", done.Skipped, "matches", done.Matches)
	var outputs []string
	for _, pair := range pairs {
		if local.has(pair.Image1) && local.has(pair.Image2) {
			outputs = append(outputs, matchFile(pair))
		}
	}
	return outputs, nil
}

func matchFile(p kapture.ImagePair) string {
	return path.Join(matchesDir, p.Image1+".overlapping", p.Image2+".matches")
}

// mapStage triangulates the map of the mapping images.
func (p *Plan) mapStage() stage {
	const version = "1"
	s := stage{name: "map", cost: p.mapCost(), work: func() (int, string) { return len(p.mapping), "images" }}
	s.key = func(ctx context.Context) (string, error) {
		matches, err := p.matchesHash(match.Pairs(p.nearPairs()))
		if err != nil {
			return "", err
		}
		content, err := p.localHash(ctx)
		if err != nil {
			return "", err
		}
		return newDigest("map", version, matches, content, imagesHash(p.mapping)).sum(), nil
	}
	s.run = p.triangulate
	return s
}

func (p *Plan) triangulate(ctx context.Context) ([]string, error) {
	use, err := p.openStructure(filepath.Join(p.o.Out, matchesDir))
	if err != nil {
		return nil, err
	}
	defer use.Close()
	pairs := slices.DeleteFunc(match.Pairs(p.nearPairs()), func(pair kapture.ImagePair) bool { return !use.has(pair.Image1) || !use.has(pair.Image2) })
	o := sfm.BuildDefaults()
	o.Jobs = p.o.Jobs
	built, err := sfm.Build(ctx, use.library, use.matches, pairs, o)
	if err != nil {
		return nil, err
	}
	p.o.Log.Info("map triangulated", "points", len(built.Map.Points), "views", built.Views, "rmse_px", fmt.Sprintf("%.2f", built.RMSEPx))
	return []string{path.Join(mapDir, "reconstruction/points3d.txt"), path.Join(mapDir, "reconstruction/observations.txt")},
		WriteMap(filepath.Join(p.o.Out, mapDir), built.Map, p.local.name)
}

// WriteMap writes a map as reconstruction/points3d.txt and observations.txt below
// a folder.
func WriteMap(dir string, m *sfm.Map, keypointsType string) error {
	points, seen := m.Kapture(keypointsType)
	if err := points.Write(dir); err != nil {
		return fmt.Errorf("write map: %w", err)
	}
	return seen.Write(dir)
}

// matchesHash is a hash of the files of matches.
func (p *Plan) matchesHash(pairs []kapture.ImagePair) (string, error) {
	d := newDigest("matches")
	for _, pair := range pairs {
		sum, err := p.run.hashes.file(filepath.Join(p.o.Out, matchFile(pair)))
		if errors.Is(err, os.ErrNotExist) {
			sum = "none"
		} else if err != nil {
			return "", err
		}
		d.add(pair.Image1, pair.Image2, sum)
	}
	return d.sum(), nil
}

// structureHash is a hash of what a method on local features reads besides
// poses and pairs.
func (p *Plan) structureHash(ctx context.Context, f *feature, method string) (string, error) {
	retrieved, err := p.readRetrieved(f)
	if err != nil {
		return "", err
	}
	matches, err := p.matchesHash(match.Pairs(slices.Concat(retrieved...)))
	if err != nil {
		return "", err
	}
	content, err := p.localHash(ctx)
	if err != nil {
		return "", err
	}
	d := newDigest(matches, content, strconv.FormatUint(p.o.Seed, 10), strconv.FormatBool(p.o.Fallback))
	if joins(method) {
		d.add(p.rigsHash())
	}
	d.add("rerank", p.o.Rerank)
	if method == "global-map" {
		d.add("weighed", p.o.Duplicates)
		points, err := p.run.hashes.files(ctx, p.mapFiles())
		if err != nil {
			return "", err
		}
		d.add(points)
	}
	return d.sum(), nil
}

// mapFiles are the points and observations of global-map.
func (p *Plan) mapFiles() []string {
	dir := filepath.Join(p.o.Out, mapDir)
	if p.o.Map != "" {
		dir = p.o.Map
	} else if files := p.scene.MapFiles(); files != nil {
		return files
	}
	return []string{filepath.Join(dir, "reconstruction", "points3d.txt"), filepath.Join(dir, "reconstruction", "observations.txt")}
}

// structure is what methods on local features work on.
type structure struct {
	*openLocal
	matches *kapture.Matches
}

// openStructure opens the local features and a folder of matches.
func (p *Plan) openStructure(matchesDir string) (*structure, error) {
	local, err := p.local.open(p.scene)
	if err != nil {
		return nil, err
	}
	matches, err := kapture.OpenMatches(matchesDir)
	if err != nil {
		return nil, errors.Join(err, local.Close())
	}
	return &structure{local, matches}, nil
}

// there are the pairs that have matches.
func (s *structure) there() map[kapture.ImagePair]bool {
	out := map[kapture.ImagePair]bool{}
	for _, pair := range s.matches.Pairs() {
		out[pair] = true
	}
	return out
}

func (s *structure) Close() error { return errors.Join(s.matches.Close(), s.openLocal.Close()) }

// localizer returns a method on local features. getMap is asked for the map if
// the method needs one.
func (s *structure) localizer(method string, choice Options, getMap func() (*sfm.Map, error)) (localize.Localizer, error) {
	data := sfm.Data{Images: s.library, Matches: s.matches, Rerank: sfm.Rerank(choice.Rerank)}
	o := robust.AbsoluteDefaults()
	o.Seed = choice.Seed
	switch method {
	case "local-sfm":
		return &sfm.Published{Data: data, Options: o}, nil
	case "local-sfm+":
		return &sfm.Refined{Data: data, Options: o, Points: sfm.RefinedPoints()}, nil
	}
	m, err := getMap()
	if err != nil {
		return nil, err
	}
	if err := m.Weigh(s.library.Posed()); err != nil {
		return nil, err
	}
	return &sfm.Global{Data: data, Map: m, Options: o, Duplicates: sfm.Duplicates(choice.Duplicates)}, nil
}

// readMap reads the map that was asked for, the scene's own, or that of the run.
func (p *Plan) readMap() (*sfm.Map, error) {
	if p.o.Map != "" {
		return openMap(p.o.Map, p.local.name)
	}
	if p.scene.MapFiles() != nil {
		points, seen, err := p.scene.Map()
		if err != nil {
			return nil, err
		}
		return sfm.MapOf(points, seen, p.local.name, p.scene.MapFiles()[1])
	}
	return openMap(filepath.Join(p.o.Out, mapDir), p.local.name)
}

// openMap reads a map that lies below a folder as reconstruction/points3d.txt and
// observations.txt.
func openMap(dir, keypointsType string) (*sfm.Map, error) {
	points, seen, err := kapture.ReadReconstruction(dir)
	if err != nil {
		return nil, err
	}
	return sfm.MapOf(points, seen, keypointsType, filepath.Join(dir, "reconstruction", "observations.txt"))
}

// fallBack gives failed queries the pose of their first neighbour, marked.
// Results are by k, then by query.
func fallBack(queries []localize.Query, results [][]localize.Result) {
	for _, found := range results {
		for i := range found {
			if r := &found[i]; !r.OK && len(queries[i].Neighbors) > 0 {
				r.OK, r.Fallback, r.Pose = true, true, queries[i].Neighbors[0].Pose
			}
		}
	}
}

// diagnosticsPath is the file that says of each query how it went.
func diagnosticsPath(f *feature, method string) string {
	return path.Join("diagnostics", f.name, method+".csv")
}

// writeDiagnostics writes a line a query and k to a file of the run directory.
func (p *Plan) writeDiagnostics(name string, results [][]localize.Result) error {
	var rows []record.Diagnostic
	for ki, k := range p.topk {
		for qi, im := range p.queries {
			r := results[ki][qi]
			row := record.Diagnostic{Query: im.Name, TopK: k.K, Matches: r.Matches, Correspondences: r.Correspondences, Inliers: r.Inliers,
				RMSEPx: nan, FocalPx: nan, Reason: r.Why}
			if r.OK && !r.Fallback {
				row.RMSEPx = r.RMSEPx
			}
			if r.Focal > 0 {
				row.FocalPx = r.Focal
			}
			rows = append(rows, row)
		}
	}
	file, err := p.place(name)
	if err != nil {
		return err
	}
	return record.WriteDiagnostics(file, rows)
}
