package reports_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"locbench/bench/metrics"
	"locbench/bench/record"
	"locbench/kapture/geom"
)

// fixture is the shape of a made-up run.
type fixture struct {
	name              string
	queries, mapping  int
	features, methods []string
	topks             []int
	seed              uint64
}

// small is the run of the golden files: names that HTML, LaTeX, Markdown, CSV
// and shells each read as something else.
var small = fixture{
	name: "base", queries: 40, mapping: 30, features: []string{"AP-GeM_LM18", `tiny <b>&"image"`},
	methods: []string{"ewb", "bdi", "csi"}, topks: []int{1, 2, 3, 5, 10, 20, 50}, seed: 1,
}

var (
	thresholds       = []record.Threshold{{Meters: 0.25, Degrees: 2}, {Meters: 0.5, Degrees: 5}, {Meters: 5, Degrees: 10}}
	recallThresholds = []record.Threshold{{Meters: 5, Degrees: 30}, {Meters: 25, Degrees: 180}}
)

// queryName gives some names characters that do harm where they are not escaped.
func queryName(i int) string {
	odd := []string{"", `<script>alert(1)</script>`, `a & b "c"`, "käse 東京", "it's, here", "</script><!--"}
	return fmt.Sprintf("query/%s/%s%05d.jpg", splitOf(i), odd[i%len(odd)], i)
}

func splitOf(i int) string {
	if i%5 < 3 {
		return "day"
	}
	return "night"
}

// manifest describes the made-up run.
func (f fixture) manifest() *record.Manifest {
	m := &record.Manifest{
		Format: record.ManifestFormat,
		Scene: record.Scene{
			Name: "harbour", Title: "Harbour & Quay <test>", Dir: "/data/harbour", Thresholds: thresholds, ThresholdsFrom: "scene file harbour.yaml",
			RecallThresholds: recallThresholds, Submission: "default", Licence: "made up, do as you like", Citation: `Someone, "A Harbour", 2026, https://example.org/harbour`,
		},
		Arguments: []string{"run", "--scene", "harbour & quay"},
		Counts:    record.Counts{Mapping: f.mapping, Queries: f.queries, QueriesWithTruth: f.queries, MappingWithoutPose: 1},
		Versions:  record.Versions{Locbench: "v0.1.0", Go: "go1.26.5", SIMD: true, Backend: "go"},
		Inputs:    map[string]string{"mapping": strings.Repeat("ab", 32), "query": strings.Repeat("cd", 32)},
		LeftOut:   []record.LeftOut{{Kind: "method", Name: "global-map", Reason: "the scene has no map"}},
		Warnings:  []string{"2 query images have no feature tiny <b>"},
	}
	m.Stages = []record.Stage{
		{Name: "describe tiny <b>", Seconds: 2.5, StageFigures: record.StageFigures{Items: 100, Of: "images", Bytes: 123456, PeakMemory: 95_000_000}},
		{Name: "evaluate", Seconds: 0.012},
	}
	day := 0
	for i := range f.queries {
		if splitOf(i) == "day" {
			day++
		}
	}
	m.Scene.Splits = []record.Split{{Name: "all", Queries: f.queries}, {Name: "day", Queries: day}, {Name: "night", Queries: f.queries - day}}
	for i, name := range f.features {
		m.Features = append(m.Features, record.Feature{Name: name, Kind: "global_features", Dim: 2048 >> i, From: "/data/harbour/mapping"})
	}
	for _, name := range f.methods {
		method := record.Method{Name: name}
		if name == "csi" {
			method.Parameters = map[string]string{"alpha": "8"}
		}
		m.Methods = append(m.Methods, method)
	}
	for _, k := range f.topks {
		top := record.TopK{K: k, Uses: min(k, f.mapping)}
		if k > f.mapping {
			top.Note = fmt.Sprintf("there are %d mapping images, all used", f.mapping)
		}
		m.TopK = append(m.TopK, top)
	}
	return m
}

// build makes the run and writes its folder, pairs included.
func (f fixture) build(t testing.TB) *record.Run {
	t.Helper()
	dir := filepath.Join(t.TempDir(), f.name)
	run := &record.Run{Dir: dir, Manifest: f.manifest()}
	rng := rand.New(rand.NewPCG(f.seed, 7))
	for fi, feature := range f.features {
		for _, method := range f.methods {
			for _, k := range f.topks {
				rows := f.rows(rng, fi, method, k)
				run.Queries = append(run.Queries, rows...)
				for _, split := range run.Manifest.Scene.Splits {
					run.Summary = append(run.Summary, summarize(rows, split.Name, feature, method, k)...)
				}
			}
		}
		for _, split := range run.Manifest.Scene.Splits {
			for _, k := range f.topks {
				for i, th := range recallThresholds {
					run.Retrieval = append(run.Retrieval, record.Retrieval{
						Scene: "harbour", Split: split.Name, Feature: feature, TopK: k, Metric: metrics.RecallPrefix + geom.Threshold(th).String(),
						Value: 100 * (1 - math.Exp(-float64(k)*(0.1+0.2*float64(i)+0.1*float64(fi)))),
					})
				}
			}
		}
		f.writePairs(t, dir, feature, rng)
	}
	return run
}

func (f fixture) rows(rng *rand.Rand, feature int, method string, k int) []record.Query {
	rows := make([]record.Query, f.queries)
	for i := range rows {
		scale := 1.5 / (1 + 0.3*math.Log(float64(k))) * (1 + 0.6*float64(feature))
		q := record.Query{
			Scene: "harbour", Split: splitOf(i), Query: queryName(i), Feature: f.features[feature], Method: method, TopK: k, Status: record.Localized,
			TErrM: scale * math.Exp(1.3*rng.NormFloat64()), RErrDeg: 4 * scale * math.Exp(rng.NormFloat64()), Inliers: -1, Correspondences: -1,
		}
		if rng.IntN(25) == 0 {
			q.Status, q.TErrM, q.RErrDeg, q.Reason = record.Failed, math.Inf(1), math.Inf(1), "fewer than 3 images <with> a pose"
		}
		rows[i] = q
	}
	return rows
}

func summarize(rows []record.Query, split, feature, method string, k int) []record.Summary {
	var outcomes []metrics.Outcome
	for _, q := range rows {
		if split == record.AllSplit || split == q.Split {
			e := geom.PoseError{Meters: q.TErrM, Degrees: q.RErrDeg}
			outcomes = append(outcomes, metrics.Outcome{Error: e, Localized: q.Status == record.Localized, HasTruth: !math.IsNaN(q.TErrM)})
		}
	}
	var ts []geom.Threshold
	for _, t := range thresholds {
		ts = append(ts, geom.Threshold(t))
	}
	var out []record.Summary
	for _, fig := range metrics.Summarize(outcomes, ts) {
		out = append(out, record.Summary{Scene: "harbour", Split: split, Feature: feature, Method: method, TopK: k, Metric: fig.Metric, Value: fig.Value})
	}
	return out
}

func (f fixture) writePairs(t testing.TB, dir, feature string, rng *rand.Rand) {
	t.Helper()
	var b strings.Builder
	b.WriteString("# kapture format: 1.1\n# query_image, map_image, score\n")
	depth := min(f.mapping, slices.Max(f.topks))
	for i := range f.queries {
		if strings.Contains(queryName(i), ",") {
			continue // kapture's text files cannot hold such a name
		}
		for rank := range depth {
			fmt.Fprintf(&b, "%s, mapping/%04d.jpg, %v\n", queryName(i), (i*7+rank)%f.mapping, 0.9-0.01*float64(rank)+0.001*rng.Float64())
		}
	}
	path := filepath.Join(dir, "pairs", feature+".txt")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
