// Package nearname proposes known names for one that was misspelt.
package nearname

import (
	"cmp"
	"slices"
	"strings"
)

// Closest returns the candidates that s may be a misspelling of, best first:
// those within a third of its length in edits (at least two), and those that it
// begins. At most three.
func Closest(s string, candidates []string) []string {
	type scored struct {
		name  string
		edits int
	}
	s = strings.ToLower(s)
	limit := max(2, len([]rune(s))/3)
	var near []scored
	for _, c := range candidates {
		d := editDistance(s, strings.ToLower(c))
		begins := len(s) >= 3 && strings.HasPrefix(strings.ToLower(c), s)
		if d <= limit && d < len([]rune(c)) || begins {
			near = append(near, scored{c, d})
		}
	}
	slices.SortFunc(near, func(a, b scored) int {
		return cmp.Or(cmp.Compare(a.edits, b.edits), strings.Compare(a.name, b.name))
	})
	var out []string
	for _, n := range near[:min(3, len(near))] {
		out = append(out, n.name)
	}
	return out
}

// editDistance counts the insertions, deletions, replacements and swaps of
// neighbours that turn a into b (Damerau-Levenshtein, optimal string alignment).
func editDistance(a, b string) int {
	x, y := []rune(a), []rune(b)
	var before []int
	prev := make([]int, len(y)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := range x {
		row := make([]int, len(y)+1)
		row[0] = i + 1
		for j := range y {
			substitute := prev[j]
			if x[i] != y[j] {
				substitute++
			}
			row[j+1] = min(prev[j+1]+1, row[j]+1, substitute)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, prev = prev, row
	}
	return prev[len(y)]
}

// DidYouMean returns "; did you mean x or y?", or "" without proposals.
func DidYouMean(near []string) string {
	switch len(near) {
	case 0:
		return ""
	case 1:
		return "; did you mean " + near[0] + "?"
	}
	last := len(near) - 1
	return "; did you mean " + strings.Join(near[:last], ", ") + " or " + near[last] + "?"
}
