package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"

	"locbench/bench/record"
	"locbench/kapture"
	"locbench/localize/match"
	"locbench/scenes"
)

// What a report draws of matches: of each query and feature, the retrieved
// images with most matches, of those ranked first.
const (
	viewRanks  = 20
	viewImages = 2
	viewLines  = 40
)

// camerasStage writes where all images were taken, for reports that do not see
// the scene.
func (p *Plan) camerasStage() stage {
	const version = "1"
	s := stage{name: "cameras", work: p.allImages}
	s.key = func(context.Context) (string, error) {
		d := newDigest("cameras", version)
		for _, c := range p.cameras() {
			d.add(fmt.Sprint(c))
		}
		return d.sum(), nil
	}
	s.run = func(context.Context) ([]string, error) {
		return []string{record.CamerasFile}, writeRows(p, record.CamerasFile, p.cameras(), record.WriteCameras)
	}
	return s
}

// viewsStage writes some matches of every query, for reports.
func (p *Plan) viewsStage() stage {
	const version = "1"
	s := stage{name: "views", work: p.allQueries}
	s.key = func(ctx context.Context) (string, error) {
		content, err := p.localHash(ctx)
		if err != nil {
			return "", err
		}
		pairs, err := p.matchPairs()
		if err != nil {
			return "", err
		}
		matches, err := p.matchesHash(pairs)
		if err != nil {
			return "", err
		}
		d := newDigest("views", version, content, matches)
		for _, f := range p.features {
			sum, err := p.run.hashes.file(filepath.Join(p.o.Out, pairsPath(f)))
			if err != nil {
				return "", err
			}
			d.add(sum)
		}
		return d.sum(), nil
	}
	s.run = func(ctx context.Context) ([]string, error) {
		rows, err := p.viewMatches(ctx)
		if err != nil {
			return nil, err
		}
		return []string{record.ViewMatchesFile}, writeRows(p, record.ViewMatchesFile, rows, record.WriteViewMatches)
	}
	return s
}

// cameras lists the mapping images with a pose, then the queries.
func (p *Plan) cameras() []record.Camera {
	var out []record.Camera
	add := func(im scenes.Image, role string) {
		c := record.Camera{Image: im.Name, Role: role, File: p.fileInScene(im)}
		if sensor, ok := p.scene.Sensor(im); ok {
			if params, err := sensor.Camera(); err == nil {
				c.Width, c.Height = params.Width, params.Height
			}
		}
		r, t := im.Pose.R, im.Pose.T
		c.Pose = [7]float64{r.Real, r.Imag, r.Jmag, r.Kmag, t.X, t.Y, t.Z}
		if !im.HasPose {
			c.Pose = [7]float64{nan, nan, nan, nan, nan, nan, nan}
		}
		out = append(out, c)
	}
	for _, im := range p.mapping {
		add(im, record.MappingRole)
	}
	for _, im := range p.queries {
		add(im, record.QueryRole)
	}
	return out
}

// fileInScene is the path of an image, relative to the scene if it lies there,
// so that the run's files do not depend on where the scene is.
func (p *Plan) fileInScene(im scenes.Image) string {
	if rel, err := filepath.Rel(p.scene.Dir, im.File); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return im.File
}

// viewMatches picks the matches of every query, in the order of the queries.
func (p *Plan) viewMatches(ctx context.Context) ([]record.ViewMatch, error) {
	use, err := p.openStructure(filepath.Join(p.o.Out, matchesDir))
	if err != nil {
		return nil, err
	}
	defer use.Close()
	there := use.there()
	retrieved := make([][]kapture.Pairs, len(p.features))
	for i, f := range p.features {
		if retrieved[i], err = p.readRetrieved(f); err != nil {
			return nil, err
		}
	}
	rows := make([][]record.ViewMatch, len(p.queries))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(p.o.Jobs)
	for q := range p.queries {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			v := queryViews{use: use, there: there, read: map[kapture.ImagePair][]kapture.Match{}}
			for _, ranked := range retrieved {
				if err := v.add(ranked[q]); err != nil {
					return fmt.Errorf("query %s: %w", p.queries[q].Name, err)
				}
			}
			rows[q] = v.rows
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(rows...), nil
}

// queryViews picks the matches of one query.
type queryViews struct {
	use   *structure
	there map[kapture.ImagePair]bool
	read  map[kapture.ImagePair][]kapture.Match
	rows  []record.ViewMatch
}

// add picks those with the most matches of a query's retrieved images.
func (v *queryViews) add(ranked kapture.Pairs) error {
	type candidate struct {
		pair  kapture.Pair
		match kapture.ImagePair
	}
	var found []candidate
	for _, pair := range ranked[:min(len(ranked), viewRanks)] {
		for _, key := range match.Pairs(kapture.Pairs{pair}) {
			if !v.there[key] {
				continue
			}
			if _, known := v.read[key]; !known {
				ms, err := v.use.matches.Read(key.Image1, key.Image2)
				if err != nil {
					return err
				}
				v.read[key] = ms
			}
			if len(v.read[key]) > 0 {
				found = append(found, candidate{pair, key})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(len(v.read[b.match]), len(v.read[a.match])) })
	for _, c := range found[:min(len(found), viewImages)] {
		if slices.ContainsFunc(v.rows, func(r record.ViewMatch) bool { return r.Image == c.pair.Map }) {
			continue
		}
		row, err := v.row(c.pair, c.match)
		if err != nil {
			return err
		}
		v.rows = append(v.rows, row)
	}
	return nil
}

// row has matches evenly from all of the file's, so that the lines are spread
// as the matches are.
func (v *queryViews) row(pair kapture.Pair, key kapture.ImagePair) (record.ViewMatch, error) {
	ms := v.read[key]
	query, err1 := v.use.library.Image(pair.Query)
	image, err2 := v.use.library.Image(pair.Map)
	if err := errors.Join(err1, err2); err != nil {
		return record.ViewMatch{}, err
	}
	row := record.ViewMatch{Query: pair.Query, Image: pair.Map, Matches: len(ms)}
	n := min(len(ms), viewLines)
	for i := range n {
		m := ms[i*len(ms)/n]
		a, b := m.Keypoint1, m.Keypoint2
		if key.Image1 != pair.Query {
			a, b = b, a
		}
		if a < 0 || a >= len(query.Keypoints) || b < 0 || b >= len(image.Keypoints) {
			return row, fmt.Errorf("match %s – %s: want keypoints below %d and %d, found %d and %d", pair.Query, pair.Map, len(query.Keypoints), len(image.Keypoints), a, b)
		}
		from, to := query.Keypoints[a], image.Keypoints[b]
		if s := from[0] + from[1] + to[0] + to[1]; s-s != 0 {
			continue // a keypoint that is no place
		}
		row.Lines = append(row.Lines, [4]int{pixel(from[0]), pixel(from[1]), pixel(to[0]), pixel(to[1])})
	}
	return row, nil
}

func pixel(v float64) int { return int(math.Round(v)) }
