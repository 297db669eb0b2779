package trainset

import "slices"

// pairs is a symmetric relation between images: for each, the others in
// ascending order. A nil *pairs holds none.
type pairs struct {
	first  []int32
	others []int32
}

// newPairs gathers pairs of n images, each given once or twice, in any order.
func newPairs(n int, list [][2]int32) *pairs {
	p := &pairs{first: make([]int32, n+1), others: make([]int32, 2*len(list))}
	for _, e := range list {
		p.first[e[0]+1]++
		p.first[e[1]+1]++
	}
	for i := range n {
		p.first[i+1] += p.first[i]
	}
	next := append([]int32(nil), p.first...)
	for _, e := range list {
		p.others[next[e[0]]] = e[1]
		next[e[0]]++
		p.others[next[e[1]]] = e[0]
		next[e[1]]++
	}
	// Sort each image's, and close the gaps that pairs given twice leave.
	end := int32(0)
	for i := range n {
		of := p.others[p.first[i]:p.first[i+1]]
		slices.Sort(of)
		of = slices.Compact(of)
		p.first[i] = end
		end += int32(copy(p.others[end:], of))
	}
	p.first[n] = end
	p.others = p.others[:end]
	return p
}

// of returns the images that are in a pair with image i.
func (p *pairs) of(i int) []int32 {
	if p == nil {
		return nil
	}
	return p.others[p.first[i]:p.first[i+1]]
}

func (p *pairs) has(i, j int) bool {
	_, ok := slices.BinarySearch(p.of(i), int32(j))
	return ok
}

// keep returns the pairs of those images that are kept, by their new numbers:
// number[i] is image i's, or negative; n is how many are kept.
func (p *pairs) keep(number []int32, n int) *pairs {
	if p == nil {
		return nil
	}
	var list [][2]int32
	for i, a := range number {
		for _, j := range p.of(i) {
			if b := number[j]; a >= 0 && b >= 0 && int(j) > i {
				list = append(list, [2]int32{a, b})
			}
		}
	}
	return newPairs(n, list)
}
