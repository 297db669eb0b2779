// Package recent keeps what was read last of the images in use: descriptors,
// keypoints.
package recent

import (
	"container/list"
	"sync"
)

// Cache holds the values of the images that were asked for last, up to a
// number of images. It is safe for concurrent use: one goroutine reads a value,
// while the others that want it wait. Errors are kept like values.
type Cache[V any] struct {
	read  func(image string) (V, error)
	limit int

	mu      sync.Mutex
	order   list.List // of *entry[V], the last used first
	byImage map[string]*list.Element
	reads   int
}

type entry[V any] struct {
	image string
	load  func() (V, error)
}

// NewCache returns a cache of limit images, two at least, whose values read
// returns.
func NewCache[V any](limit int, read func(image string) (V, error)) *Cache[V] {
	return &Cache[V]{read: read, limit: max(2, limit), byImage: map[string]*list.Element{}}
}

// Get returns the value of an image.
func (c *Cache[V]) Get(image string) (V, error) { return c.entry(image).load() }

// Reads returns how many values were read so far.
func (c *Cache[V]) Reads() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reads
}

func (c *Cache[V]) entry(image string) *entry[V] {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byImage[image]; ok {
		c.order.MoveToFront(e)
		return e.Value.(*entry[V])
	}
	c.reads++
	e := &entry[V]{image: image, load: sync.OnceValues(func() (V, error) { return c.read(image) })}
	c.byImage[image] = c.order.PushFront(e)
	if c.order.Len() > c.limit {
		last := c.order.Back()
		delete(c.byImage, last.Value.(*entry[V]).image)
		c.order.Remove(last)
	}
	return e
}
