package bench

import (
	"fmt"

	"locbench/kapture"
)

// checkPairs refuses a pairs file that names images which the scene does not
// have, and says which queries it leaves out.
func (p *Plan) checkPairs(f *feature, pairs kapture.Pairs) error {
	var wrong []pairProblem
	covered := map[string]bool{}
	for i, pair := range pairs {
		_, isQuery := findImage(p.queries, pair.Query)
		_, isMap := findImage(p.mapping, pair.Map)
		switch {
		case !isQuery:
			wrong = append(wrong, pairProblem{i, "want a query image of the scene, found " + pair.Query})
		case !isMap:
			wrong = append(wrong, pairProblem{i, "want a mapping image of the scene with a pose, found " + pair.Map})
		}
		covered[pair.Query] = true
	}
	if len(wrong) > 0 {
		return pairProblems(f.file, wrong)
	}
	var without []string
	for _, q := range p.queries {
		if !covered[q.Name] {
			without = append(without, q.Name)
		}
	}
	if len(without) > 0 {
		p.o.Log.Warn(fmt.Sprintf("%d queries are not in the pairs file %s and fail: %s", len(without), f.file, firstFew(without)))
	}
	return nil
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
