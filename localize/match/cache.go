package match

import (
	"container/list"
	"sync"

	"locbench/retrieval/backend"
)

// cache keeps the descriptors of the images that were used last, up to a number
// of images. It is safe for concurrent use; an image is read by one goroutine
// while others that want it wait.
type cache struct {
	read  func(image string) (backend.Matrix, error)
	limit int

	mu      sync.Mutex
	recent  list.List // of *cached, the last used first
	byImage map[string]*list.Element
	reads   int
}

type cached struct {
	image string
	load  func() (backend.Matrix, error)
}

func newCache(limit int, read func(string) (backend.Matrix, error)) *cache {
	return &cache{read: read, limit: max(2, limit), byImage: map[string]*list.Element{}}
}

func (c *cache) get(image string) (backend.Matrix, error) {
	return c.entry(image).load()
}

func (c *cache) entry(image string) *cached {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byImage[image]; ok {
		c.recent.MoveToFront(e)
		return e.Value.(*cached)
	}
	c.reads++
	entry := &cached{image: image, load: sync.OnceValues(func() (backend.Matrix, error) { return c.read(image) })}
	c.byImage[image] = c.recent.PushFront(entry)
	if c.recent.Len() > c.limit {
		last := c.recent.Back()
		delete(c.byImage, last.Value.(*cached).image)
		c.recent.Remove(last)
	}
	return entry
}
