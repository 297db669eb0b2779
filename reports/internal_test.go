package reports

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"locbench/bench/record"
	"locbench/kapture/geom"
)

func TestPercentText(t *testing.T) {
	cases := map[float64]string{
		0: "0.0", 100: "100.0", 12.25: "12.3", 12.349: "12.3", 99.95: "100.0", 99.949: "99.9",
		100 * 7. / 2000: "0.4", // 0.35, which is just below as a float64
		100 * 1. / 191:  "0.5",
		100 * 2. / 3:    "66.7",
		math.NaN():      "–",
	}
	for v, want := range cases {
		if got := percentText(v); got != want {
			t.Errorf("percentText(%v) = %s, want %s", v, got, want)
		}
	}
	for of := 1; of <= 2500; of += 7 { // halves up, checked in integers
		for n := range of + 1 {
			tenths := (2000*n + of) / (2 * of)
			if got, want := percentText(100*float64(n)/float64(of)), shortDecimal(tenths); got != want {
				t.Fatalf("%d of %d prints %s, want %s", n, of, got, want)
			}
		}
	}
}

func shortDecimal(tenths int) string {
	return decimalText(float64(tenths)/10, 1)
}

// TestArrange sorts by five columns, which gota does wrongly at once.
func TestArrange(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	rows := make([]figure, 300)
	for i := range rows {
		rows[i] = figure{rng.IntN(3), rng.IntN(3), rng.IntN(3), rng.IntN(3), rng.IntN(3), rng.IntN(3), float64(i)}
	}
	rows[0].value, rows[1].value = math.Inf(1), math.NaN()
	got, err := newFrame(rows).arrange(colSplit, colFeature, colMethod, colTopK, colRun).figures()
	if err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(rows, func(a, b figure) int {
		return slices.Compare([]int{a.split, a.feature, a.method, a.topk, a.run}, []int{b.split, b.feature, b.method, b.topk, b.run})
	})
	same := cmp.Comparer(func(a, b figure) bool {
		return a == b || math.IsNaN(a.value) && math.IsNaN(b.value)
	})
	if d := cmp.Diff(rows, got, same, cmp.AllowUnexported(figure{})); d != "" {
		t.Errorf("order (-want +got):\n%s", d)
	}
}

func TestFrameWhere(t *testing.T) {
	f := newFrame([]figure{{split: 1, value: 1}, {split: 2, value: 2}, {split: 1, metric: 1, value: 3}})
	got, err := f.where(colSplit, 1).where(colMetric, 1).arrange(colRun, colTopK).figures()
	if err != nil || len(got) != 1 || got[0].value != 3 {
		t.Errorf("rows of split 1 and metric 1: %v, %v", got, err)
	}
	for _, empty := range []frame{newFrame(nil), f.where(colSplit, 7)} {
		if got, err := empty.where(colSplit, 1).arrange(colRun).figures(); err != nil || len(got) != 0 {
			t.Errorf("rows of nothing: %v, %v", got, err)
		}
	}
	if _, err := f.arrange("weather").figures(); err == nil {
		t.Error("no error for a column that is not there")
	}
}

func TestCumulative(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	over := span{0.025, 5}
	for _, n := range []int{1, 10, 5000} {
		errs := make([]geom.PoseError, n)
		for i := range errs {
			errs[i] = geom.PoseError{Meters: math.Exp(2 * rng.NormFloat64()), Degrees: 15 * rng.Float64()}
		}
		errs[0] = geom.Failed()
		points := cumulative(errs, 10, over)
		if len(points) > 2*resolution+2 {
			t.Errorf("%d errors: %d points, want at most two a step", n, len(points))
		}
		for i, p := range points {
			if want := share(errs, geom.Threshold{Meters: p.X, Degrees: 10}); p.Y != want {
				t.Errorf("%d errors: %g %% within %g m, want %g", n, p.Y, p.X, want)
			}
			if i > 0 && (p.X < points[i-1].X || p.Y < points[i-1].Y) {
				t.Errorf("%d errors: the curve falls at point %d", n, i)
			}
		}
	}
}

func TestCurveTopK(t *testing.T) {
	for _, c := range []struct {
		topks       []int
		asked, want int
	}{
		{[]int{1, 2, 3, 4, 5, 10, 20, 50}, 0, 10},
		{[]int{1, 2, 3, 4, 5, 10, 20, 50}, 20, 20},
		{[]int{1, 5, 20}, 4, 5},
		{[]int{20, 50}, 0, 20},
		{[]int{1}, 7, 1},
	} {
		if got := (&section{topks: c.topks}).curveTopK(c.asked); got != c.want {
			t.Errorf("k of %v, asked for %d: want %d, found %d", c.topks, c.asked, c.want, got)
		}
	}
}

func TestSortedThresholds(t *testing.T) {
	s := &section{scene: record.Scene{Thresholds: []record.Threshold{{Meters: 5, Degrees: 1}, {Meters: 0.5, Degrees: 9}, {Meters: 5, Degrees: 0.5}, {Meters: 1, Degrees: 5}}}}
	want := []record.Threshold{{Meters: 0.5, Degrees: 9}, {Meters: 1, Degrees: 5}, {Meters: 5, Degrees: 1}, {Meters: 5, Degrees: 0.5}}
	if d := cmp.Diff(want, s.sortedThresholds()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestFileName(t *testing.T) {
	results := []sectionResults{{figures: []plotFigure{{name: "a/b c"}, {name: "A-b-c"}, {name: "Ä<x>"}}}}
	nameFigures(results)
	var got []string
	for _, f := range results[0].figures {
		got = append(got, f.name)
	}
	if d := cmp.Diff([]string{"a-b-c", "A-b-c_2", "--x-"}, got); d != "" {
		t.Errorf("file names (-want +got):\n%s", d)
	}
}

func TestWrap(t *testing.T) {
	style := textStyle(titleSize)
	text := "a title of several words that is wider than its figure"
	for _, line := range wrap(text, style, 100) {
		if style.Width(line) > 100 {
			t.Errorf("line %q is %v wide, want at most 100", line, style.Width(line))
		}
	}
	if got := wrap("unbreakable", style, 1); len(got) != 1 {
		t.Errorf("one word in %d lines, want 1", len(got))
	}
}
