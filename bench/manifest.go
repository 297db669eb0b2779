package bench

import (
	"context"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"locbench/bench/record"
	"locbench/kapture/geom"
	"locbench/localize/sfm"
	"locbench/retrieval/backend"
)

// manifest says what ran.
func (p *Plan) manifest(ctx context.Context, stages []record.Stage) (*record.Manifest, error) {
	inputs, err := p.inputs(ctx)
	if err != nil {
		return nil, err
	}
	m := &record.Manifest{
		Scene: record.Scene{
			Name: p.scene.Name, Title: p.scene.Title, Dir: p.scene.Dir, Splits: p.splits(),
			Thresholds: thresholds(p.scene.Thresholds), ThresholdsFrom: p.scene.ThresholdsFrom,
			RecallThresholds: thresholds(p.scene.RecallThresholds), Submission: string(p.scene.Submission),
			Licence: p.licence(), Citation: p.scene.Citation,
		},
		Arguments: p.o.Args, Seed: p.o.Seed, LeftOut: p.leftOut, TopK: p.topk, Counts: p.counts(),
		Versions: record.Versions{Locbench: p.o.Version, Go: runtime.Version(), SIMD: backend.SIMD(), Backend: p.backend.Name()},
		Inputs:   inputs, Stages: stages, Warnings: p.warnings,
	}
	if pub := p.scene.Published; pub != nil {
		m.Scene.Published = &record.Published{Dataset: pub.Dataset, Splits: pub.Splits}
	}
	if p.matches() {
		m.LocalFeatures = p.local.name
	}
	for _, f := range p.features {
		m.Features = append(m.Features, record.Feature{Name: f.name, Kind: string(f.kind), Dim: f.dim, From: f.from, Settings: f.settings})
	}
	for _, name := range p.o.Methods {
		method := record.Method{Name: name}
		if name == "csi" {
			method.Parameters = map[string]string{"alpha": strconv.FormatFloat(p.o.CSIAlpha, 'g', -1, 64)}
		}
		if matching(name) {
			method.Parameters = p.structureParameters(name)
		}
		m.Methods = append(m.Methods, method)
	}
	return m, nil
}

// structureParameters are the choices for a method on local features that are not
// the default ones; nil: none.
func (p *Plan) structureParameters(method string) map[string]string {
	all := map[string]string{}
	if n := p.rigs(); joins(method) && n > 0 {
		all["rigs"] = strconv.Itoa(n)
	}
	if p.o.Rerank != "" && p.o.Rerank != string(sfm.RerankNone) {
		all["rerank"] = p.o.Rerank
	}
	if p.o.Duplicates != "" && p.o.Duplicates != string(sfm.KeepDuplicates) && method == "global-map" {
		all["duplicates"] = p.o.Duplicates
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

// licence is the first line of the scene's licence, and the file that holds it.
func (p *Plan) licence() string {
	line, _, _ := strings.Cut(p.scene.Licence, "\n")
	if p.scene.LicenceFile != "" {
		line += " (" + filepath.Base(p.scene.LicenceFile) + ")"
	}
	return line
}

func (p *Plan) counts() record.Counts {
	c := record.Counts{Mapping: len(p.mapping) + len(p.noPose), Queries: len(p.queries), MappingWithoutPose: len(p.noPose)}
	for _, im := range p.queries {
		if im.HasPose {
			c.QueriesWithTruth++
		}
	}
	for _, f := range p.features {
		if n := len(f.queriesLack) + len(f.mappingLack); n > 0 {
			if c.WithoutFeature == nil {
				c.WithoutFeature = map[string]int{}
			}
			c.WithoutFeature[f.name] = n
		}
	}
	return c
}

// inputs are the hashes of what the run read.
func (p *Plan) inputs(ctx context.Context) (map[string]string, error) {
	files, err := p.scene.InputFiles()
	if err != nil {
		return nil, err
	}
	tables, err := p.run.hashes.files(ctx, files)
	if err != nil {
		return nil, err
	}
	out := map[string]string{"scene tables": tables, "queries": imagesHash(p.queries), "mapping": imagesHash(p.mapping)}
	for _, f := range p.features {
		if out["feature "+f.name], err = p.contentHash(ctx, f); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func thresholds(ts []geom.Threshold) []record.Threshold {
	out := make([]record.Threshold, len(ts))
	for i, t := range ts {
		out[i] = record.Threshold(t)
	}
	return out
}
