package synth

import "sync"

// counter tells how far the work is.
type counter struct {
	report func(done, total int) // may be nil
	mu     sync.Mutex
	done   int
}

// add counts one more of total.
func (c *counter) add(total int) {
	if c.report == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done++
	c.report(c.done, total)
}
