package reports_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"locbench/bench/record"
)

// TestLargePage writes and opens the report of a run as large as they come:
// 5,000 queries, 7 features, 8 k, six methods.
func TestLargePage(t *testing.T) {
	if os.Getenv("LOCBENCH_SLOW") == "" {
		t.Skip("a minute; set LOCBENCH_SLOW=1 to run it")
	}
	const mostBytes, mostSeconds = 25e6, 3
	f := fixture{name: "large", queries: 5000, mapping: 4000, methods: []string{"ewb", "bdi", "csi", "local-sfm", "local-sfm+", "global-map"}, topks: []int{1, 2, 3, 4, 5, 10, 20, 50}, seed: 2}
	for i := range 7 {
		f.features = append(f.features, fmt.Sprintf("feature-%d", i))
	}
	run := f.build(t)
	f.writeViews(t, run)
	f.linkPoses(t, run)
	b := newBrowser(t)
	dir := t.TempDir()
	start := time.Now()
	writeReport(t, dir, run)
	t.Logf("report written in %.1f s", time.Since(start).Seconds())
	path := filepath.Join(dir, "index.html")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("index.html %.1f MB, views %.1f MB", float64(info.Size())/1e6, float64(folderSize(t, filepath.Join(dir, "views")))/1e6)
	if info.Size() > mostBytes {
		t.Errorf("index.html has %d bytes, want at most %g", info.Size(), mostBytes)
	}
	var seconds []float64
	for range 3 {
		b.open(t, path, 1280, false)
		var ms float64
		b.eval(t, `new Promise(done => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))`, &ms)
		seconds = append(seconds, ms/1000)
	}
	t.Logf("opened and drawn in %.2f, %.2f, %.2f s", seconds[0], seconds[1], seconds[2])
	if min(seconds[0], seconds[1], seconds[2]) > mostSeconds {
		t.Errorf("the page opens in %v s, want at most %d", seconds, mostSeconds)
	}
	for what, script := range map[string]string{
		"filter by feature and k": `document.querySelector(".filters").elements.feature.value = "feature-3"; document.querySelector(".filters").elements.k.value = "10"; document.querySelector(".filters").elements.k.dispatchEvent(new Event("input"))`,
		"find a query":            `document.querySelector(".queries form").elements.find.value = "04321"; document.querySelector(".queries form").elements.find.dispatchEvent(new Event("input"))`,
		"sort a table":            `document.querySelector(".block table .sort").click()`,
	} {
		var ms float64
		b.eval(t, fmt.Sprintf(`(() => { const start = performance.now(); %s; document.body.offsetHeight; return performance.now() - start; })()`, script), &ms)
		t.Logf("%s: %.0f ms", what, ms)
	}
}

// linkPoses gives all lines of a run the estimates of the one that has some.
func (f fixture) linkPoses(t *testing.T, run *record.Run) {
	t.Helper()
	own := filepath.Join(run.Dir, "poses", f.features[0], fmt.Sprintf("%s_top%d", f.methods[0], viewTopK))
	for _, feature := range f.features {
		for _, method := range f.methods {
			for _, k := range f.topks {
				dir := filepath.Join(run.Dir, "poses", feature, fmt.Sprintf("%s_top%d", method, k))
				if dir == own {
					continue
				}
				if err := errors.Join(os.MkdirAll(filepath.Dir(dir), 0o755), os.Symlink(own, dir)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// folderSize is the size of the files in a folder, bytes.
func folderSize(t *testing.T, dir string) (n int64) {
	t.Helper()
	for _, name := range filesBelow(t, dir) {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		n += info.Size()
	}
	return n
}
