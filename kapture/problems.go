package kapture

import (
	"errors"
	"fmt"
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

// err returns nil, the only problem, or all of them joined.
func (p *problems) err() error {
	if p.count == 0 {
		return nil
	}
	if p.count == 1 {
		return p.list[0]
	}
	joined := make([]error, 0, len(p.list)+1)
	for _, e := range p.list {
		joined = append(joined, e)
	}
	if more := p.count - len(p.list); more > 0 {
		joined = append(joined, fmt.Errorf("and %d more", more))
	}
	return errors.Join(joined...)
}
