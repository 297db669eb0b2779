package bench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"locbench/bench/record"
	"locbench/kapture"
	"locbench/kapture/nearname"
	"locbench/retrieval"
	"locbench/scenes"
)

// featureKind says where the retrieval of a feature comes from.
type featureKind string

const (
	kindStored   featureKind = "global_features" // descriptors that the scene holds
	kindBaseline featureKind = "computed"        // tiny-image, from the images themselves
	kindNetwork  featureKind = "extracted"       // by Options.Model, from the images
	kindPairs    featureKind = "pairs"           // a pairs file, no descriptors
	kindOracle   featureKind = record.OracleKind // the truth, no descriptors
)

// feature is one row of the comparison.
type feature struct {
	name        string
	kind        featureKind
	file        string   // kindPairs: the pairs file
	from        string   // for the manifest
	settings    string   // how it was extracted, for the manifest; "": not known
	network     *network // kindNetwork
	dim         int      // 0: no descriptors
	queriesLack []string // images without this feature
	mappingLack []string
}

// checkImages refuses a scene in which nothing could be localized.
func (p *Plan) checkImages() error {
	if len(p.queries) == 0 {
		return &kapture.InputError{Path: p.scene.Dir, Msg: "want query images, found none"}
	}
	if len(p.mapping) == 0 {
		return &kapture.InputError{Path: p.scene.Dir, Msg: fmt.Sprintf("want mapping images with known poses, found %d mapping images and no pose", len(p.noPose))}
	}
	if len(p.noPose) > 0 {
		p.warn("%d mapping images have no pose and are left out: %s", len(p.noPose), firstFew(p.noPose))
	}
	return nil
}

// resolveFeatures decides what is compared: what was asked for, else all that
// the scene holds, else the baseline.
func (p *Plan) resolveFeatures() error {
	stored := p.scene.FeatureTypes(kapture.GlobalFeatures)
	wanted := slices.Clone(p.o.Features)
	if len(wanted) == 0 && len(p.o.Pairs) == 0 {
		wanted = slices.Clone(stored)
		if len(stored) == 0 && p.o.Model == "" {
			wanted = []string{retrieval.TinyImageName}
			p.warn("the scene has no global features: the baseline %s stands in", retrieval.TinyImageName)
		}
	}
	model := p.o.modelFeature()
	if p.o.Model != "" && !slices.Contains(wanted, model) {
		wanted = append(wanted, model)
	}
	for _, name := range wanted {
		f := &feature{name: name, kind: kindStored}
		switch {
		case p.o.Model != "" && name == model:
			f.kind = kindNetwork
		case slices.Contains(stored, name):
		case name == retrieval.TinyImageName:
			f.kind = kindBaseline
		default:
			return unknownFeature(name, stored)
		}
		if err := p.addFeature(f); err != nil {
			return err
		}
	}
	for _, file := range p.o.Pairs {
		if err := p.addFeature(&feature{name: file.Name, kind: kindPairs, file: file.File, from: file.File}); err != nil {
			return err
		}
	}
	if p.o.Oracle {
		if err := p.addOracles(); err != nil {
			return err
		}
	}
	if !slices.ContainsFunc(p.features, func(f *feature) bool { return len(p.methodsOf(f)) > 0 }) {
		return usagef("no method is left: %s", p.leftOut[0].Reason)
	}
	return nil
}

func unknownFeature(name string, stored []string) error {
	near := nearname.Closest(name, append(slices.Clone(stored), retrieval.TinyImageName))
	return usagef("unknown global feature %q: the scene has %s; %s is built in%s", name, listOr(stored, "none"), retrieval.TinyImageName,
		nearname.DidYouMean(near))
}

func (p *Plan) addFeature(f *feature) error {
	if slices.ContainsFunc(p.features, func(g *feature) bool { return g.name == f.name }) {
		return usagef("two features are named %q", f.name)
	}
	p.features = append(p.features, f)
	switch f.kind {
	case kindPairs:
		if err := kapture.CheckFile(f.file); errors.Is(err, fs.ErrNotExist) {
			return usagef("want the pairs file %s, found no such file", f.file)
		} else if err != nil {
			return err
		}
		p.leaveOutBDI(f, "a pairs file")
		return nil
	case kindOracle:
		p.leaveOutBDI(f, "the truth")
		return nil
	case kindBaseline:
		f.dim, f.from = retrieval.TinyImageDim, "computed from the images"
		return nil
	case kindNetwork:
		return p.resolveModel(f, slices.Contains(p.scene.FeatureTypes(kapture.GlobalFeatures), f.name))
	}
	return p.resolveStored(f)
}

// leaveOutBDI says that there is no BDI of a feature without descriptors.
func (p *Plan) leaveOutBDI(f *feature, what string) {
	if slices.Contains(p.o.Methods, "bdi") {
		p.leftOut = append(p.leftOut, record.LeftOut{Kind: "method", Name: "bdi", Reason: "feature " + f.name + " is " + what + ": BDI needs descriptors"})
	}
}

// resolveStored names the images that lack a stored feature.
func (p *Plan) resolveStored(f *feature) error {
	source, err := p.scene.Features(kapture.GlobalFeatures, f.name)
	if err != nil {
		return err
	}
	defer source.Close()
	f.dim, f.from, f.settings = source.Header().DSize, p.scene.Dir, p.describeSettings(f.name)
	f.queriesLack = lacking(source, p.queries)
	f.mappingLack = lacking(source, p.mapping)
	if len(f.mappingLack) == len(p.mapping) {
		return &kapture.InputError{Path: p.scene.Dir, Msg: fmt.Sprintf("want global features %s of the mapping images, found none of %d", f.name, len(p.mapping))}
	}
	if n := len(f.mappingLack); n > 0 {
		p.warn("%d mapping images have no global feature %s and cannot be retrieved: %s", n, f.name, firstFew(f.mappingLack))
	}
	if n := len(f.queriesLack); n > 0 {
		p.warn("%d queries have no global feature %s and are skipped: %s", n, f.name, firstFew(f.queriesLack))
	}
	return nil
}

func lacking(source interface{ Has(string) bool }, images []scenes.Image) []string {
	var names []string
	for _, im := range images {
		if !source.Has(im.Name) {
			names = append(names, im.Name)
		}
	}
	return names
}

// source is an open store of descriptors.
type source interface {
	retrieval.Source
	Close() error
}

// open gives access to the descriptors of a feature that has them.
func (p *Plan) open(f *feature) (source, error) {
	switch f.kind {
	case kindNetwork:
		return p.openNetwork(f)
	case kindBaseline:
		return kapture.OpenFeatures(filepath.Join(p.o.Out, baselineDir(f)), kapture.GlobalFeatures)
	}
	return p.scene.Features(kapture.GlobalFeatures, f.name)
}

// contentHash is the hash of the descriptors, or of the pairs file.
func (p *Plan) contentHash(ctx context.Context, f *feature) (string, error) {
	switch f.kind {
	case kindPairs:
		return p.run.hashes.file(f.file)
	case kindOracle:
		return p.oracleHash(ctx)
	case kindBaseline:
		return p.run.hashes.files(ctx, p.baselineFiles(f))
	case kindNetwork:
		return p.networkHash(ctx, f)
	}
	return p.storedHash(ctx, kapture.GlobalFeatures, f.name)
}

// storedHash is the hash of features that the scene holds.
func (p *Plan) storedHash(ctx context.Context, kind kapture.FeatureKind, typ string) (string, error) {
	files, err := p.scene.FeatureFiles(kind, typ)
	if err != nil {
		return "", err
	}
	content, err := p.run.hashes.files(ctx, files)
	if err != nil {
		return "", err
	}
	d := newDigest("feature", content)
	for _, path := range files { // which image has which content
		if rel, err := filepath.Rel(p.scene.Dir, path); err == nil {
			path = rel // so that a scene may move
		}
		d.add(filepath.ToSlash(path))
	}
	return d.sum(), nil
}

// stacks are the descriptors of one feature, in memory.
type stacks struct {
	name             string
	queries, mapping *retrieval.Descriptors
}

// load reads the descriptors of f, once for the stages that follow each other.
func (p *Plan) load(ctx context.Context, f *feature) (*stacks, error) {
	if p.loaded != nil && p.loaded.name == f.name {
		return p.loaded, nil
	}
	p.loaded = nil // let the last feature's go first
	src, err := p.open(f)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	s := &stacks{name: f.name}
	if s.queries, _, err = retrieval.Load(ctx, src, names(p.queries), p.o.Jobs); err != nil {
		return nil, err
	}
	if s.mapping, _, err = retrieval.Load(ctx, src, names(p.mapping), p.o.Jobs); err != nil {
		return nil, err
	}
	p.loaded = s
	return s, nil
}

func names(images []scenes.Image) []string {
	out := make([]string, len(images))
	for i, im := range images {
		out[i] = im.Name
	}
	return out
}

// firstFew lists at most ten names.
func firstFew(names []string) string {
	const most = 10
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

func listOr(names []string, none string) string {
	if len(names) == 0 {
		return none
	}
	return strings.Join(names, ", ")
}
