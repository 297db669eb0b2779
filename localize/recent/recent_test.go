package recent

import (
	"errors"
	"fmt"
	"sync"
	"testing"
)

func TestCacheKeepsWhatWasUsedLast(t *testing.T) {
	c := NewCache(2, func(image string) (string, error) { return "read " + image, nil })
	for _, image := range []string{"a", "b", "a", "c", "a", "b"} {
		if v, err := c.Get(image); err != nil || v != "read "+image {
			t.Fatalf("want the value of %s, found %q, %v", image, v, err)
		}
	}
	if c.Reads() != 4 { // a, b, c drops b, b again
		t.Errorf("want 4 reads, found %d", c.Reads())
	}
}

func TestCacheReadsOnce(t *testing.T) {
	c := NewCache(8, func(string) (int, error) { return 0, errors.New("gone") })
	var wait sync.WaitGroup
	for i := range 40 {
		wait.Go(func() {
			if _, err := c.Get(fmt.Sprint(i % 4)); err == nil {
				t.Error("want the error of reading, found none")
			}
		})
	}
	wait.Wait()
	if c.Reads() != 4 {
		t.Errorf("want 4 reads of 4 images, found %d", c.Reads())
	}
}
