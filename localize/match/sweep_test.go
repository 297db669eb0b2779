package match

import (
	"fmt"
	"testing"

	"locbench/kapture"
	"locbench/localize/recent"
	"locbench/retrieval/backend"
)

// A sweep over all pairs of 40 images with room for 8 reads each image about
// once for each of 10 blocks, not once for each of 39 pairs.
func TestOrderOfPairsSparesReads(t *testing.T) {
	const images, room = 40, 8
	var pairs []kapture.ImagePair
	for j := range images {
		for i := range j {
			pairs = append(pairs, kapture.ImagePair{Image1: fmt.Sprintf("%02d", i), Image2: fmt.Sprintf("%02d", j)})
		}
	}
	c := recent.NewCache(room, func(string) (backend.Matrix, error) { return backend.Matrix{}, nil })
	for _, p := range inBlocks(pairs, room/2) {
		for _, image := range []string{p.Image1, p.Image2} {
			if _, err := c.Get(image); err != nil {
				t.Fatal(err)
			}
		}
	}
	if most := images * (images/(room/2) + 1); c.Reads() > most {
		t.Errorf("want at most %d reads of %d pairs, found %d", most, len(pairs), c.Reads())
	}
}

func TestPairsComeOnce(t *testing.T) {
	got := Pairs(kapture.Pairs{{Query: "b", Map: "a"}, {Query: "a", Map: "b"}, {Query: "c", Map: "c"}, {Query: "a", Map: "c"}})
	want := []kapture.ImagePair{{Image1: "a", Image2: "b"}, {Image1: "a", Image2: "c"}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("want %v, found %v", want, got)
	}
}
