package locbench

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layers says which packages of this module each package may import. A package
// that is not here fails the test: say where it belongs, here and in
// ARCHITECTURE.md.
var layers = map[string][]string{
	"cmd/locbench":                  {"bench", "bench/metrics", "bench/record", "kapture", "kapture/colmap", "kapture/geom", "localize", "localize/match", "localize/sfm", "reports", "reports/published", "reports/table", "retrieval", "retrieval/backend", "retrieval/extract", "retrieval/imgio", "retrieval/landmarks", "retrieval/npy", "retrieval/train", "retrieval/weights", "scenes", "scenes/synth"},
	"bench":                         {"kapture/colmap", "bench/metrics", "bench/record", "kapture", "kapture/geom", "kapture/nearname", "localize", "retrieval", "retrieval/backend", "retrieval/extract", "retrieval/imgio", "scenes", "kapture/camera", "localize/match", "localize/robust", "localize/sfm"},
	"bench/metrics":                 {"kapture/geom"},
	"bench/record":                  {},
	"reports":                       {"bench/metrics", "bench/record", "kapture", "kapture/geom", "reports/published", "reports/table"},
	"reports/published":             {},
	"reports/table":                 {},
	"scenes":                        {"scenes/fetch", "kapture", "kapture/camera", "kapture/geom", "kapture/nearname", "kapture/strictyaml", "scenes/synth"},
	"scenes/fetch":                  {},
	"scenes/synth":                  {"kapture", "kapture/camera", "kapture/geom"},
	"retrieval":                     {"kapture", "kapture/nearname", "retrieval/backend", "retrieval/imgio"},
	"retrieval/backend":             {},
	"retrieval/extract":             {"kapture", "retrieval", "retrieval/backend", "retrieval/imgio", "retrieval/nets", "retrieval/npy", "retrieval/weights"},
	"retrieval/extract/extracttest": {"retrieval/weights"},
	"retrieval/imgio":               {},
	"retrieval/nets":                {"retrieval/backend", "retrieval/imgio"},
	"retrieval/landmarks":           {"kapture", "retrieval", "retrieval/backend", "retrieval/imgio", "retrieval/npy", "retrieval/pickle"},
	"retrieval/npy":                 {},
	"retrieval/pickle":              {},
	"retrieval/weights":             {"retrieval/pickle"},
	"retrieval/train":               {"bench/metrics", "bench/record", "kapture", "kapture/strictyaml", "retrieval", "retrieval/backend", "retrieval/imgio", "retrieval/nets", "retrieval/train/augment", "retrieval/train/loss", "retrieval/train/trainset", "retrieval/weights"},
	"retrieval/train/augment":       {"retrieval/imgio"},
	"retrieval/train/loss":          {"retrieval/backend", "retrieval/train/trainset"},
	"retrieval/train/trainset":      {"kapture", "kapture/geom", "kapture/nearname", "retrieval/imgio", "retrieval/pickle", "retrieval/train/augment"},
	"localize":                      {"kapture", "kapture/camera", "kapture/geom"},
	"localize/match":                {"kapture", "kapture/camera", "localize/recent", "localize/robust", "retrieval/backend"},
	"localize/recent":               {},
	"localize/sfm":                  {"kapture", "kapture/camera", "kapture/geom", "localize", "localize/recent", "localize/robust", "localize/solver"},
	"localize/robust":               {"kapture/camera", "kapture/geom", "localize/solver"},
	"localize/solver":               {"kapture/geom"},
	"kapture":                       {"kapture/camera", "kapture/geom"},
	"kapture/camera":                {"kapture/geom"},
	"kapture/colmap":                {"kapture", "kapture/camera", "kapture/geom"},
	"kapture/geom":                  {},
	"kapture/kapturetest":           {},
	"kapture/nearname":              {},
	"kapture/strictyaml":            {"kapture", "kapture/nearname"},
}

// fences says which packages may import a third-party module, by its prefix.
var fences = map[string][]string{
	"github.com/gomlx/":       {"retrieval/backend", "retrieval/nets"},
	"github.com/go-gota/gota": {"reports"},
	"gonum.org/v1/plot":       {"reports"},
	"github.com/spf13/cobra":  {"cmd/locbench"},
}

// TestImports fails on an import against the layers of ARCHITECTURE.md. Tests
// may import more: only what the packages themselves import counts.
func TestImports(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range listPackages(t) {
		pkg := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, "locbench"), "/")
		if pkg == "" || len(p.GoFiles)+len(p.CgoFiles) == 0 {
			continue
		}
		seen[pkg] = true
		allowed, known := layers[pkg]
		if !known {
			t.Errorf("package %s has no layer: add it to imports_test.go and ARCHITECTURE.md", pkg)
			continue
		}
		for _, imp := range p.Imports {
			if inner, ours := strings.CutPrefix(imp, "locbench/"); ours && !slices.Contains(allowed, inner) {
				t.Errorf("%s imports %s: its layer may import %v", pkg, inner, allowed)
			}
			for prefix, holders := range fences {
				if strings.HasPrefix(imp, prefix) && !slices.Contains(holders, pkg) {
					t.Errorf("%s imports %s: only %v may", pkg, imp, holders)
				}
			}
		}
	}
	for pkg := range layers {
		if !seen[pkg] {
			t.Errorf("layer %s is no package any more: delete it here and in ARCHITECTURE.md", pkg)
		}
	}
}

type listed struct {
	ImportPath        string
	Imports           []string
	GoFiles, CgoFiles []string
}

func listPackages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,GoFiles,CgoFiles", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var ps []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return ps
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		ps = append(ps, p)
	}
}
