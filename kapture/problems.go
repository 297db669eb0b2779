package kapture

import (
	"errors"
	"fmt"
	"slices"
)

// maxProblems is how many bad lines one error lists.
const maxProblems = 10

// problems gathers what is wrong with the data being read.
type problems struct {
	list  []*InputError
	count int
}

func (p *problems) addf(path string, line int, format string, args ...any) {
	p.count++
	if len(p.list) < maxProblems {
		p.list = append(p.list, &InputError{Path: path, Line: line, Msg: fmt.Sprintf(format, args...)})
	}
}

// merge appends the problems of q, which came after those of p.
func (p *problems) merge(q *problems) {
	take := min(maxProblems-len(p.list), len(q.list))
	p.list = append(p.list, q.list[:take]...)
	p.count += q.count
}

// FirstTen joins errors into one that lists at most ten of them, in their
// order, and says how many more there are. Nil errors do not count; it returns
// nil if there is no other, and the error itself if there is one.
func FirstTen(errs []error) error {
	errs = slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return err == nil })
	return joinFirst(errs[:min(maxProblems, len(errs))], len(errs))
}

// err returns nil, the only problem, or all of them joined.
func (p *problems) err() error {
	joined := make([]error, 0, len(p.list)+1)
	for _, e := range p.list {
		joined = append(joined, e)
	}
	return joinFirst(joined, p.count)
}

// joinFirst joins the first of count errors.
func joinFirst(first []error, count int) error {
	if count == 1 {
		return first[0]
	}
	if more := count - len(first); more > 0 {
		first = append(first, fmt.Errorf("and %d more", more))
	}
	return errors.Join(first...)
}
