package bench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"

	"locbench/kapture"
	"locbench/localize/match"
	"locbench/localize/sfm"
	"locbench/retrieval/backend"
	"locbench/scenes"
)

// MatchOptions say how pairs of images are matched.
type MatchOptions struct {
	LocalFeatures string        // type of keypoints; "": the only one of the scene
	Mutual        match.Options // tests of the nearest neighbours
	Verify        bool          // keep the matches that agree with one relative pose
	Out           string        // folder of the matches; pairs that are there are left alone
	Seed          uint64

	Backend  string
	Jobs     int
	Log      *slog.Logger
	Progress Progress
}

// Matched counts what a matching did.
type Matched struct {
	Pairs    int   // asked for
	Skipped  int   // that were there already
	Lacking  int   // of images without local features
	Verified int   // with matches that agree
	Matches  int64 // written
}

// MatchPairs matches the local features of pairs of a scene's images and writes
// them as kapture matches.
func MatchPairs(ctx context.Context, scene *scenes.Scene, pairs kapture.Pairs, o MatchOptions) (Matched, error) {
	filled, err := Options{Out: o.Out, Jobs: o.Jobs, Log: o.Log, Progress: o.Progress}.checked()
	if err != nil {
		return Matched{}, err
	}
	o.Jobs, o.Log, o.Progress = filled.Jobs, filled.Log, filled.Progress
	features, why, err := findLocal(scene, o.LocalFeatures, true)
	if err != nil {
		return Matched{}, err
	}
	if features == nil {
		return Matched{}, usagef("want local features to match: %s", why)
	}
	local, err := features.open(scene)
	if err != nil {
		return Matched{}, err
	}
	defer local.Close()
	b, err := backend.Open(o.Backend)
	if err != nil {
		return Matched{}, err
	}
	defer b.Close()
	return local.match(ctx, b, match.Pairs(pairs), o)
}

// match matches the pairs that are not there yet.
func (l *openLocal) match(ctx context.Context, b *backend.Backend, pairs []kapture.ImagePair, o MatchOptions) (Matched, error) {
	done := Matched{Pairs: len(pairs)}
	there, err := wholeMatches(o.Out)
	if err != nil {
		return done, err
	}
	var todo []kapture.ImagePair
	for _, p := range pairs {
		switch {
		case there[p]:
			done.Skipped++
		case !l.has(p.Image1) || !l.has(p.Image2):
			done.Lacking++
		default:
			todo = append(todo, p)
		}
	}
	if done.Lacking > 0 {
		o.Log.Warn(fmt.Sprintf("%d of %d pairs are not matched: an image has no local features %s", done.Lacking, done.Pairs, l.name))
	}
	if len(todo) == 0 {
		return done, nil
	}
	w, err := kapture.CreateMatches(o.Out)
	if err != nil {
		return done, err
	}
	defer w.Discard()
	o.Progress.Start("match", len(todo))
	defer o.Progress.Done()
	// One level of workers: over pairs, or inside the products of a single one.
	jobs := b.Jobs
	defer func() { b.Jobs = jobs }()
	b.Jobs = max(1, o.Jobs/len(todo))
	var verified, matches atomic.Int64
	v := match.NewVerifier(o.Seed)
	sweep := match.Sweep{Backend: b, Descriptors: l.descriptors, Options: o.Mutual, Jobs: o.Jobs, Take: func(pair kapture.ImagePair, ms []kapture.Match) error {
		if o.Verify {
			kept, err := l.verify(v, pair, ms)
			if err != nil {
				return err
			}
			ms = kept
		}
		if len(ms) > 0 {
			verified.Add(1)
		}
		matches.Add(int64(len(ms)))
		o.Progress.Add(1)
		return w.Write(pair.Image1, pair.Image2, ms)
	}}
	if err := sweep.Run(ctx, todo); err != nil {
		return done, err
	}
	done.Verified, done.Matches = int(verified.Load()), matches.Load()
	return done, w.Close()
}

// verify keeps the matches that agree with one relative pose; none if they do
// not verify.
func (l *openLocal) verify(v match.Verifier, pair kapture.ImagePair, ms []kapture.Match) ([]kapture.Match, error) {
	views := [2]match.View{}
	for i, name := range []string{pair.Image1, pair.Image2} {
		im, err := l.library.Image(name)
		if err != nil {
			return nil, err
		}
		views[i] = match.View{Image: name, Camera: im.Camera, Keypoints: im.Keypoints, Path: im.Path}
	}
	kept, _, err := v.Verify(views[0], views[1], ms)
	return kept, err
}

// wholeMatches returns the pairs that a folder has matches of. Files that were
// cut short do not count.
func wholeMatches(dir string) (map[kapture.ImagePair]bool, error) {
	there := map[kapture.ImagePair]bool{}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return there, nil
	}
	m, err := kapture.OpenMatches(dir)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	for _, p := range m.Pairs() {
		if _, err := m.Read(p.Image1, p.Image2); err == nil {
			there[p] = true
		}
	}
	return there, nil
}

// MapOptions say how a map is triangulated.
type MapOptions struct {
	LocalFeatures string // type of keypoints; "": the only one of the scene
	Matches       string // folder of verified matches; those of pairs of mapping images are used
	Build         sfm.BuildOptions
}

// BuildMap triangulates a map of a scene's mapping images from all matches
// between those of them that have poses. keypoints is the type of local features
// that see its points.
func BuildMap(ctx context.Context, scene *scenes.Scene, o MapOptions) (b *sfm.Built, keypoints string, err error) {
	features, why, err := findLocal(scene, o.LocalFeatures, false)
	if err != nil {
		return nil, "", err
	}
	if features == nil {
		return nil, "", usagef("want local features to map: %s", why)
	}
	local, err := features.open(scene)
	if err != nil {
		return nil, "", err
	}
	defer local.Close()
	posed := map[string]bool{}
	for _, im := range scene.Mapping() {
		posed[im.Name] = im.HasPose
	}
	matches, err := kapture.OpenMatches(o.Matches)
	if err != nil {
		return nil, "", err
	}
	defer matches.Close()
	pairs := slices.DeleteFunc(matches.Pairs(), func(p kapture.ImagePair) bool { return !posed[p.Image1] || !posed[p.Image2] })
	if len(pairs) == 0 {
		return nil, "", &kapture.InputError{Path: filepath.Clean(o.Matches), Msg: "want matches between mapping images with poses, found none"}
	}
	b, err = sfm.Build(ctx, local.library, matches, pairs, o.Build)
	return b, features.name, err
}
