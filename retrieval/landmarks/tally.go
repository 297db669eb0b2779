package landmarks

import (
	"cmp"
	"math"
	"slices"
)

// Place is where an image stands in the ranking of a query, distractors and
// junk included.
type Place struct {
	Image   int
	Rank    int // from 0
	AtLeast int // images that score at least as much, itself included
}

// Pick returns the ranks, and the numbers of images that score at least as
// much, of those of a query's places that have one of the grades.
func (q *Query) Pick(places []Place, grades ...Grade) (ranks, atLeast []int) {
	wanted := map[int]bool{}
	for _, image := range q.Graded(grades...) {
		wanted[image] = true
	}
	for _, p := range places {
		if wanted[p.Image] {
			ranks, atLeast = append(ranks, p.Rank), append(atLeast, p.AtLeast)
		}
	}
	return ranks, atLeast
}

// tally counts, for the graded images of one query, what is ranked above them.
// It keeps no score but theirs.
type tally struct {
	images []int // graded, best first
	scores []float64
	above  counts
}

// counts are numbers of images without a grade; the entry of an image says how
// many are above it but not above the one before it.
type counts struct {
	before []int // ranked before the image
	ties   []int // scoring at least as much
}

func newCounts(n int) counts { return counts{make([]int, n), make([]int, n)} }

func (c counts) add(other counts) {
	for i := range c.before {
		c.before[i] += other.before[i]
		c.ties[i] += other.ties[i]
	}
}

// newTally ranks a database by its scores.
func newTally(graded []int, scores []float64) *tally {
	t := &tally{images: slices.Clone(graded)}
	slices.SortFunc(t.images, func(a, b int) int { return cmp.Or(cmp.Compare(scores[b], scores[a]), cmp.Compare(a, b)) })
	own := make(map[int]bool, len(graded))
	for _, image := range t.images {
		own[image] = true
		t.scores = append(t.scores, scores[image])
	}
	t.above = newCounts(len(graded))
	for image, score := range scores {
		if len(graded) > 0 && score >= t.scores[len(graded)-1] && !own[image] {
			t.count(t.above, score, image)
		}
	}
	return t
}

// distractor is the index of an image that comes after all others.
const distractor = math.MaxInt

// count adds an image without a grade to c.
func (t *tally) count(c counts, score float64, image int) {
	n := len(t.scores)
	if n == 0 || score < t.scores[n-1] {
		return
	}
	first, end := 0, n-1 // the first graded image that scores no more
	for first < end {
		if middle := (first + end) / 2; t.scores[middle] <= score {
			end = middle
		} else {
			first = middle + 1
		}
	}
	c.ties[first]++
	for first < n && t.scores[first] == score && t.images[first] < image {
		first++
	}
	if first < n {
		c.before[first]++
	}
}

// places returns where the graded images stand.
func (t *tally) places() []Place {
	places := make([]Place, len(t.images))
	before, ties := 0, 0
	for i, image := range t.images {
		before += t.above.before[i]
		places[i] = Place{Image: image, Rank: before + i}
	}
	for i := 0; i < len(places); {
		from := i
		for ; i < len(places) && t.scores[i] == t.scores[from]; i++ {
			ties += t.above.ties[i]
		}
		for j := from; j < i; j++ {
			places[j].AtLeast = ties + i
		}
	}
	return places
}
