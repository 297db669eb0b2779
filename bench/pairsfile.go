package bench

import (
	"fmt"
	"slices"

	"locbench/kapture"
)

// checkPairs refuses a pairs file that names images which the scene does not
// have, leaves out the pairs whose mapping image has no pose, and says so; and
// which queries have no pair.
func (p *Plan) checkPairs(f *feature, pairs kapture.Pairs) (kapture.Pairs, error) {
	var wrong []pairProblem
	kept := make(kapture.Pairs, 0, len(pairs))
	covered := map[string]bool{}
	for i, pair := range pairs {
		_, isQuery := findImage(p.queries, pair.Query)
		_, isMap := findImage(p.mapping, pair.Map)
		_, noPose := slices.BinarySearch(p.noPose, pair.Map)
		switch {
		case !isQuery:
			wrong = append(wrong, pairProblem{i, "want a query image of the scene, found " + pair.Query})
		case isMap:
			kept = append(kept, pair)
			covered[pair.Query] = true
		case !noPose:
			wrong = append(wrong, pairProblem{i, "want a mapping image of the scene with a pose, found " + pair.Map})
		}
	}
	if len(wrong) > 0 {
		return nil, pairProblems(f.file, wrong)
	}
	if len(kept) == 0 {
		return nil, &kapture.InputError{Path: f.file, Msg: fmt.Sprintf("want pairs with mapping images that have a pose, found none in %d pairs", len(pairs))}
	}
	if n := len(pairs) - len(kept); n > 0 {
		p.o.Log.Warn(fmt.Sprintf("%d pairs of %s are left out: their mapping images have no pose", n, f.file))
	}
	p.warnWithoutPairs(f, covered)
	return kept, nil
}

func (p *Plan) warnWithoutPairs(f *feature, covered map[string]bool) {
	var without []string
	for _, q := range p.queries {
		if !covered[q.Name] {
			without = append(without, q.Name)
		}
	}
	if len(without) > 0 {
		p.o.Log.Warn(fmt.Sprintf("%d queries are not in the pairs file %s and fail: %s", len(without), f.file, firstFew(without)))
	}
}

// pairProblem is something wrong with the pair at an index of the file.
type pairProblem struct {
	index int
	msg   string
}

// pairProblems makes one error of the problems, each with its line.
func pairProblems(path string, wrong []pairProblem) error {
	lines := kapture.DataLines(path)
	var errs []error
	for _, w := range wrong {
		e := &kapture.InputError{Path: path, Msg: w.msg}
		if w.index < len(lines) {
			e.Line = lines[w.index]
		}
		errs = append(errs, e)
	}
	return kapture.FirstTen(errs)
}
