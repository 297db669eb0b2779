package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"locbench/bench/record"
	"locbench/kapture"
	"locbench/localize"
	"locbench/retrieval/backend"
	"locbench/scenes"
)

// Plan is a run that is ready to go: the scene's images, the features, methods
// and numbers of retrieved images, and what was left out with the reason.
type Plan struct {
	o       Options
	scene   *scenes.Scene
	queries []scenes.Image // sorted by name
	mapping []scenes.Image // those with a pose, sorted by name
	noPose  []string       // mapping images that were left out

	features []*feature
	topk     []record.TopK
	leftOut  []record.LeftOut
	warnings []string

	backend *backend.Backend
	loaded  *stacks // descriptors of the feature in work
	local   *localFeatures
	hashed  string // see localHash; "": not computed yet
	run     *runner
	near    kapture.Pairs                         // see nearPairs; nil: not looked for yet
	seen    func() (*kapture.CoVisibility, error) // see coVisibility
	clash   *bool                                 // see sensorsClash; nil: not looked at yet
	// style names the images in submissions; "": there are none.
	style localize.Style
}

// NewPlan resolves the options against the scene. It reads no features yet,
// except for the names of the images that have them. Choices that cannot be met
// are a [*UsageError]; broken data is a kapture.InputError.
func NewPlan(scene *scenes.Scene, o Options) (*Plan, error) {
	asked := len(o.Methods) > 0
	o, err := o.checked()
	if err != nil {
		return nil, err
	}
	if scene.Holds(o.Out) {
		return nil, usagef("want a run directory outside of the scene's data, found %s: its files would become part of the scene", o.Out)
	}
	p := &Plan{o: o, scene: scene, queries: scene.Queries(), warnings: scene.Warnings(), seen: sync.OnceValues(scene.CoVisibility)}
	for _, im := range scene.Mapping() {
		if im.HasPose {
			p.mapping = append(p.mapping, im)
		} else {
			p.noPose = append(p.noPose, im.Name)
		}
	}
	if err := p.checkImages(); err != nil {
		return nil, err
	}
	if err := p.resolveLocal(asked); err != nil {
		return nil, err
	}
	if err := p.resolveFeatures(); err != nil {
		return nil, err
	}
	p.resolveTopK()
	if err := p.resolveSubmission(); err != nil {
		return nil, err
	}
	p.run = &runner{dir: o.Out, force: o.Force, log: o.Log, hashes: openFileHashes(filepath.Join(o.Out, stateDir, "hashes.json"))}
	return p, nil
}

// resolveTopK drops the defaults above the number of mapping images; one that
// was asked for stays, uses all images, and says so.
func (p *Plan) resolveTopK() {
	n := len(p.mapping)
	if len(p.o.TopK) == 0 {
		for _, k := range DefaultTopK {
			if k <= n {
				p.topk = append(p.topk, record.TopK{K: k, Uses: k})
			} else {
				p.leftOut = append(p.leftOut, record.LeftOut{Kind: "topk", Name: fmt.Sprint(k),
					Reason: fmt.Sprintf("there are %d mapping images", n)})
			}
		}
		return
	}
	for _, k := range p.o.TopK {
		t := record.TopK{K: k, Uses: min(k, n)}
		if k > n {
			t.Note = fmt.Sprintf("uses all %d mapping images", n)
			p.warn("top %d: %s", k, t.Note)
		}
		p.topk = append(p.topk, t)
	}
}

// resolveSubmission leaves the submissions out where the scene's style has no
// names for its queries: most scenes have no server to submit to.
func (p *Plan) resolveSubmission() error {
	style, err := localize.ParseStyle(string(p.scene.Submission))
	if err != nil {
		return err
	}
	if err := localize.CheckNames(style, names(p.queries)); err != nil {
		p.warn("submissions are left out: %v; a scene file may choose another style", err)
		return nil
	}
	p.style = style
	return nil
}

// maxK is the largest number of retrieved images that is used.
func (p *Plan) maxK() int { return p.topk[len(p.topk)-1].Uses }

func (p *Plan) warn(format string, args ...any) {
	p.warnings = append(p.warnings, fmt.Sprintf(format, args...))
}

// stages lists the steps of the run, in order.
func (p *Plan) stages() []stage {
	out := []stage{p.camerasStage()}
	for _, f := range p.features {
		switch f.kind {
		case kindBaseline:
			out = append(out, p.baselineStage(f))
		case kindNetwork:
			out = append(out, p.extractStage(f))
		}
		out = append(out, p.retrieveStage(f))
		for _, m := range p.methodsOf(f) {
			if !matching(m) {
				out = append(out, p.localizeStage(f, m))
			}
		}
	}
	if p.matches() {
		out = append(out, p.matchStage())
	}
	if p.triangulates() {
		out = append(out, p.mapStage())
	}
	for _, f := range p.features {
		for _, m := range p.methodsOf(f) {
			if matching(m) {
				out = append(out, p.localizeStage(f, m))
			}
		}
	}
	if p.matches() {
		out = append(out, p.viewsStage())
	}
	return append(out, p.evaluateStage())
}

// methodsOf leaves out what a feature has no data for.
func (p *Plan) methodsOf(f *feature) []string {
	if f.kind != kindPairs && f.kind != kindOracle {
		return p.o.Methods
	}
	return slices.DeleteFunc(slices.Clone(p.o.Methods), func(m string) bool { return m == "bdi" })
}

// announce logs the warnings and what is left out.
func (p *Plan) announce() {
	for _, w := range p.warnings {
		p.o.Log.Warn(w)
	}
	if n := p.rigs(); n > 0 && slices.ContainsFunc(p.o.Methods, joins) {
		p.o.Log.Info("the cameras of a rig are localized together", "rigs", n)
	}
	for _, l := range p.leftOut {
		p.o.Log.Info(l.Kind+" "+l.Name+" is left out", "reason", l.Reason)
	}
}

// Run does every stage that is not done yet and writes the results files and
// the manifest. A cancelled context stops it between two queries; what is
// finished stays, and another Run goes on from there.
func (p *Plan) Run(ctx context.Context) (*record.Manifest, error) {
	release, err := openRunDir(p.o.Out)
	if err != nil {
		return nil, err
	}
	defer release()
	p.announce()
	if p.backend, err = backend.Open(p.o.Backend); err != nil {
		return nil, err
	}
	defer p.backend.Close()
	p.backend.Jobs = p.o.Jobs
	defer func() { p.loaded, p.hashed = nil, "" }()

	stages := p.stages()
	done := make([]record.Stage, 0, len(stages))
	for _, s := range stages {
		d, err := p.run.do(ctx, s)
		if err != nil {
			return nil, errors.Join(err, p.run.hashes.save())
		}
		done = append(done, record.Stage{Name: s.name, Key: d.record.Key, Seconds: d.record.Seconds,
			DoneAt: d.record.DoneAt.UTC().Truncate(time.Second), Skipped: d.skipped, StageFigures: d.record.StageFigures})
	}
	if err := p.run.hashes.save(); err != nil {
		return nil, fmt.Errorf("remember file hashes: %w", err)
	}
	m, err := p.manifest(ctx, done)
	if err != nil {
		return nil, err
	}
	return m, record.WriteManifest(filepath.Join(p.o.Out, record.ManifestFile), m)
}
