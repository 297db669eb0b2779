package nets

import "sync"

// spare is memory that nobody works with: it is kept for the next one who does.
type spare[T any] struct {
	mu   sync.Mutex
	list []T
}

// take returns some of it, or nothing.
func (s *spare[T]) take() (one T, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.list) == 0 {
		return one, false
	}
	one = s.list[len(s.list)-1]
	s.list = s.list[:len(s.list)-1]
	return one, true
}

func (s *spare[T]) give(one T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, one)
}
