package trainset

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// newSet makes a set of classes of the given sizes.
func newSet(t testing.TB, sizes ...int) *Set {
	t.Helper()
	g := newGathering(unchecked(KindFolder, "made up"), "made up", func(name string) string { return name })
	for c, n := range sizes {
		for i := range n {
			g.add(fmt.Sprintf("%d/%d", c, i), fmt.Sprint(c), 0)
		}
	}
	s, err := g.set(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// newPairSet makes a set of n images of which each is positive with the next
// one, all of one class but for the last, which has no partner.
func newPairSet(t testing.TB, n int) *Set {
	t.Helper()
	g := newGathering(unchecked(KindRetrieval, "made up"), "made up", func(name string) string { return name })
	var list [][2]int32
	for i := range n {
		g.add(fmt.Sprint(i), fmt.Sprint(i/100), 0)
		if i > 0 && i < n-1 {
			list = append(list, [2]int32{int32(i - 1), int32(i)})
		}
	}
	g.positives = newPairs(n, list)
	s, err := g.set(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newSampler(t testing.TB, s *Set, o SamplerOptions) *Sampler {
	t.Helper()
	sampler, err := NewSampler(s, o)
	if err != nil {
		t.Fatal(err)
	}
	return sampler
}

// epoch returns the images of all batches of an epoch.
func epoch(s *Sampler, number int) (images []int) {
	for step := range s.Steps() {
		for _, d := range s.Batch(number, step) {
			images = append(images, d.Image)
		}
	}
	return images
}

// TestResume asks a new sampler for a batch in the middle: it is the one that
// the first sampler drew on its way.
func TestResume(t *testing.T) {
	pairs := newPairSet(t, 60)
	sets := map[string]struct {
		set *Set
		o   SamplerOptions
	}{
		"shuffled": {newSet(t, 5, 9, 3, 20), SamplerOptions{Batch: 6, Balance: 0.5, Seed: 4}},
		"by class": {newSet(t, 5, 9, 3, 20), SamplerOptions{Batch: 6, PerClass: 3, Balance: 1, Seed: 4}},
		"by pair":  {pairs, SamplerOptions{Batch: 8, PerClass: 4, Seed: 4}},
		"no class": {pairs, SamplerOptions{Batch: 8, Seed: 4}},
	}
	for name, tt := range sets {
		t.Run(name, func(t *testing.T) {
			first := newSampler(t, tt.set, tt.o)
			keys := map[uint64]bool{}
			var drawn [][]Draw
			for e := range 3 {
				for step := range first.Steps() {
					drawn = append(drawn, first.Batch(e, step))
					for _, d := range drawn[len(drawn)-1] {
						keys[d.Key] = true
					}
				}
			}
			if want := 3 * first.Steps() * tt.o.Batch; len(keys) != want {
				t.Errorf("want %d keys, one a draw, found %d", want, len(keys))
			}
			for at := len(drawn) - 1; at >= 0; at-- {
				if got := newSampler(t, tt.set, tt.o).Batch(at/first.Steps(), at%first.Steps()); !slices.Equal(got, drawn[at]) {
					t.Fatalf("batch %d: want %v, found %v", at, drawn[at], got)
				}
			}
			tt.o.Seed++
			if slices.Equal(newSampler(t, tt.set, tt.o).Batch(0, 0), drawn[0]) || slices.Equal(epoch(first, 0), epoch(first, 1)) {
				t.Error("another seed, or another epoch, draws the same")
			}
		})
	}
}

// TestBalance wants the published number of images of each class: m^b·n^(1−b)
// with the median m.
func TestBalance(t *testing.T) {
	set := newSet(t, 4, 16, 100)
	for _, tt := range []struct {
		balance float64
		want    []int
	}{{0, []int{4, 16, 100}}, {0.5, []int{8, 16, 40}}, {1, []int{16, 16, 16}}} {
		s := newSampler(t, set, SamplerOptions{Batch: 2, Balance: tt.balance})
		count := make([]int, 3)
		times := map[int]int{}
		for _, i := range epoch(s, 1) {
			count[set.Class(i)]++
			times[i]++
		}
		if !slices.Equal(count, tt.want) {
			t.Errorf("balance %v: want %v images, found %v", tt.balance, tt.want, count)
		}
		for c, want := range tt.want {
			n := len(set.Members(c))
			for _, i := range set.Members(c) {
				if k := times[int(i)]; k < want/n || k > (want+n-1)/n {
					t.Errorf("balance %v: image %d of class %d drawn %d times, want %d or %d", tt.balance, i, c, k, want/n, (want+n-1)/n)
				}
			}
		}
	}
}

// TestGroups wants P classes of K images in each batch, none twice.
func TestGroups(t *testing.T) {
	set := newSet(t, slices.Repeat([]int{7, 4, 30, 5}, 10)...)
	s := newSampler(t, set, SamplerOptions{Batch: 24, PerClass: 4, Balance: 0.5, Seed: 2})
	full := 0
	for step := range s.Steps() {
		batch := s.Batch(3, step)
		classes := map[int]bool{}
		images := map[int]bool{}
		for i := 0; i < len(batch); i += 4 {
			c := set.Class(batch[i].Image)
			for _, d := range batch[i : i+4] {
				if set.Class(d.Image) != c {
					t.Fatalf("step %d: classes %d and %d in one group", step, c, set.Class(d.Image))
				}
				images[d.Image] = true
			}
			classes[c] = true
		}
		if len(classes) == 6 {
			full++
			if len(images) < 24 {
				t.Errorf("step %d: %d images, want 24", step, len(images))
			}
		}
	}
	if full < s.Steps()-1 {
		t.Errorf("%d of %d batches have 6 classes", full, s.Steps())
	}
}

// TestAnchors wants groups of an image and its partners.
func TestAnchors(t *testing.T) {
	set := newPairSet(t, 40)
	s := newSampler(t, set, SamplerOptions{Batch: 8, PerClass: 4, Seed: 1})
	anchors := map[int]int{}
	for _, e := range []int{0, 1, 2, 3} {
		images := epoch(s, e)
		for i := 0; i < len(images); i += 4 {
			anchors[images[i]]++
			for _, j := range images[i+1 : i+4] {
				if j == images[i] || set.Relation(images[i], j) != Positive {
					t.Fatalf("%d is no partner of %d", j, images[i])
				}
			}
			if partners := set.partners(images[i]); len(partners) > 1 && images[i+1] == images[i+2] {
				t.Errorf("of the partners %v of %d one comes twice before the other: %v", partners, images[i], images[i+1:i+4])
			}
		}
	}
	if anchors[39] != 0 || len(anchors) < 25 {
		t.Errorf("%d anchors, and %d times the image that has no partner", len(anchors), anchors[39])
	}
}

func TestSamplerErrors(t *testing.T) {
	set := newSet(t, 3, 3)
	for want, o := range map[string]SamplerOptions{
		"batches of at least 2 images, found 1":                                     {Batch: 1},
		"0 images a class, or at least 2 and a divisor":                             {Batch: 6, PerClass: 4},
		"a balance of 0 to 1, found 2":                                              {Batch: 2, Balance: 2},
		"want at least a batch of 10 images an epoch, found 6":                      {Batch: 10},
		"want at least 3 classes for batches of 6 images, 2 of each class, found 2": {Batch: 6, PerClass: 2},
	} {
		if _, err := NewSampler(set, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, found %v", want, err)
		}
	}
}

func TestPool(t *testing.T) {
	for name, set := range map[string]*Set{"classes": newSet(t, 4, 2, 9, 5), "pairs": newPairSet(t, 230)} {
		t.Run(name, func(t *testing.T) {
			o := PoolOptions{Queries: 15, Images: 12, Seed: 3}
			p, err := NewPool(set, o, 2)
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Queries) != 15 || len(p.Positives) != 15 || len(p.Images) != 12 {
				t.Fatalf("%d queries, %d positives, %d images", len(p.Queries), len(p.Positives), len(p.Images))
			}
			for i, q := range p.Queries {
				if d := p.Positives[i]; d.Image == q.Image || set.Relation(q.Image, d.Image) != Positive {
					t.Errorf("%d is no other positive of %d", d.Image, q.Image)
				}
			}
			again, _ := NewPool(set, o, 2)
			other, _ := NewPool(set, o, 3)
			if !slices.Equal(p.Queries, again.Queries) || !slices.Equal(p.Positives, again.Positives) || !slices.Equal(p.Images, again.Images) {
				t.Error("the same round draws another pool")
			}
			if slices.Equal(p.Images, other.Images) {
				t.Error("another round draws the same pool")
			}
			hardest(t, p)
		})
	}
	if _, err := NewPool(newSet(t, 2), PoolOptions{Queries: 1}, 0); err == nil {
		t.Error("want an error without images")
	}
}

// hardest compares Hardest with a full sort.
func hardest(t *testing.T, p *Pool) {
	t.Helper()
	r := generator(1, "scores")
	for q := range p.Queries {
		scores := make([]float32, len(p.Images))
		order := make([]int, len(scores))
		for i := range scores {
			scores[i], order[i] = float32(r.IntN(5)), i // with ties
		}
		slices.SortStableFunc(order, func(a, b int) int { return int(scores[b] - scores[a]) })
		for n := range 4 {
			var want []Draw
			classes := map[int]bool{}
			for _, i := range order {
				c := p.set.Class(p.Images[i].Image)
				if len(want) < n && !classes[c] && p.set.Relation(p.Queries[q].Image, p.Images[i].Image) == Negative {
					classes[c] = true
					want = append(want, p.Images[i])
				}
			}
			if got := p.Hardest(q, scores, n); !slices.Equal(got, want) {
				t.Fatalf("query %d, %d of scores %v: want %v, found %v", q, n, scores, want, got)
			}
		}
	}
}
