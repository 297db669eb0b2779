package bench

import (
	"context"
	"slices"

	"locbench/bench/metrics"
	"locbench/bench/record"
	"locbench/kapture"
	"locbench/kapture/geom"
	"locbench/scenes"
)

// coVisible is the least intersection over union of the seen points at which a
// retrieved image counts as relevant.
const coVisible = 0.1

// coVisibility returns which points the images see, nil where the scene does not
// say it of queries. It is read once.
func (p *Plan) coVisibility() (*kapture.CoVisibility, error) {
	if !p.knowsTruth() {
		return nil, nil
	}
	return p.seen()
}

// knowsTruth reports whether the pose of a query is known.
func (p *Plan) knowsTruth() bool {
	return slices.ContainsFunc(p.queries, func(im scenes.Image) bool { return im.HasPose })
}

// coVisibilityHash is a hash of the files that coVisibility reads.
func (p *Plan) coVisibilityHash(ctx context.Context) (string, error) {
	if !p.knowsTruth() {
		return "", nil
	}
	return p.run.hashes.files(ctx, p.scene.ObservationFiles())
}

// retrievalRows computes recall and precision of every feature, k and split over
// the queries whose pose is known: by pose, and by the points that are seen.
func (p *Plan) retrievalRows(all map[string]*judged) []record.Retrieval {
	var rows []record.Retrieval
	for _, f := range p.features {
		for _, split := range p.splits() {
			for _, k := range p.topk {
				for _, figure := range all[f.name].figures(split, k.K, p.scene.RecallThresholds) {
					rows = append(rows, record.Retrieval{Scene: p.scene.Name, Split: split.Name, Feature: f.name, TopK: k.K, Metric: figure.Metric, Value: figure.Value})
				}
			}
		}
	}
	return rows
}

// judged are the retrieved images of every query with a known pose, best first.
type judged struct {
	splits []string // of the queries
	errs   [][]geom.PoseError
	iou    [][]float64 // nil: not known
}

// judge says, by feature, how near the retrieved images are to their queries.
func (p *Plan) judge() (map[string]*judged, error) {
	seen, err := p.coVisibility()
	if err != nil {
		return nil, err
	}
	out, retrieved := map[string]*judged{}, map[string][]kapture.Pairs{}
	for _, f := range p.features {
		if retrieved[f.name], err = p.readRetrieved(f); err != nil {
			return nil, err
		}
		out[f.name] = &judged{}
	}
	for i, im := range p.queries {
		if !im.HasPose {
			continue
		}
		share := map[string]float64{}
		if seen != nil {
			for _, pair := range seen.Ranked(im.Name, nil) {
				share[pair.Map] = pair.Score
			}
		}
		for name, r := range out {
			p.judgeQuery(r, im, retrieved[name][i], share)
			if seen == nil {
				r.iou = nil
			}
		}
	}
	return out, nil
}

// judgeQuery adds a query with what it retrieved; share says how many of the seen
// points it has in common with images.
func (p *Plan) judgeQuery(r *judged, query scenes.Image, ranked kapture.Pairs, share map[string]float64) {
	errs, iou := make([]geom.PoseError, 0, len(ranked)), make([]float64, 0, len(ranked))
	for _, pair := range ranked {
		if at, ok := findImage(p.mapping, pair.Map); ok {
			errs, iou = append(errs, geom.Error(p.mapping[at].Pose, query.Pose)), append(iou, share[pair.Map])
		}
	}
	r.splits, r.errs, r.iou = append(r.splits, query.Split), append(r.errs, errs), append(r.iou, iou)
}

// figures are those of a split's queries at k; none without queries.
func (r *judged) figures(split record.Split, k int, thresholds []geom.Threshold) []metrics.Figure {
	var errs [][]geom.PoseError
	var iou [][]float64
	for i, own := range r.splits {
		if split.Holds(own) {
			errs = append(errs, r.errs[i])
			if r.iou != nil {
				iou = append(iou, r.iou[i])
			}
		}
	}
	if len(errs) == 0 {
		return nil
	}
	var out []metrics.Figure
	add := func(name string, relevant [][]bool) {
		share := make([][]float64, len(relevant))
		for i, images := range relevant {
			for _, ok := range images {
				value := 0.0
				if ok {
					value = 1
				}
				share[i] = append(share[i], value)
			}
		}
		out = append(out, metrics.Figure{Metric: metrics.RecallPrefix + name, Value: metrics.RecallAt(relevant, k)},
			metrics.Figure{Metric: metrics.PrecisionPrefix + name, Value: metrics.MeanAt(share, k)})
	}
	for _, t := range thresholds {
		add(t.String(), relevance(errs, t.Within))
	}
	if r.iou != nil {
		add(metrics.CoVisible(coVisible), relevance(iou, func(v float64) bool { return v >= coVisible }))
		out = append(out, metrics.Figure{Metric: metrics.MeanIoU, Value: metrics.MeanAt(iou, k)})
	}
	return out
}

// relevance applies a judgement to all values.
func relevance[T any](values [][]T, relevant func(T) bool) [][]bool {
	out := make([][]bool, len(values))
	for i, list := range values {
		out[i] = make([]bool, len(list))
		for j, v := range list {
			out[i][j] = relevant(v)
		}
	}
	return out
}
