package kapture_test

import (
	"slices"
	"testing"

	"locbench/kapture"
)

func TestCoVisibility(t *testing.T) {
	var o kapture.Observations
	see := func(point int, typ string, images ...string) {
		var views []kapture.View
		for k, im := range images {
			views = append(views, kapture.View{Image: im, Keypoint: point + 10*k})
		}
		o.Add(point, typ, views...)
	}
	see(0, "sift", "a", "b")
	see(0, "r2d2", "a", "b") // the same point counts once
	see(1, "sift", "a", "b", "c")
	see(2, "sift", "a", "c")
	see(3, "sift", "c")
	see(4, "sift", "d")
	c := o.CoVisibility()
	if n := c.Sees("a"); n != 3 {
		t.Errorf("a sees 3 points, found %d", n)
	}
	if n := c.Sees("nobody"); n != 0 || c.Ranked("nobody", nil) != nil {
		t.Errorf("an unknown image sees nothing, found %d", n)
	}
	// a: 0 1 2, b: 0 1, c: 1 2 3.
	want := kapture.Pairs{{Query: "a", Map: "b", Score: 2. / 3}, {Query: "a", Map: "c", Score: 2. / 4}}
	if got := c.Ranked("a", nil); !slices.Equal(got, want) {
		t.Errorf("want %v, found %v", want, got)
	}
	if got := c.Ranked("a", func(name string) bool { return name != "b" }); !slices.Equal(got, want[1:]) {
		t.Errorf("want %v, found %v", want[1:], got)
	}
	if got := c.Pairs(1); len(got) != 3 || got[2] != (kapture.Pair{Query: "c", Map: "a", Score: 2. / 4}) {
		t.Errorf("want the best of each image that shares points, found %v", got)
	}
}
