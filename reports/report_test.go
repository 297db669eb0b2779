package reports_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"locbench/bench/record"
	"locbench/kapture"
	"locbench/reports"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with testdata/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got); if it is meant, run the test with -update:\n%s", path, d)
	}
}

// tiny is small enough to read as a whole.
var tiny = fixture{
	name: "base", queries: 10, mapping: 8, features: []string{"AP-GeM_LM18", `tiny <b>&"image"`},
	methods: []string{"ewb", "csi"}, topks: []int{1, 5, 10}, seed: 4,
}

func TestTablesGolden(t *testing.T) {
	other := tiny
	other.name, other.seed = "other", 5
	pages := map[string]*reports.Report{
		"one": build(t, tiny.build(t)),
		"two": build(t, tiny.build(t), other.build(t)),
	}
	for name, r := range pages {
		formats := map[string]func(io.Writer) error{"txt": r.WriteText, "md": r.WriteMarkdown, "tex": r.WriteLaTeX, "csv": r.WriteCSV}
		for format, write := range formats {
			t.Run(name+"."+format, func(t *testing.T) {
				var b bytes.Buffer
				if err := write(&b); err != nil {
					t.Fatal(err)
				}
				golden(t, name+"."+format, b.Bytes())
			})
		}
	}
}

func TestWriteDir(t *testing.T) {
	first, second := filepath.Join(t.TempDir(), "a/report"), filepath.Join(t.TempDir(), "b")
	for _, dir := range []string{first, second} {
		if err := build(t, tiny.build(t)).WriteDir(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
	}
	names := filesBelow(t, first)
	for _, name := range names {
		a, err := os.ReadFile(filepath.Join(first, name))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(second, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs between two reports of the same run", name)
		}
		switch filepath.Ext(name) {
		case ".svg":
			checkXML(t, name, a)
		case ".png":
			if !bytes.HasPrefix(a, []byte("\x89PNG")) {
				t.Errorf("%s is no PNG", name)
			}
		}
	}
	golden(t, "files.txt", []byte(strings.Join(names, "\n")+"\n"))
	// One figure of each kind.
	for _, name := range []string{"localized_over_threshold_night.svg", "localized_over_k_all_csi.svg", "retrieval_recall_day.svg"} {
		svg, err := os.ReadFile(filepath.Join(first, name))
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name, svg)
	}
}

// filesBelow lists the files of a folder and those below it, sorted.
func filesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestPageGolden compares the page without its style, scripts and drawings.
func TestPageGolden(t *testing.T) {
	var b bytes.Buffer
	if err := build(t, tiny.build(t)).WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	page := b.Bytes()
	for _, tag := range []string{"style", "script", "svg"} {
		page = regexp.MustCompile(`(?s)(<`+tag+`\b[^>]*>).*?(</`+tag+`>)`).ReplaceAll(page, []byte("$1$2"))
	}
	golden(t, "page.html", page)
}

func checkXML(t *testing.T, name string, text []byte) {
	t.Helper()
	for d := xml.NewDecoder(bytes.NewReader(text)); ; {
		_, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Errorf("%s is not well-formed: %v", name, err)
			return
		}
	}
}

func TestPage(t *testing.T) {
	var b bytes.Buffer
	if err := build(t, severalRuns(t)...).WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, bad := range []string{"<script>alert", "</script><!--", "tiny <b>", "Quay <test>", "images <with>", "ZgotmplZ"} {
		if strings.Contains(text, bad) {
			t.Errorf("page holds %q, not escaped", bad)
		}
	}
	if n := strings.Count(text, "</script"); n != 3 { // the rows of two sections, and the script
		t.Errorf("page ends a script %d times, want 3", n)
	}
	if found := regexp.MustCompile(`(?:src|href|action)="(?:[^#d]|d[^a])[^"]*"|url\(|@import`).FindAllString(text, -1); found != nil {
		t.Errorf("page refers to other files: %q", found)
	}
	allowed := "https://example.org/harbour"    // the citation
	namespace := `"http://www.w3.org/2000/svg"` // a name, which nothing is loaded from
	if found := strings.NewReplacer(allowed, "", namespace, "").Replace(text); strings.Contains(found, "http:") || strings.Contains(found, "https:") {
		t.Errorf("page holds an address besides the citation's")
	}
	for _, want := range []string{`lang="en"`, "<title>", "Before comparing", "other parameters (alpha=8, alpha=4)", "different thresholds", "prefers-color-scheme: dark", `role="img" aria-label="localized`} {
		if !strings.Contains(text, want) {
			t.Errorf("page lacks %q", want)
		}
	}
}

func TestWarnings(t *testing.T) {
	other := tiny
	other.name, other.queries, other.mapping = "other", 15, 9
	a, b := tiny.build(t), other.build(t)
	b.Manifest.Inputs["query"] = "ee"
	want := []string{
		"harbour: runs base and other are compared, but split all has 10 queries in one and 15 in the other",
		"harbour: runs base and other are compared, but split day has 6 queries in one and 9 in the other",
		"harbour: runs base and other are compared, but split night has 4 queries in one and 6 in the other",
		"harbour: runs base and other are compared, but one has 8 mapping images and the other 9",
		"harbour: runs base and other are compared, but input query differs",
	}
	if d := cmp.Diff(want, build(t, a, b).Warnings); d != "" {
		t.Errorf("warnings (-want +got):\n%s", d)
	}
}

// TestFeatureNotes: tables say how a network's feature was extracted.
func TestFeatureNotes(t *testing.T) {
	run := tiny.build(t)
	run.Manifest.Features[0].Settings = "net.pt, protocol hloc: longer side at most 1024 px"
	var b strings.Builder
	if err := build(t, run).WriteText(&b); err != nil {
		t.Fatal(err)
	}
	if want := "Feature " + run.Manifest.Features[0].Name + ": net.pt, protocol hloc: longer side at most 1024 px."; !strings.Contains(b.String(), want) {
		t.Errorf("want %q in\n%s", want, b.String())
	}
}

func TestBuildErrors(t *testing.T) {
	if _, err := reports.Build(nil, reports.Options{}); err == nil || err.Error() != "a report needs at least one run" {
		t.Errorf("error without runs: %v", err)
	}
	_, err := reports.Build([]*record.Run{tiny.build(t)}, reports.Options{Labels: []string{"a", "b"}})
	if err == nil || err.Error() != "want a label for each of 1 runs, found 2" {
		t.Errorf("error of two labels for a run: %v", err)
	}
}

func TestBadPairs(t *testing.T) {
	run := tiny.build(t)
	path := filepath.Join(run.Dir, "pairs", "AP-GeM_LM18.txt")
	if err := os.WriteFile(path, []byte("# kapture format: 1.1\nq.jpg, m.jpg, high\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := build(t, run).WriteHTML(io.Discard)
	if e, ok := errors.AsType[*kapture.InputError](err); !ok || e.Path != path || e.Line != 2 {
		t.Errorf("error %v, want an InputError at %s:2", err, path)
	}
}

// TestNoTruth is a scene whose ground truth an evaluation server keeps.
func TestNoTruth(t *testing.T) {
	run := tiny.build(t)
	run.Retrieval = nil
	run.Manifest.Counts.QueriesWithTruth = 0
	for i := range run.Queries {
		run.Queries[i].TErrM, run.Queries[i].RErrDeg = math.NaN(), math.NaN()
	}
	kept := run.Summary[:0]
	for _, r := range run.Summary {
		if r.Metric == "queries" || r.Metric == "localized" {
			kept = append(kept, r)
		}
	}
	run.Summary = kept
	r := build(t, run)
	var text bytes.Buffer
	if err := errors.Join(r.WriteText(&text), r.WriteDir(t.Context(), t.TempDir())); err != nil {
		t.Fatal(err)
	}
	if s := text.String(); !strings.Contains(s, "No ground truth here") || strings.Contains(s, "0.25 m") {
		t.Errorf("table without ground truth:\n%s", s)
	}
}

// TestEmptyRun has every query skipped: nothing to draw, nothing to fail on.
func TestEmptyRun(t *testing.T) {
	run := &record.Run{Dir: t.TempDir(), Manifest: tiny.manifest()}
	if err := build(t, run).WriteDir(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
}

func TestReadOnlyFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := build(t, tiny.build(t)).WriteDir(t.Context(), filepath.Join(file, "report")); err == nil || !strings.HasPrefix(err.Error(), "write report: ") {
		t.Errorf("error of a folder that cannot be made: %v", err)
	}
}

// large is a run of the size that the page has to carry without effort.
var large = fixture{
	name: "large", queries: 1000, mapping: 2000, features: []string{"AP-GeM-LM18", "NetVLAD", "DenseVLAD", "DELG"},
	methods: []string{"ewb", "bdi", "csi"}, topks: []int{1, 2, 3, 4, 5, 10, 20, 50}, seed: 9,
}

func BenchmarkReport(b *testing.B) {
	run := large.build(b)
	dir := b.TempDir()
	for b.Loop() {
		if err := build(b, run).WriteDir(b.Context(), dir); err != nil {
			b.Fatal(err)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "index.html"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(len(run.Queries))*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(info.Size())/1e6, "MB-page")
}

func BenchmarkPage(b *testing.B) {
	run := large.build(b)
	for b.Loop() {
		if err := build(b, run).WriteHTML(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(run.Queries))*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
