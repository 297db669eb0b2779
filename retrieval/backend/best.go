package backend

import "slices"

// Hit is one row of the database found for a query.
type Hit struct {
	Index int32   // row of the database, from 0
	Score float32 // dot product
}

// before says whether a ranks above b: the higher score first, the lower row
// at equal scores.
func before(a, b Hit) bool {
	if a.Score != b.Score {
		return a.Score > b.Score
	}
	return a.Index < b.Index
}

// best keeps the k best hits pushed into it: a heap with the worst kept one on
// top. The order of pushes does not matter.
type best struct {
	k    int
	heap []Hit
}

// full says that k hits are kept: only better ones than the worst matter now.
func (b *best) full() bool { return len(b.heap) == b.k }

func (b *best) worst() Hit { return b.heap[0] }

func (b *best) push(h Hit) {
	if len(b.heap) < b.k {
		b.heap = append(b.heap, h)
		b.up(len(b.heap) - 1)
		return
	}
	if before(h, b.heap[0]) {
		b.heap[0] = h
		b.down()
	}
}

func (b *best) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !before(b.heap[parent], b.heap[i]) {
			return
		}
		b.heap[parent], b.heap[i] = b.heap[i], b.heap[parent]
		i = parent
	}
}

func (b *best) down() {
	for i := 0; ; {
		child := 2*i + 1
		if child >= len(b.heap) {
			return
		}
		if other := child + 1; other < len(b.heap) && before(b.heap[child], b.heap[other]) {
			child = other
		}
		if !before(b.heap[i], b.heap[child]) {
			return
		}
		b.heap[i], b.heap[child] = b.heap[child], b.heap[i]
		i = child
	}
}

// sorted empties the heap into a slice, best first.
func (b *best) sorted() []Hit {
	h := b.heap
	b.heap = nil
	slices.SortFunc(h, func(x, y Hit) int {
		if before(x, y) {
			return -1
		}
		return 1
	})
	return h
}
