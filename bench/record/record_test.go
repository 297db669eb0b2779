package record_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"locbench/bench/record"
)

func sampleRun() *record.Run {
	return &record.Run{
		Manifest: &record.Manifest{
			Format: record.ManifestFormat,
			Scene: record.Scene{
				Name: "place", Dir: "/data/place", Splits: []record.Split{{Name: "all", Queries: 2}},
				Thresholds: []record.Threshold{{Meters: 0.25, Degrees: 2}}, ThresholdsFrom: "scene file place.yaml",
				RecallThresholds: []record.Threshold{{Meters: 5, Degrees: 30}},
			},
			Arguments: []string{"run", "--scene", "place & <co>"}, Seed: 7,
			Features: []record.Feature{{Name: "AP-GeM-LM18", Kind: "global_features", Dim: 2048, From: "/data/place"}},
			Methods:  []record.Method{{Name: "csi", Parameters: map[string]string{"alpha": "8"}}},
			TopK:     []record.TopK{{K: 20, Uses: 12, Note: "12 mapping images, all used"}},
			Counts:   record.Counts{Mapping: 12, Queries: 2, QueriesWithTruth: 1},
			Inputs:   map[string]string{"mapping": "ab12"},
			Stages:   []record.Stage{{Name: "retrieve", Key: "cd34", Seconds: 0.5, DoneAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}},
		},
		Queries: []record.Query{
			{Scene: "place", Split: "day", Query: `odd, "name" <é>.jpg`, Feature: "f", Method: "csi", TopK: 20, Status: record.Localized, TErrM: 0.30000000000000004, RErrDeg: 1e-9, Inliers: 12, Correspondences: 30},
			{Scene: "place", Split: "night", Query: "line\nbreak.jpg", Feature: "f", Method: "csi", TopK: 1, Status: record.Failed, TErrM: math.Inf(1), RErrDeg: math.Inf(1), Inliers: -1, Correspondences: -1, Reason: "no image retrieved, none at all"},
			{Scene: "place", Split: "night", Query: "c.jpg", Feature: "f", Method: "csi", TopK: 1, Status: record.Skipped, TErrM: math.NaN(), RErrDeg: math.NaN(), Inliers: 0, Correspondences: 0, Reason: "no feature"},
		},
		Summary: []record.Summary{
			{Scene: "place", Split: "all", Feature: "f", Method: "csi", TopK: 1, Metric: "median_t_err_m", Value: math.Inf(1)},
			{Scene: "place", Split: "all", Feature: "f", Method: "csi", TopK: 1, Metric: "mean_localized_t_err_m", Value: math.NaN()},
			{Scene: "place", Split: "all", Feature: "f", Method: "csi", TopK: 20, Metric: "within_0.25m_2deg", Value: 100. / 3},
		},
		Retrieval: []record.Retrieval{{Scene: "place", Split: "all", Feature: "f", TopK: 5, Metric: "recall_5m_30deg", Value: 62.5}},
	}
}

func write(t *testing.T, dir string, run *record.Run) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "results"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := errors.Join(
		record.WriteManifest(filepath.Join(dir, record.ManifestFile), run.Manifest),
		record.WriteQueries(filepath.Join(dir, record.QueriesFile), run.Queries),
		record.WriteSummary(filepath.Join(dir, record.SummaryFile), run.Summary),
		record.WriteRetrieval(filepath.Join(dir, record.RetrievalFile), run.Retrieval),
	)
	if err != nil {
		t.Fatal(err)
	}
}

func TestRunRoundTrip(t *testing.T) {
	dir := t.TempDir()
	want := sampleRun()
	want.Dir = dir
	write(t, dir, want)
	got, err := record.ReadRun(dir)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, cmpopts.EquateNaNs()); d != "" {
		t.Errorf("run read back (-want +got):\n%s", d)
	}
	if err := os.Remove(filepath.Join(dir, record.RetrievalFile)); err != nil {
		t.Fatal(err)
	}
	if got, err = record.ReadRun(dir); err != nil || got.Retrieval != nil {
		t.Errorf("run without retrieval.csv: %v, %v, want no rows", got, err)
	}
}

func TestText(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, sampleRun())
	want := map[string]string{
		record.QueriesFile: "scene,split,query,feature,method,topk,status,t_err_m,r_err_deg,inliers,correspondences,reason\n" +
			"place,day,\"odd, \"\"name\"\" <é>.jpg\",f,csi,20,localized,0.30000000000000004,1e-09,12,30,\n" +
			"place,night,\"line\nbreak.jpg\",f,csi,1,failed,inf,inf,,,\"no image retrieved, none at all\"\n" +
			"place,night,c.jpg,f,csi,1,skipped,,,0,0,no feature\n",
		record.SummaryFile: "scene,split,feature,method,topk,metric,value\nplace,all,f,csi,1,median_t_err_m,inf\n" +
			"place,all,f,csi,1,mean_localized_t_err_m,\nplace,all,f,csi,20,within_0.25m_2deg,33.333333333333336\n",
		record.RetrievalFile: "scene,split,feature,topk,metric,value\nplace,all,f,5,recall_5m_30deg,62.5\n",
	}
	for name, w := range want {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(w, string(got)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestNumbers writes numbers as Python's repr has them, and reads them back.
func TestNumbers(t *testing.T) {
	var rows []record.Summary
	want := []string{"0", "0.0001", "9.999e-05", "9999999999999998", "1e+16", "1e-320", "33.333333333333336", "inf", ""}
	for _, v := range []float64{0, 1e-4, 9.999e-5, 9999999999999998, 1e16, 1e-320, 100. / 3, math.Inf(1), math.NaN()} {
		rows = append(rows, record.Summary{Scene: "s", Split: "all", Feature: "f", Method: "ewb", TopK: 1, Metric: "m", Value: v})
	}
	path := filepath.Join(t.TempDir(), "summary.csv")
	if err := record.WriteSummary(path, rows); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		if got := line[strings.LastIndex(line, ",")+1:]; got != want[i] {
			t.Errorf("%v: want %q, found %q", rows[i].Value, want[i], got)
		}
	}
	back, err := record.ReadSummary(bytes.NewReader(text), path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(rows, back, cmpopts.EquateNaNs()); d != "" {
		t.Errorf("read back (-want +got):\n%s", d)
	}
}

const head = "scene,split,query,feature,method,topk,status,t_err_m,r_err_deg,inliers,correspondences,reason\n"

func TestReadQueriesErrors(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"empty", "", "q.csv:1: want the header scene,split,query,feature,method,topk,status,t_err_m,r_err_deg,inliers,correspondences,reason, found an empty file"},
		{"other table", "scene,split\n", `q.csv:1: want the header scene,split,query,feature,method,topk,status,t_err_m,r_err_deg,inliers,correspondences,reason, found "scene,split"`},
		{"too few fields", head + "s,day,q,f,ewb,1,localized,1,1,,\n", "q.csv:2: want 12 fields, found 11"},
		{"no number", head + "s,day,q,f,ewb,1,localized,1m,1,,,\n", `q.csv:2: want a number from 0 up, inf or nothing for t_err_m, found "1m"`},
		{"negative error", head + "s,day,q,f,ewb,1,localized,-1,1,,,\n", `q.csv:2: want a number from 0 up, inf or nothing for t_err_m, found "-1"`},
		{"overflow", head + "s,day,q,f,ewb,1,localized,1e999,1,,,\n", `q.csv:2: want a number from 0 up, inf or nothing for t_err_m, found "1e999"`},
		{"k of zero", head + "s,day,q,f,ewb,0,localized,1,1,,,\n", `q.csv:2: want a positive number for topk, found "0"`},
		{"status", head + "s,day,q,f,ewb,1,ok,1,1,,,\n", `q.csv:2: want localized, failed or skipped for status, found "ok"`},
		{"count", head + "s,day,q,f,ewb,1,localized,1,1,-3,,\n", `q.csv:2: want a count or nothing for inliers, found "-3"`},
		{"no name", head + "s,day,,f,ewb,1,localized,1,1,,,\n", "q.csv:2: want a query, found none"},
		{"quote", head + "s,day,q,f,ewb,1,localized,1,1,,,\ns,\"day,q\n", `q.csv:3: want CSV, found extraneous or missing " in quoted-field`},
		{"lines after a quoted break", head + "s,day,\"a\nb\",f,ewb,1,localized,1,1,,,\ns\n", "q.csv:4: want 12 fields, found 1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := record.ReadQueries(strings.NewReader(c.text), "q.csv")
			if _, ok := errors.AsType[*record.FormatError](err); !ok || err.Error() != c.want {
				t.Errorf("error %v, want a FormatError:\n%s", err, c.want)
			}
		})
	}
}

func TestManyBadLines(t *testing.T) {
	_, err := record.ReadQueries(strings.NewReader(head+strings.Repeat("x\n", 14)), "q.csv")
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 11 || lines[0] != "q.csv:2: want 12 fields, found 1" || lines[10] != "and 4 more" {
		t.Errorf("error of 14 bad lines:\n%v\nwant ten and \"and 4 more\"", err)
	}
}

func TestReadManifestErrors(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"no JSON", "{\n\"format\": 1,\n\"seed\": x}", ":3: want a run's manifest in JSON, found invalid character 'x' looking for beginning of value"},
		{"cut short", "{\n\"format\": 1", ":2: want a run's manifest in JSON, found unexpected end of JSON input"},
		{"wrong type", "{\n\"format\": \"one\"}", ":2: want a run's manifest in JSON, found json: cannot unmarshal string into Go struct field Manifest.format of type int"},
		{"a later format", `{"format": 2}`, ": want a manifest of format 1, found 2"},
		{"a threshold of nothing", `{"format": 1, "scene": {"thresholds": [{"meters": 0, "degrees": 2}]}}`, ": want thresholds above 0, found 0 m, 2°"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "manifest.json")
			if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := record.ReadManifest(path)
			if _, ok := errors.AsType[*record.FormatError](err); !ok || err.Error() != path+c.want {
				t.Errorf("error %v, want a FormatError:\n%s", err, path+c.want)
			}
		})
	}
}

func TestNotARun(t *testing.T) {
	dir := t.TempDir()
	_, err := record.ReadRun(dir)
	if want := dir + ": want a run directory, found no manifest.json in it"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if err := record.WriteManifest(filepath.Join(dir, record.ManifestFile), &record.Manifest{}); err != nil {
		t.Fatal(err)
	}
	if _, err := record.ReadRun(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("run without results: error %v, want one that is fs.ErrNotExist", err)
	}
}

func TestWriteFileIsAllOrNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	if err := os.WriteFile(path, []byte("before"), 0o644); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err := record.WriteFile(path, func(w io.Writer) error {
		if _, err := io.WriteString(w, strings.Repeat("x", 1<<20)); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want the writer's, with the path", err)
	}
	text, err := os.ReadFile(path)
	if err != nil || string(text) != "before" {
		t.Errorf("file holds %q (%v), want what was there before", text, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("folder holds %v (%v), want the file alone", entries, err)
	}
}

func FuzzReadQueries(f *testing.F) {
	f.Add(head + "s,day,q,f,ewb,1,localized,0.5,1e-9,3,4,\"a, b\"\n")
	f.Add(head + "s,day,q,f,ewb,1,failed,inf,inf,,,why\r\ns,day,\"x\ny\",f,ewb,2,skipped,,,,,\n")
	f.Add("scene,split\n")
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := record.ReadQueries(strings.NewReader(text), "q.csv")
		if err != nil {
			return
		}
		path := filepath.Join(t.TempDir(), "q.csv")
		if err := record.WriteQueries(path, rows); err != nil {
			t.Fatal(err)
		}
		again, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		back, err := record.ReadQueries(strings.NewReader(string(again)), path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(rows, back, cmpopts.EquateNaNs()); d != "" {
			t.Errorf("read, written and read (-first +second):\n%s", d)
		}
	})
}

func BenchmarkReadQueries(b *testing.B) {
	var text strings.Builder
	text.WriteString(head)
	for range 100_000 {
		text.WriteString("place,day,query/day/000123.jpg,AP-GeM-LM18,csi,20,localized,0.12345678901234567,1.2345678901234567,,,\n")
	}
	for b.Loop() {
		if _, err := record.ReadQueries(strings.NewReader(text.String()), "q.csv"); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*100_000/b.Elapsed().Seconds(), "rows/s")
}
