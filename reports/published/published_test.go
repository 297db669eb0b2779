package published

import (
	"bytes"
	"os"
	"testing"

	"locbench/kapture/kapturetest"
)

func TestRows(t *testing.T) {
	rows := All()
	if len(rows) != 6145 {
		t.Errorf("want 6145 rows, found %d", len(rows))
	}
	type key struct {
		source, dataset, split, task, local, global, threshold string
		k                                                      int
	}
	seen := map[key]bool{}
	for _, r := range rows {
		k := key{r.Source, r.Dataset, r.Split, r.Task, r.LocalFeature, r.GlobalFeature, r.Threshold, r.TopK}
		if seen[k] && r.Task[:min(9, len(r.Task))] != "retrieval" {
			t.Errorf("%+v is there twice", k)
		}
		seen[k] = true
		if r.Value.Number < 0 || r.Source == "" || r.Dataset == "" {
			t.Errorf("an odd row: %+v", r)
		}
	}
}

// TestSameAsShared holds the embedded table against the reference data.
func TestSameAsShared(t *testing.T) {
	want, err := os.ReadFile(kapturetest.Shared(t, "golden", "published.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, file) {
		t.Error("published.csv differs from the reference data")
	}
}

// TestLike rounds shares of real numbers of queries as the tables have them.
func TestLike(t *testing.T) {
	for _, c := range []struct {
		n, of int
		text  string
		want  float64
	}{
		{1, 191, "0.5", 0.5},
		{93, 191, "48.7", 48.7},    // 48.691
		{661, 824, "80.2", 80.2},   // 80.218
		{17, 824, "2.1", 2.1},      // 2.0631: 2.06, then 2.1
		{1243, 3100, "40.1", 40.1}, // 40.0968: 40.10
		{572, 2292, "24.96", 24.96},
		{1, 2292, "0.04", 0.04},
		{1, 8, "12.50", 12.5},
		{1, 16, "6.3", 6.3}, // 6.25: half up
		{5, 16, "31.3", 31.3},
		{1, 32, "3.1", 3.1}, // 3.125: 3.13, then 3.1
	} {
		v, err := parse(c.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := v.Like(100 * float64(c.n) / float64(c.of)); got != c.want {
			t.Errorf("%d of %d: want %v, found %v", c.n, c.of, c.want, got)
		}
	}
	// Twice rounded is not once rounded.
	one, _ := parse("0.1")
	if got := one.Like(4.9451); got != 5 { // 4.95, then 5.0; once: 4.9
		t.Errorf("want 5, found %v", got)
	}
}

// TestWholeQueries checks the rule on all of the server's figures: each is a share
// of a whole number of the split's queries.
func TestWholeQueries(t *testing.T) {
	queries := map[[2]string]int{{"Aachen-Day-Night-v1.1", "day"}: 824, {"Aachen-Day-Night-v1.1", "night"}: 191,
		{"RobotCar_Seasons-v1", "night"}: 878, {"baidu-mall", "all"}: 2292, {"GangnamStation_B2", "validation"}: 916}
	checked := 0
	for _, r := range All() {
		n, known := queries[[2]string{r.Dataset, r.Split}]
		if !known || r.Threshold == "median_m" || r.Threshold == "median_deg" {
			continue
		}
		checked++
		fits := false
		about := int(r.Value.Number * float64(n) / 100)
		for k := about - 2; k <= about+2; k++ {
			fits = fits || k >= 0 && r.Value.Like(100*float64(k)/float64(n)) == r.Value.Number
		}
		if !fits {
			t.Errorf("%+v is no share of %d queries", r, n)
		}
	}
	if checked < 3000 {
		t.Errorf("want thousands of figures, found %d", checked)
	}
}
